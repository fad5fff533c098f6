// Package webhooks tells other systems what happened, by HTTP requests that are
// signed as the Standard Webhooks specification says. What is to be told waits in
// the database, in the transaction of what happened, and is sent at least once.
package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hook is another system that wants to be told.
type Hook struct {
	ID   int64
	Salt [16]byte // the secret is derived from it and the installation's key
	URL  string
	// Kinds are the events that it is told of; none: all.
	Kinds []string
	// AllowPrivate lets the request go to loopback and private addresses, and by
	// plain HTTP.
	AllowPrivate bool
	Created      time.Time
}

// maxURL is how long an address may be, in bytes.
const maxURL = 1000

// Kinds are the events that hooks can be told of, all about one member.
func Kinds() []string {
	return []string{"reset-requested", "password-changed", "member-added", "member-activated", "member-changed",
		"member-locked", "member-unlocked", "member-removed"}
}

// TestKind is the event of a request that an administrator sends to try a hook.
const TestKind = "test"

// Validate returns what is wrong with a hook to add. The text holds no part of
// the address, which may be a secret.
func (h Hook) Validate() error {
	u, err := url.Parse(h.URL)
	if err != nil {
		return errors.New("the URL can't be read")
	}
	switch {
	case len(h.URL) > maxURL:
		return fmt.Errorf("the URL is longer than %d bytes", maxURL)
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("want a URL such as https://app.example.org/hooks")
	case u.User != nil:
		return errors.New("the URL holds a user name or password: requests are signed instead")
	case u.Fragment != "":
		return errors.New("the URL has a fragment, which no server gets to see")
	case u.Scheme != "https" && !h.AllowPrivate:
		return errors.New("want https: plain http is for private networks (--allow-private)")
	}
	for _, k := range h.Kinds {
		if !slices.Contains(Kinds(), k) {
			return fmt.Errorf("there is no event %q: want %s", k, strings.Join(Kinds(), ", "))
		}
	}
	return nil
}

// State is where a call stands.
type State string

// A call is pending until a worker claims it. Sent and dead are final; a dead one
// can be put back by hand.
const (
	Pending State = "pending"
	Sending State = "sending"
	Sent    State = "sent"
	Dead    State = "dead"
)

// States returns every state there is.
func States() []State { return []State{Pending, Sending, Sent, Dead} }

// Call is one request that a hook is to get.
type Call struct {
	ID       int64
	Hook     Hook
	Kind     string
	MemberID int64
	At       time.Time // when it happened
	State    State
	Attempts int // made before this one
	Due      time.Time
	Settled  time.Time
	Outcome  string // why it is dead or tried again
}

// MessageID names the call to its receiver, who gets it again with each attempt.
// The time tells it from one with its number in a database that was restored.
func (c Call) MessageID() string {
	return "msg_" + strconv.FormatInt(c.ID, 36) + "_" + strconv.FormatInt(c.At.UnixMicro(), 36)
}

// Settlement ends a claim.
type Settlement struct {
	ID      int64
	State   State     // Pending to try again at Due; else final
	Due     time.Time // of the next attempt
	Outcome string
}

// Queue is where calls wait.
type Queue interface {
	// RefreshWebhooks looks whether there are hooks; without any nothing is queued.
	RefreshWebhooks(ctx context.Context) (exist bool, err error)
	// ClaimCalls takes up to limit calls that are due, or whose lease has ended,
	// oldest first, until now and the lease.
	ClaimCalls(ctx context.Context, worker string, now time.Time, lease time.Duration, limit int) ([]Call, error)
	// SettleCall ends a claim; one that the worker lost changes nothing.
	SettleCall(ctx context.Context, worker string, now time.Time, s Settlement) error
}

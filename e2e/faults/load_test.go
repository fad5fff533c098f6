package faults

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load asks for resets and uses the tokens that were mailed, until it is
// stopped, whatever happens to the servers. Every request is about another
// member, so that each answer has a mail of its own to look for.
type load struct {
	site    *site
	client  *http.Client
	members int
	next    atomic.Int64
	cancel  context.CancelFunc
	done    sync.WaitGroup

	mu       sync.Mutex
	acked    map[string]time.Time // addresses whose request was answered
	changes  []change
	statuses map[int]int
}

// outcome is what a client knows about a request that it sent.
type outcome string

const (
	ok      outcome = "ok"
	refused outcome = "refused"
	unknown outcome = "unknown" // it may have happened
)

// change is an attempt to set a password.
type change struct {
	to       string // the member's address
	token    string
	password string
	outcome  outcome
}

// newClient returns a client that gives up soon.
func newClient(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext:         (&net.Dialer{Timeout: timeout}).DialContext,
	}}
}

// patience is more than a server needs to answer 503 if its database does
// not answer, on a busy machine.
const patience = 30 * time.Second

// startLoad starts clients that ask and one that uses tokens.
func (s *site) startLoad(members, clients int) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{
		site: s, client: newClient(patience), members: members, cancel: cancel,
		acked: map[string]time.Time{}, statuses: map[int]int{},
	}
	for i := range clients {
		l.done.Go(func() { l.ask(ctx, i) })
	}
	l.done.Go(func() { l.use(ctx) })
	s.t.Cleanup(l.stop)
	return l
}

// stop ends the load and waits for the answers that are under way.
func (l *load) stop() {
	l.cancel()
	l.done.Wait()
}

// ask requests tokens, at each server in turn, without hurry where none answers.
func (l *load) ask(ctx context.Context, turn int) {
	for ctx.Err() == nil {
		i := int(l.next.Add(1)) - 1
		if i >= l.members {
			return
		}
		turn++
		to := l.site.servers[turn%len(l.site.servers)]
		status, _, err := post(context.WithoutCancel(ctx), l.client, to.url+"/members/resetpassword",
			url.Values{"email": {address(i)}})
		l.mu.Lock()
		l.statuses[status]++
		if err == nil && status == http.StatusOK {
			l.acked[address(i)] = time.Now()
		}
		l.mu.Unlock()
		wait := 20 * time.Millisecond
		if err != nil {
			wait = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// use spends every fourth token that comes by mail.
func (l *load) use(ctx context.Context) {
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case d := <-l.site.box.tokens:
			if n%4 == 0 {
				l.change(d, l.site.servers[n/4%len(l.site.servers)])
			}
		}
	}
}

// change sets a password with a mailed token, and notes how that went.
func (l *load) change(d delivery, at *replica) {
	c := change{to: d.to, token: d.token, password: newPassword(d.token)}
	c.outcome = complete(l.client, at, c)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes = append(l.changes, c)
}

// newPassword returns one that no other token gets.
func newPassword(token string) string { return "Orchard-" + token[:12] + "-lantern" }

// complete sends the second step.
func complete(client *http.Client, at *replica, c change) outcome {
	status, body, err := post(context.Background(), client, at.url+"/members/resetpassword",
		url.Values{"email": {c.to}, "token": {c.token}, "member-password": {c.password}})
	switch {
	case err == nil && status == http.StatusOK && strings.Contains(body, "password-changed"):
		return ok
	case err == nil && status == http.StatusBadRequest && strings.Contains(body, `"102A"`):
		return refused
	case err == nil && status != http.StatusServiceUnavailable:
		return outcome(fmt.Sprintf("unexpected: %d %s", status, body))
	}
	return unknown
}

// faults reports what is wrong, and stops at twenty to stay readable.
type faults struct {
	t     testing.TB
	count int
}

func (f *faults) errorf(format string, args ...any) {
	f.t.Helper()
	if f.count++; f.count <= 20 {
		f.t.Errorf(format, args...)
	}
}

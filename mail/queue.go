package mail

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// ID names an order to send a mail. It starts with the time of its making
// (48 bits, milliseconds), so that orders sort by age; 80 random bits follow.
type ID [16]byte

// NewID returns a fresh ID. random is crypto/rand's reader where nil.
func NewID(now time.Time, random io.Reader) (ID, error) {
	var id ID
	if random == nil {
		random = rand.Reader
	}
	if _, err := io.ReadFull(random, id[6:]); err != nil {
		return id, fmt.Errorf("make mail id: %w", err)
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(id[:6], ms[2:])
	return id, nil
}

// ParseID reads what String wrote.
func ParseID(s string) (ID, error) {
	var id ID
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("mail id %q: want %d hexadecimal digits", s, 2*len(id))
	}
	copy(id[:], b)
	return id, nil
}

// String returns the ID as 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// State is where an order stands.
type State string

// An order is pending until a worker claims it; sent, dead and dropped are
// final (a dead one can be put back by hand). Dropped orders never had anybody
// to go to: no such member, or one over its limit.
const (
	Pending State = "pending"
	Sending State = "sending"
	Sent    State = "sent"
	Dead    State = "dead"
	Dropped State = "dropped"
)

// Job is a claimed order.
type Job struct {
	ID       ID
	Attempts int       // attempts made before this one
	Created  time.Time // when it was ordered
	Expires  time.Time // when the mail is no longer worth sending; zero: never
}

// Claim asks for due orders, oldest first.
type Claim struct {
	Worker string    // who asks, for the record
	Now    time.Time // orders due at or before are claimed, and those whose lease ended
	Lease  time.Duration
	Limit  int
	// Latest is the end of every schedule and every lease. An order due after it is
	// claimed, too, and one whose lease ends after it: that was the doing of a clock
	// that was ahead. Zero: there is no end.
	Latest time.Time
	Only   *ID // claim this one alone, if it is claimable
}

// Settlement ends a claim.
type Settlement struct {
	ID     ID
	Worker string    // only the claim's owner settles it
	State  State     // Pending to try again at Due; else final
	Due    time.Time // of the next attempt
	At     time.Time // now
	Reason string    // why it is dead, dropped or tried again; holds no secret
	// Attempted is whether the attempt counts: not when it was given back unused.
	Attempted bool
}

// Queue is where the worker gets its orders from. Many workers, on many
// machines, may share one.
type Queue interface {
	// Claim marks due orders as being sent by the worker until the lease ends and returns them.
	Claim(ctx context.Context, c Claim) ([]Job, error)
	// Held returns the orders that are being sent by the worker, as the queue has it.
	Held(ctx context.Context, worker string) ([]ID, error)
	// Settle records the outcome. It does nothing where the lease was lost to another worker.
	Settle(ctx context.Context, s Settlement) error
}

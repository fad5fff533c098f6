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

// NewID returns a fresh ID. random is crypto/rand's reader if nil.
func NewID(now time.Time, random io.Reader) (ID, error) {
	if random == nil {
		var drawn [10]byte
		_, _ = rand.Read(drawn[:]) // never fails
		return newID(now, drawn), nil
	}
	var drawn [10]byte
	if _, err := io.ReadFull(random, drawn[:]); err != nil {
		return ID{}, fmt.Errorf("make mail id: %w", err)
	}
	return newID(now, drawn), nil
}

// FirstID returns the smallest ID of that time's millisecond.
func FirstID(now time.Time) ID { return newID(now, [10]byte{}) }

func newID(now time.Time, drawn [10]byte) ID {
	var id ID
	binary.BigEndian.PutUint64(id[:], uint64(now.UnixMilli())<<16)
	copy(id[6:], drawn[:])
	return id
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

// An order is new until a worker claims it, and pending when it is to be tried
// again. One for an unknown member is dropped from the start; a few of these are
// claimed all the same, as decoys. Sent, dead and dropped are final (a dead one
// can be put back by hand). Dropped orders never had anybody to go to: no such
// member, or one over its limit.
const (
	New     State = "new"
	Pending State = "pending"
	Sending State = "sending"
	Sent    State = "sent"
	Dead    State = "dead"
	Dropped State = "dropped"
)

// States returns all states, in the order of a mail's life.
func States() []State { return []State{New, Pending, Sending, Sent, Dead, Dropped} }

// Order is an order as a worker claims it.
type Order struct {
	ID       ID
	Attempts int       // attempts made before this one
	Decoy    bool      // it is for an unknown member and must not be sent
	Created  time.Time // when it was ordered
	Expires  time.Time // when the mail is no longer worth sending; zero: never
}

// Settlement ends a claim.
type Settlement struct {
	ID     ID
	State  State     // Pending to try again at Due; else final
	Due    time.Time // of the next attempt
	Reason string    // why it is dead, dropped or tried again; holds no secret
	// Attempted is whether the attempt counts: not when it was given back unused.
	Attempted bool
	Ordered   time.Time // when the mail was ordered
}

// Round is what a worker asks of the queue in one transaction, in the order of
// its fields.
type Round struct {
	Worker string    // who asks; no other worker has the name
	Now    time.Time // for all that follows
	Lease  time.Duration
	// Settle ends claims. One that the worker lost to another changes nothing.
	Settle []Settlement
	// Renew prolongs claims to the end of a lease from now.
	Renew []ID
	// Rescue makes orders pending again whose lease ended; that attempt counts. A
	// lease that ends later than two from now, and an order due after Latest, the
	// end of every schedule, are the doing of a clock that was ahead: they count as
	// ended, and due.
	Rescue bool
	Latest time.Time
	// Announce queues the webhook calls of so many new orders, which are pending
	// then. Without webhooks it does nothing.
	Announce int
	// Claim takes so many orders that are new or pending, and due, oldest first. Up
	// to Decoys of them, if there are fewer, are of the last second's for unknown
	// members. Only takes this one alone, whoever it is for.
	Claim, Decoys int
	Only          *ID
}

// Queue is where workers get their orders from. Many workers, on many machines,
// may share one.
type Queue interface {
	// Round does all that is asked, or nothing, and returns what it claimed: it is
	// in the worker's hands until the lease ends. After an error it may have been
	// done: what it claimed then comes back when its lease ends.
	Round(ctx context.Context, r Round) ([]Order, error)
}

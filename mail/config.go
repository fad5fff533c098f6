package mail

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Composer makes the mails of orders.
type Composer interface {
	// Drafts reads what the mails of all these orders are made of, and returns a
	// draft for each, in their order.
	Drafts(ctx context.Context, orders []Order) ([]Draft, error)
}

// Draft is a mail that is about to be composed.
type Draft interface {
	// Domain is the recipient's, so that slow ones can be told from others.
	Domain() string
	// Compose returns the mail: the same bytes at every attempt. Where there is
	// none to send it returns what [Drop] or [Kill] made; any other error has the
	// order tried again.
	Compose(ctx context.Context) (*Message, error)
}

// Config is what a worker works with. Zero values stand for the defaults, where
// one is given.
type Config struct {
	Queue    Queue
	Composer Composer
	Sender   Sender
	Now      func() time.Time
	Rand     func() float64 // from 0 up to 1, safe for concurrent use; math/rand/v2's
	Name     string         // unlike any other worker's on the same queue
	Log      *slog.Logger   // slog.Default

	Beat         time.Duration // rounds begin at multiples of it; 50 ms
	Spread       time.Duration // a new order's mail is begun at a random moment within it, that of a backlog at once; 0
	Poll         time.Duration // the queue is looked at again after; 1 s
	Lease        time.Duration // how long an order is ours unless we renew that; 1 min
	Attempt      time.Duration // the longest attempt; 12 min
	Decoys       int           // orders for unknown members that a round has worked on all the same; 16, below 0 none
	Batch        int           // orders in our hands at most; 512
	Parallel     int           // mails sent at once; 16
	Slow         time.Duration // attempts this old make their domain a slow one; 5 s
	Grace        time.Duration // time for mails being sent when the worker stops; 30 s
	QueueTimeout time.Duration // for one round; 5 s
	GiveUp       time.Duration // for orders that don't expire, from their making; 72 h
	Retry        Backoff       // of one order; 30 s to 1 h
	Pause        Backoff       // of the whole queue; 5 s to 5 min

	// Crowded reports whether callers wait for the processor. While they do, at
	// most 100 mails are begun a second: a large backlog leaves them room. It may
	// be nil.
	Crowded func() bool

	// Hook is called before-round and after-round, and for each order after-claim,
	// after-250 and after-settle, for tests that crash there. It may be nil.
	Hook func(point string)
}

func (c *Config) setDefaults() {
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Beat = cmp.Or(c.Beat, 50*time.Millisecond)
	c.Poll = cmp.Or(c.Poll, time.Second)
	c.Lease = cmp.Or(c.Lease, time.Minute)
	c.Attempt = cmp.Or(c.Attempt, 12*time.Minute)
	c.Batch = cmp.Or(c.Batch, 512)
	c.Decoys = max(cmp.Or(c.Decoys, 16), 0)
	c.Parallel = cmp.Or(c.Parallel, 16)
	c.Slow = cmp.Or(c.Slow, 5*time.Second)
	c.Grace = cmp.Or(c.Grace, 30*time.Second)
	c.QueueTimeout = cmp.Or(c.QueueTimeout, 5*time.Second)
	c.GiveUp = cmp.Or(c.GiveUp, 72*time.Hour)
	c.Retry.First = cmp.Or(c.Retry.First, 30*time.Second)
	c.Retry.Max = cmp.Or(c.Retry.Max, time.Hour)
	c.Pause.First = cmp.Or(c.Pause.First, 5*time.Second)
	c.Pause.Max = cmp.Or(c.Pause.Max, 5*time.Minute)
}

// check reports every fault of the configuration at once.
func (c *Config) check() error {
	var faults []error
	fault := func(wrong bool, text string) {
		if wrong {
			faults = append(faults, errors.New("mail worker: "+text))
		}
	}
	fault(c.Queue == nil || c.Composer == nil || c.Sender == nil, "queue, composer and sender are needed")
	fault(c.Now == nil, "a clock is needed")
	fault(c.Name == "", "a name is needed")
	fault(c.Lease < 4*c.Beat, "a lease must be at least four times the beat")
	fault(min(c.Parallel, c.Batch) < 0, "numbers must be positive")
	fault(min(c.Spread, c.Beat, c.Poll, c.Attempt, c.Slow, c.Grace, c.QueueTimeout, c.GiveUp) < 0, "durations must be positive")
	fault(min(c.Retry.First, c.Pause.First) < 0, "back-off must be positive")
	fault(c.Retry.Max < c.Retry.First || c.Pause.Max < c.Pause.First, "back-off must not shrink")
	return errors.Join(faults...)
}

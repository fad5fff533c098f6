package mail

import (
	"cmp"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

func (c *Config) setDefaults() {
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Lease = cmp.Or(c.Lease, 15*time.Minute)
	c.Attempt = cmp.Or(c.Attempt, c.Lease/5*4)
	c.Parallel = cmp.Or(c.Parallel, 4)
	c.Batch = min(cmp.Or(c.Batch, c.Parallel), c.Parallel)
	c.Poll = cmp.Or(c.Poll, time.Second)
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
	fault(c.Attempt >= c.Lease, "an attempt must be shorter than the lease")
	fault(c.Parallel < 0 || c.Batch < 0, "numbers must be positive")
	fault(min(c.Lease, c.Attempt, c.Poll, c.Grace, c.QueueTimeout, c.GiveUp) < 0, "durations must be positive")
	fault(min(c.Retry.First, c.Pause.First) < 0, "back-off must be positive")
	fault(c.Retry.Max < c.Retry.First || c.Pause.Max < c.Pause.First, "back-off must not shrink")
	return errors.Join(faults...)
}

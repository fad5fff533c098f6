package testserver

import (
	"sync"
	"time"
)

// Clock is what a test server takes for the time: the machine's, moved by an
// offset, or a time that stands still.
type Clock struct {
	mu      sync.Mutex
	machine func() time.Time
	offset  time.Duration
	stopped bool
	at      time.Time // while stopped
}

// NewClock returns a clock that goes with the real one.
func NewClock(machine func() time.Time) *Clock { return &Clock{machine: machine} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.stopped {
		return c.at
	}
	return c.machine().Add(c.offset)
}

// Set moves the clock to a time.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.offset = t, t.Sub(c.machine())
}

// Advance moves the clock forward, or back if by is negative.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.offset = c.at.Add(by), c.offset+by
}

// Stop keeps the clock at the time it shows.
func (c *Clock) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.stopped = c.now(), true
}

// Start lets the clock go on from the time it shows.
func (c *Clock) Start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		c.offset, c.stopped = c.at.Sub(c.machine()), false
	}
}

// Reset returns to the machine's time.
func (c *Clock) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.stopped = 0, false
}

// Stopped reports whether the clock stands.
func (c *Clock) Stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}

package mail

import (
	"sync"
	"time"
)

// Status is how the worker is doing, for health checks.
type Status struct {
	Paused    bool      // the queue rests, since the last failure was ours
	Until     time.Time // when one mail is tried again; zero if not paused
	Reason    string    // why it is paused
	QueueDown string    // why orders can't be claimed; empty if they can
	Held      int       // orders in hand, those being sent included
	Sending   int       // mails being sent
	LastSent  time.Time // zero: none yet
}

// pause is the rest of the whole queue (MAI-10). It ends by itself, for one
// mail as a probe, and altogether with the first mail that gets through.
type pause struct {
	backoff Backoff

	mu       sync.Mutex
	failures int // in a row; 0: not paused
	until    time.Time
	reason   string
	lastSent time.Time
}

// fail begins or prolongs the rest and returns its end. Failures that come in
// while it lasts were begun before it and tell nothing new.
func (p *pause) fail(now time.Time, reason string, chance float64) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failures > 0 && now.Before(p.until) {
		return p.until
	}
	p.until = now.Add(p.backoff.Delay(p.failures, chance))
	p.reason = reason
	p.failures++
	return p.until
}

// succeed ends the rest. A mail that the server took or refused for its own
// sake proves that the way to the server is open.
func (p *pause) succeed(now time.Time, sent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures, p.until, p.reason = 0, time.Time{}, ""
	if sent {
		p.lastSent = now
	}
}

// wait returns how long the rest still lasts. A clock that is set back does not
// make it longer than it may be: its end comes nearer then.
func (p *pause) wait(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failures == 0 {
		return 0
	}
	if p.until.Sub(now) > p.backoff.Max {
		p.until = now.Add(p.backoff.Max)
	}
	return max(p.until.Sub(now), 0)
}

// probing reports whether the next mail is sent alone, to see whether it goes.
func (p *pause) probing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures > 0
}

func (p *pause) status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Status{Paused: p.failures > 0, Until: p.until, Reason: p.reason, LastSent: p.lastSent}
}

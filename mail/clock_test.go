package mail

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// leap is a clock that can be put forward and back. Its times have no monotonic
// reading, as where they were stored.
type leap struct{ ahead atomic.Int64 }

func (l *leap) now() time.Time { return time.Now().Add(time.Duration(l.ahead.Load())).Round(0) }

func (l *leap) put(ahead time.Duration) { l.ahead.Store(int64(ahead)) }

// leaps are what a clock may be off by.
var leaps = map[string]time.Duration{
	"an hour ahead": time.Hour, "an hour behind": -time.Hour,
	"a day ahead": 24 * time.Hour, "a day behind": -24 * time.Hour,
}

// FLT-11: the clock jumps while the queue rests. It rests no longer for that
// than it may, and the mail server isn't stormed.
func TestFLT11_PauseEndsWhereverTheClockJumps(t *testing.T) {
	for name, by := range leaps {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var clock leap
				b := newBench(t, func(c *Config) { c.Now = clock.now })
				var back atomic.Bool
				b.sender.answer = func(context.Context, *Message) error {
					if back.Load() {
						return nil
					}
					return ourFault()
				}
				b.queue.add(t, 20, 100*time.Hour)
				b.run(t)
				pass(t, 30*time.Minute)
				before := b.sender.count()
				clock.put(by)
				pass(t, 31*time.Minute)
				if n := b.sender.count() - before; n < 1 || n > 16 { // one every five minutes
					t.Errorf("%d attempts in the half hour after the jump", n)
				}
				clock.put(0)
				back.Store(true)
				pass(t, time.Hour+6*time.Minute) // due when the clock was ahead, some may have waited for the longest time
				if n := b.queue.count(Sent); n != 20 || b.worker.Status().Paused {
					t.Errorf("%d sent, status %+v", n, b.worker.Status())
				}
			})
		})
	}
}

// FLT-11: an order that was put off by a clock that was ahead is tried when its
// longest wait is over by the right one, and once at a time.
func TestFLT11_RetryComesWhereverTheClockJumps(t *testing.T) {
	for name, by := range leaps {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var clock leap
				clock.put(by)
				b := newBench(t, func(c *Config) { c.Now = clock.now })
				b.sender.answer = func(context.Context, *Message) error { return temporary("later") }
				id := b.queue.add(t, 1, 100*time.Hour)[0]
				b.queue.rows[id].due = clock.now()
				b.run(t)
				pass(t, time.Minute)
				clock.put(0)
				before := b.sender.count()
				pass(t, time.Hour+2*time.Minute)
				if n := b.sender.count() - before; n < 1 || n > 10 {
					t.Errorf("%d attempts in the hour after the jump", n)
				}
				if o := b.queue.order(id); o.state != Pending {
					t.Errorf("order is %s: %s", o.state, o.reason)
				}
			})
		})
	}
}

// FLT-11: a worker dies while its clock is ahead. When the clock is right again
// its mails wait no longer than for any lease, and not for the time it was off by.
func TestFLT11_RescueComesWhereverTheClockWas(t *testing.T) {
	for name, by := range leaps {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				id := b.queue.add(t, 1, 12*time.Hour)[0]
				b.queue.rows[id].due = time.Now().Add(by)
				ahead := time.Now().Add(by)
				dead := Round{Worker: "dead", Now: ahead, Lease: time.Minute, Latest: ahead.Add(time.Hour), Claim: 1}
				if claimed, err := b.queue.Round(t.Context(), dead); err != nil || len(claimed) != 1 {
					t.Fatal(claimed, err)
				}
				b.run(t)
				pass(t, 2*time.Minute)
				if o := b.queue.order(id); o.state != Sent {
					t.Errorf("order is %s, its lease ends in %v", o.state, time.Until(o.lease))
				}
			})
		})
	}
}

// FLT-11: the clock jumps while a mail is being sent. The attempt's end is
// measured by time that goes by alone, and its outcome is recorded.
func TestFLT11_AttemptEndsWhereverTheClockJumps(t *testing.T) {
	for name, by := range leaps {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var clock leap
				b := newBench(t, func(c *Config) { c.Now = clock.now })
				var took time.Duration
				b.sender.answer = func(ctx context.Context, _ *Message) error {
					if took > 0 {
						return nil
					}
					began := time.Now()
					clock.put(by)
					<-ctx.Done()
					took = time.Since(began)
					return ctx.Err()
				}
				id := b.queue.add(t, 1, 100*time.Hour)[0]
				b.run(t)
				pass(t, 13*time.Minute)
				if took != 12*time.Minute {
					t.Errorf("the attempt ended after %v", took)
				}
				pass(t, 2*time.Minute)
				if o := b.queue.order(id); o.state != Sent || b.sender.count() != 2 {
					t.Errorf("order is %s after %d attempts: %s", o.state, o.order.Attempts, o.reason)
				}
			})
		})
	}
}

// FLT-8: the mail server is away for an hour and comes back. What is still
// alive is sent, oldest first and within minutes; what expired meanwhile is
// given up with that reason, and never sent.
func TestFLT8_MailServerAwayForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Parallel = 1 })
		var back atomic.Bool
		var sent []ID
		b.sender.answer = func(_ context.Context, m *Message) error {
			if !back.Load() {
				return &Error{Class: classify(StageConnect), Stage: StageConnect, Text: "connection refused", cause: errors.New("refused")}
			}
			sent = append(sent, m.ID)
			return nil
		}
		b.run(t)
		var alive, expiring []ID
		for range 6 {
			alive = append(alive, b.queue.add(t, 10, 12*time.Hour)...)
			expiring = append(expiring, b.queue.add(t, 2, 5*time.Minute)...)
			pass(t, 10*time.Minute)
		}
		back.Store(true)
		pass(t, 6*time.Minute)
		if len(sent) != len(alive) {
			t.Fatalf("%d sent, want %d", len(sent), len(alive))
		}
		for i, id := range alive {
			if sent[i] != id {
				t.Fatalf("the %d. is not the oldest", i+1)
			}
		}
		for _, id := range expiring {
			if o := b.queue.order(id); o.state != Dead || o.reason != "expired" {
				t.Errorf("the expired one is %s: %s", o.state, o.reason)
			}
		}
		if n := b.logged("reason=expired"); n != len(expiring) {
			t.Errorf("%d expired are told of, want %d", n, len(expiring))
		}
	})
}

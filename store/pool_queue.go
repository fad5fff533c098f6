package store

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// poolQueue gives out a pool's connections in the order in which callers asked.
// database/sql picks any of those that wait, so that under load some would wait
// several times as long as most.
type poolQueue struct {
	places  *semaphore.Weighted
	backlog *backlog
}

func newPoolQueue(connections int, now func() time.Time) poolQueue {
	return poolQueue{semaphore.NewWeighted(int64(connections)), &backlog{now: now}}
}

// acquire waits for a place; a free one is given at once.
func (q poolQueue) acquire(ctx context.Context) error {
	if q.places.TryAcquire(1) {
		return nil
	}
	q.backlog.join()
	err := q.places.Acquire(ctx, 1)
	q.backlog.leave(err == nil)
	return err
}

// acquire waits for a connection's place, which the caller has until release.
// Nobody waits, or goes on, while the breaker is open.
func (s *Store) acquire(ctx context.Context, q poolQueue) (release func(), err error) {
	if err := s.available(ctx); err != nil {
		return nil, err
	}
	if err := q.acquire(ctx); err != nil {
		return nil, err
	}
	if err := s.available(ctx); err != nil {
		q.places.Release(1)
		return nil, err
	}
	return func() { q.places.Release(1) }, nil
}

// minBacklog is how many may wait before it counts as overload, however slow the
// disk is: they get their connection, or their time runs out.
const minBacklog = 32

// Wait estimates how long a new request would wait for a connection or for its
// insert: 0 if few wait. It is cheap enough to be asked before every request.
func (s *Store) Wait() time.Duration {
	return max(s.readQueue.backlog.waitEstimate(), s.writeQueue.backlog.waitEstimate(), s.orders.backlog.waitEstimate())
}

// backlog measures those who wait.
type backlog struct {
	now func() time.Time

	mu      sync.Mutex
	waiting int
	last    time.Time     // when somebody was served last, or the first began to wait
	each    time.Duration // from one to the next, averaged
}

// smoothing is about how many of those served the average goes back.
const smoothing = 16

func (b *backlog) join() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == 0 {
		b.last = b.now()
	}
	b.waiting++
}

func (b *backlog) leave(served bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
	if !served {
		return
	}
	now := b.now()
	since := max(now.Sub(b.last), 0) // a clock set back tells nothing
	b.last = now
	if b.each == 0 {
		b.each = since
	}
	b.each += (since - b.each) / smoothing
}

// waitEstimate is the time of all who wait, and how long the next one is overdue.
func (b *backlog) waitEstimate() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting < minBacklog {
		return 0
	}
	overdue := max(b.now().Sub(b.last)-b.each, 0)
	return time.Duration(b.waiting)*b.each + overdue
}

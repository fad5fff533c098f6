package store

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// turns lets callers to a pool's connections in the order in which they came.
// database/sql lets any of those go first that wait, so that under load some
// would wait several times as long as most.
type turns struct {
	places *semaphore.Weighted
	queue  *queue
}

func newTurns(connections int, now func() time.Time) turns {
	return turns{semaphore.NewWeighted(int64(connections)), &queue{now: now}}
}

// take waits for a turn; free ones are given at once.
func (t turns) take(ctx context.Context) error {
	if t.places.TryAcquire(1) {
		return nil
	}
	t.queue.join()
	err := t.places.Acquire(ctx, 1)
	t.queue.leave(err == nil)
	return err
}

// await waits for the caller's turn, which lasts until it calls done. Nobody
// waits, or goes on, while the gate is closed.
func (s *Store) await(ctx context.Context, t turns) (done func(), err error) {
	if err := s.pass(ctx); err != nil {
		return nil, err
	}
	if err := t.take(ctx); err != nil {
		return nil, err
	}
	if err := s.pass(ctx); err != nil {
		t.places.Release(1)
		return nil, err
	}
	return func() { t.places.Release(1) }, nil
}

// few is how many may wait without its being an overload, however slow the disk:
// they get their turn, or their time runs out.
const few = 32

// Wait estimates how long a newcomer would wait for a connection: 0 where
// but few wait. It is cheap enough to be asked before every request.
func (s *Store) Wait() time.Duration {
	return max(s.readTurns.queue.wait(), s.writeTurns.queue.wait())
}

// queue measures those who wait for their turn.
type queue struct {
	now func() time.Time

	mu      sync.Mutex
	waiting int
	last    time.Time     // when a turn came last, or the first began to wait
	each    time.Duration // from turn to turn, averaged
}

// smoothing is how many turns the average goes back, about.
const smoothing = 16

func (q *queue) join() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == 0 {
		q.last = q.now()
	}
	q.waiting++
}

func (q *queue) leave(turnCame bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting--
	if !turnCame {
		return
	}
	now := q.now()
	since := max(now.Sub(q.last), 0) // a clock set back tells nothing
	q.last = now
	if q.each == 0 {
		q.each = since
	}
	q.each += (since - q.each) / smoothing
}

// wait is the turns before a newcomer's, and how long the next one is overdue.
func (q *queue) wait() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting < few {
		return 0
	}
	overdue := max(q.now().Sub(q.last)-q.each, 0)
	return time.Duration(q.waiting)*q.each + overdue
}

package store

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// turns lets callers to a pool's connections in the order in which they came.
// database/sql lets any of those go first that wait, so that under load some
// would wait several times as long as most.
type turns struct{ places *semaphore.Weighted }

func newTurns(connections int) turns {
	return turns{semaphore.NewWeighted(int64(connections))}
}

// await waits for the caller's turn, which lasts until it calls done. Nobody
// waits, or goes on, while the gate is closed.
func (s *Store) await(ctx context.Context, t turns) (done func(), err error) {
	if err := s.pass(ctx); err != nil {
		return nil, err
	}
	if err := t.places.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	if err := s.pass(ctx); err != nil {
		t.places.Release(1)
		return nil, err
	}
	return func() { t.places.Release(1) }, nil
}

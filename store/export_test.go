package store

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
)

// CausalReads reports whether a session's reads are causal.
func (s *Store) CausalReads(ctx context.Context) (bool, error) {
	found := map[string]string{}
	err := s.settings(ctx, sessionSettings, found)
	return found["wsrep_sync_wait"] == "1", err
}

// Lease waits for the lease of a cluster on a connection and returns what ends it.
func Lease(ctx context.Context, conn *sql.Conn, holder string) (end func(context.Context) error, err error) {
	l := clusterLease{holder}
	return func(ctx context.Context) error { return l.end(ctx, conn) }, l.take(ctx, conn)
}

// TakeAllConnections takes the turns at all connections until the returned function is called.
func (s *Store) TakeAllConnections(ctx context.Context) (leave func(), err error) {
	n := s.conns
	if !s.mysql {
		n = sqliteReaders
		if err := s.writeQueue.places.Acquire(ctx, 1); err != nil {
			return nil, err
		}
	}
	if err := s.readQueue.places.Acquire(ctx, int64(n)); err != nil {
		return nil, err
	}
	return func() {
		s.readQueue.places.Release(int64(n))
		if !s.mysql {
			s.writeQueue.places.Release(1)
		}
	}, nil
}

// LimitPages limits SQLite's file to so many pages, or to those that it has.
func (s *Store) LimitPages(ctx context.Context, n int) error {
	_, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n))
	return err
}

// AwaitOrders returns once at least n orders wait to be inserted.
func (s *Store) AwaitOrders(n int) {
	for {
		s.orders.mu.Lock()
		waiting := len(s.orders.waiting)
		s.orders.mu.Unlock()
		if waiting >= n {
			return
		}
		runtime.Gosched()
	}
}

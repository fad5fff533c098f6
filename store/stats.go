package store

import (
	"context"
	"database/sql"
	"time"
)

// PoolStats are the state of the connections: of MySQL's one pool, or of
// SQLite's readers.
func (s *Store) PoolStats() sql.DBStats { return s.read.Stats() }

const oldestDue statement = `SELECT MIN(o.due_at) FROM mails AS o WHERE o.state IN ('new', 'pending')`

// OldestDue returns when the mail that waits longest was due, the zero
// time if none waits.
func (s *Store) OldestDue(ctx context.Context) (time.Time, error) {
	var due time.Time
	err := s.row(ctx, oldestDue, nil, scanTime{&due})
	return due, s.fail("oldest mail", err)
}

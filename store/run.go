package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/reseed-project/reseed/wait"
)

// statement is the text of an SQL statement. Only constants are given for one,
// which a test holds: no SQL is built from input.
type statement string

// tries is how often a transaction is run at most when others get in its way.
const tries = 5

// errUndo rolls a transaction back without being a failure.
var errUndo = errors.New("undone")

type prepared struct {
	on   *sql.DB
	text statement
}

// stmt returns the kept prepared statement of a text. It prepares outside the
// lock, since that may wait for the one connection that writes.
func (s *Store) stmt(ctx context.Context, on *sql.DB, q statement) (*sql.Stmt, error) {
	s.mu.Lock()
	st, ok := s.stmts[prepared{on, q}]
	s.mu.Unlock()
	if ok {
		return st, nil
	}
	st, err := on.PrepareContext(ctx, string(q))
	if err != nil {
		return nil, err
	}
	return s.keep(prepared{on, q}, st), nil
}

// keep returns the statement that was kept first for p.
func (s *Store) keep(p prepared, st *sql.Stmt) *sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, ok := s.stmts[p]; ok {
		st.Close()
		return first
	}
	s.stmts[p] = st
	return st
}

// query runs a statement that reads.
func (s *Store) query(ctx context.Context, q statement, args ...any) (rows *sql.Rows, err error) {
	release, err := s.acquire(ctx, s.readQueue)
	if err != nil {
		return nil, err
	}
	defer release() // by then the rows have their connection
	s.trace(string(q))
	err = untilUnlocked(ctx, func() error {
		st, err := s.stmt(ctx, s.read, q) //nolint:sqlclosecheck // kept for the next time
		if err == nil {
			rows, err = st.QueryContext(ctx, args...) //nolint:sqlclosecheck,rowserrcheck // the caller closes and asks
		}
		if notPrepared(err) {
			rows, err = s.read.QueryContext(ctx, string(q), args...) //nolint:sqlclosecheck,rowserrcheck // the caller closes and asks
		}
		return err
	})
	return rows, err
}

// row runs a statement that reads one row; sql.ErrNoRows if there is none.
func (s *Store) row(ctx context.Context, q statement, args []any, dest ...any) error {
	rows, err := s.query(ctx, q, args...)
	if err != nil {
		return err
	}
	return one(rows, dest)
}

// exec runs a statement that writes, by itself, and returns how many rows
// matched it.
func (s *Store) exec(ctx context.Context, q statement, args ...any) (n int64, err error) {
	err = retry(ctx, func() error {
		s.trace(string(q))
		n, err = affected(s.execOnce(ctx, q, args))
		return err
	})
	return n, err
}

func (s *Store) execOnce(ctx context.Context, q statement, args []any) (sql.Result, error) {
	release, err := s.acquire(ctx, s.writeQueue)
	if err != nil {
		return nil, err
	}
	defer release()
	return s.execNow(ctx, q, args)
}

// execNow is execOnce for a caller that has acquired a connection.
func (s *Store) execNow(ctx context.Context, q statement, args []any) (r sql.Result, err error) {
	err = untilUnlocked(ctx, func() error {
		st, err := s.stmt(ctx, s.write, q) //nolint:sqlclosecheck // kept for the next time
		if err == nil {
			r, err = st.ExecContext(ctx, args...)
		}
		if notPrepared(err) {
			r, err = s.write.ExecContext(ctx, string(q), args...)
		}
		return err
	})
	return r, err
}

// tx is a transaction under way.
type tx struct {
	*Store
	sql  *sql.Tx
	kept map[statement]*sql.Stmt
}

// query runs a statement that reads.
func (t tx) query(ctx context.Context, q statement, args ...any) (*sql.Rows, error) {
	t.trace(string(q))
	return t.sql.QueryContext(ctx, string(q), args...)
}

// row runs a statement that reads one row; sql.ErrNoRows if there is none.
func (t tx) row(ctx context.Context, q statement, args []any, dest ...any) error {
	rows, err := t.query(ctx, q, args...)
	if err != nil {
		return err
	}
	return one(rows, dest)
}

// exec runs a statement that writes and returns how many rows matched it.
func (t tx) exec(ctx context.Context, q statement, args ...any) (int64, error) {
	t.trace(string(q))
	return affected(t.sql.ExecContext(ctx, string(q), args...))
}

// execKept runs a statement that on SQLite is kept prepared for the rest of the
// transaction; it ends with it. The driver starts a goroutine for each statement
// that may be interrupted: one of a row is soon over, so that it needs none.
func (t tx) execKept(ctx context.Context, q statement, args []any) (r sql.Result, err error) {
	if t.mysql {
		return t.sql.ExecContext(ctx, string(q), args...)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	st, ok := t.kept[q]
	if !ok {
		if st, err = t.sql.PrepareContext(ctx, string(q)); err != nil {
			return nil, err
		}
		t.kept[q] = st
	}
	return st.ExecContext(context.WithoutCancel(ctx), args...)
}

// insert runs a statement that adds a row and returns the id it got.
func (t tx) insert(ctx context.Context, q statement, args ...any) (int64, error) {
	t.trace(string(q))
	r, err := t.execKept(ctx, q, args)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// inTx runs fn in a transaction: all of it or, if fn fails, nothing. After
// a deadlock it is run again from its start, so fn must set its results anew.
// fn may return errUndo, which comes back as it is.
func (s *Store) inTx(ctx context.Context, fn func(tx) error) error {
	return retry(ctx, func() error {
		release, err := s.acquire(ctx, s.writeQueue)
		if err != nil {
			return err
		}
		defer release()
		t, err := s.begin(ctx)
		if err != nil {
			return err
		}
		if err := fn(tx{s, t, map[statement]*sql.Stmt{}}); err != nil {
			s.trace("ROLLBACK")
			return rollback(t, outOfTime(ctx, err))
		}
		s.trace("COMMIT")
		return committed(nameless(outOfTime(ctx, t.Commit())))
	})
}

// begin starts a transaction, which on SQLite holds the write lock.
func (s *Store) begin(ctx context.Context) (t *sql.Tx, err error) {
	s.trace("BEGIN")
	err = untilUnlocked(ctx, func() error {
		t, err = s.write.BeginTx(ctx, nil)
		return err
	})
	return t, err
}

// lockTimeout is how long a call without a deadline waits for SQLite's lock.
const lockTimeout = 10 * time.Second

// untilUnlocked repeats fn while another process locks the SQLite file, as long
// as ctx lasts: SQLite's own wait can't be ended, and so is short.
func untilUnlocked(ctx context.Context, fn func() error) error {
	err := fn()
	if !sqliteBusy(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for sqliteBusy(err) && pause(ctx, 1) == nil {
		err = fn()
	}
	return err
}

// outOfTime gives the context's error for the one that database/sql has where it
// rolled a transaction back itself, because its time was over.
func outOfTime(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return fmt.Errorf("transaction: %w", ctx.Err())
	}
	return err
}

// rollback undoes t. What it returns is why; the connection of a roll-back
// that fails is closed by database/sql, and the server then undoes it.
func rollback(t *sql.Tx, why error) error {
	_ = t.Rollback()
	return why
}

func committed(err error) error {
	if err != nil && unsettled(err) {
		return fmt.Errorf("commit: %w: %w", ErrAmbiguous, err)
	}
	return err
}

// retry runs fn again while other transactions get in its way.
func retry(ctx context.Context, fn func() error) error {
	for try := 1; ; try++ {
		err := fn()
		if try == tries || !again(err) || pause(ctx, try) != nil {
			return err
		}
	}
}

// pause waits a random time that grows with the tries, so that two
// transactions that met do not meet again.
func pause(ctx context.Context, try int) error {
	longest := time.Duration(try) * 20 * time.Millisecond
	return wait.For(ctx, time.Millisecond+rand.N(longest)) //nolint:gosec // nothing depends on its being secret
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// one scans the first row and ends rows.
func one(rows *sql.Rows, dest []any) error {
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return rows.Close()
}

// collect scans every row to where dest says that the columns of a value go, and
// ends rows.
func collect[T any](rows *sql.Rows, dest func(*T) []any) (list []T, err error) {
	err = each(rows, func(r *sql.Rows) error {
		var value T
		if err := r.Scan(dest(&value)...); err != nil {
			return err
		}
		list = append(list, value)
		return nil
	})
	return list, err
}

// each scans every row by scan and ends rows.
func each(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// fileLock keeps two programs from migrating one SQLite file at once. The
// migrations have transactions of their own, so one on the file itself can't
// span them; one on an empty file beside it can, and the system ends it if the
// program dies. That file stays.
type fileLock struct {
	path string
	db   *sql.DB
	held *sql.Conn
}

const exclusive statement = `BEGIN EXCLUSIVE`

// SessionLock waits for the lock, in short turns so that ctx can end it.
func (l *fileLock) SessionLock(ctx context.Context, _ *sql.Conn) (err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	path := l.path + "-migrating"
	if err := makePrivate(path); err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	if l.db, err = sql.Open("sqlite", sqliteURI(path, "_pragma=busy_timeout(200)")); err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	// The lock outlives this call and so must not be bound to its context.
	if l.held, err = l.db.Conn(context.WithoutCancel(ctx)); err != nil {
		l.db.Close()
		return fmt.Errorf("migration lock: %w", err)
	}
	if err := l.wait(ctx); err != nil {
		l.close()
		return fmt.Errorf("wait for migration lock: %w", err)
	}
	return nil
}

func (l *fileLock) wait(ctx context.Context) error {
	for {
		_, err := l.held.ExecContext(ctx, string(exclusive))
		if !sqliteBusy(err) {
			return err
		}
		if err := pause(ctx, tries); err != nil {
			return err
		}
	}
}

// SessionUnlock gives the lock back.
func (l *fileLock) SessionUnlock(context.Context, *sql.Conn) error {
	l.close()
	return nil
}

// close ends the connection and with it the lock.
func (l *fileLock) close() {
	l.held.Close()
	l.db.Close()
}

func sqliteBusy(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}

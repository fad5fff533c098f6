package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqliteReaders is how many connections read at once beside the one that writes.
const sqliteReaders = 8

// busy_timeout stands first so that it covers the change to WAL, too. It is short
// since nothing ends that wait: untilUnlocked repeats it. secure_delete overwrites
// what is deleted with zeros: an erased member must not be left in free pages.
const (
	sqliteCommon = "_pragma=busy_timeout(100)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	sqliteWriter = sqliteCommon + "&_pragma=secure_delete(1)&_txlock=immediate"
	sqliteReader = sqliteCommon + "&_pragma=query_only(1)"
	sqliteViewer = "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)"
)

func (s *Store) openSQLite(ctx context.Context, c Config) error {
	path, reader, writer := c.Path, sqliteReader, sqliteWriter
	if path == "" {
		return errors.New("open database: neither a file nor a server is named")
	}
	if c.ReadOnly {
		reader, writer = sqliteViewer, sqliteViewer
	} else if err := makePrivate(path); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	s.path = path
	var err error
	if s.write, err = sql.Open("sqlite", sqliteURI(path, writer)); err != nil {
		return s.fail("open database", err)
	}
	s.write.SetMaxOpenConns(1)
	s.readQueue, s.writeQueue = newPoolQueue(sqliteReaders, s.now), newPoolQueue(1, s.now)
	if s.read, err = sql.Open("sqlite", sqliteURI(path, reader)); err != nil {
		return s.fail("open database", err)
	}
	s.read.SetMaxOpenConns(sqliteReaders)
	s.read.SetMaxIdleConns(sqliteReaders)
	s.read.SetConnMaxIdleTime(5 * time.Minute)
	s.prober = func() (*sql.DB, error) { return sql.Open("sqlite", sqliteURI(path, sqliteReader)) }
	s.migrator = func() (*sql.DB, error) { return sql.Open("sqlite", sqliteURI(path, sqliteWriter)) }
	if err := s.Ping(ctx); err != nil {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	if s.file, err = os.Stat(path); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	return nil
}

// makePrivate makes the file before SQLite would, which leaves it to the umask.
// The journal files take over its mode.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteURI escapes what a path may hold and a URI gives a meaning to.
func sqliteURI(path, query string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	return "file:" + u.EscapedPath() + "?" + query
}

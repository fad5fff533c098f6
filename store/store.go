// Package store keeps members, groups and mail orders in SQLite or in a
// database that speaks MySQL's protocol. It holds every SQL statement.
//
// An error of a Store wraps errcodes.Unavailable if the database can't be
// reached, is busy or takes no writes just now; any other error is a fault.
package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

// Config says where the data is and what the store needs besides.
type Config struct {
	// Path is the SQLite file, used where DSN is empty. It is made where
	// there is none, readable by its owner alone.
	Path string
	// DSN is a MySQL or MariaDB database: mysql://user:password@host:port/name?params,
	// mysql://user@/name?socket=/path, or a go-sql-driver DSN. It holds a
	// password, so no error repeats any of it.
	DSN string
	// ReadOnly opens the SQLite file so that nothing can be written; it must be
	// there. On a server it changes nothing.
	ReadOnly bool
	// MaxConns limits the open connections to MySQL; 0: 25.
	MaxConns int
	// Now is the machine's clock; required.
	Now func() time.Time
	// Trace is called with the text of each statement before it runs, and with
	// BEGIN, COMMIT and ROLLBACK. Values are not part of it. May be nil.
	Trace func(query string)
	// Failpoint is called before and after the commit of a batch of orders; for
	// tests that end the process there. May be nil.
	Failpoint func(point string)
}

// Store is the database. Its methods may be used by many goroutines.
type Store struct {
	read, write *sql.DB // the same pool on MySQL
	readQueue   poolQueue
	writeQueue  poolQueue // the same one on MySQL
	migrator    func() (*sql.DB, error)
	prober      func() (*sql.DB, error) // for Watch: short time-outs
	breaker     breaker
	conns       int // most connections to MySQL
	mysql       bool
	path        string      // of the SQLite file
	file        os.FileInfo // as it was opened
	clock       sharedClock
	now         func() time.Time // clock's
	trace       func(string)
	failpoint   func(string)
	orders      *orderWriter
	hookless    atomic.Bool // whether there was no webhook when it was last looked for one

	mu    sync.Mutex
	stmts map[prepared]*sql.Stmt // database/sql prepares them anew on each new connection
}

var (
	_ members.Store = (*Store)(nil)
	_ mail.Queue    = (*Store)(nil)
)

// Open returns the store that c describes. It makes the SQLite file, but does
// not wait for a MySQL server: Ping says whether that can be reached. The
// schema is Migrate's work.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{trace: c.Trace, stmts: map[prepared]*sql.Stmt{}}
	s.clock.machine, s.now = c.Now, s.clock.now
	s.breaker.recheck = make(chan struct{}, 1)
	if c.Now == nil {
		return nil, errors.New("store: a clock is needed")
	}
	if s.trace == nil {
		s.trace = func(string) {}
	}
	s.failpoint = c.Failpoint
	if s.failpoint == nil {
		s.failpoint = func(string) {}
	}
	s.orders = &orderWriter{store: s, backlog: &backlog{now: s.now}, limit: 1}
	if c.DSN != "" {
		s.orders.limit = mysqlWriters
		return s, s.openMySQL(c)
	}
	return s, s.openSQLite(ctx, c)
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	err := s.read.PingContext(ctx)
	if err == nil {
		err = s.write.PingContext(ctx)
	}
	return s.fail("ping", err)
}

// Close ends all connections. The store is of no use afterwards.
func (s *Store) Close() error {
	s.orders.close()
	s.mu.Lock()
	for _, stmt := range s.stmts {
		stmt.Close()
	}
	clear(s.stmts)
	s.mu.Unlock()
	return s.fail("close", errors.Join(parted(s.read.Close()), parted(s.write.Close())))
}

// parted returns nil if a connection could not be told to end since it had
// ended: a server that goes first is no failure of ours.
func parted(err error) error {
	if err != nil && disconnected(nameless(err)) {
		return nil
	}
	return err
}

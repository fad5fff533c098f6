package store

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/reseed-project/reseed/errcodes"
)

// breaker refuses calls at once while the database is known to be unavailable,
// so that callers don't pile up behind time-outs.
type breaker struct {
	blocked atomic.Bool           // by Block
	down    atomic.Pointer[error] // why Watch finds the database unavailable; nil: it is available
	recheck chan struct{}         // a call failed: probe now
}

var errBlocked = errors.New("the database is being prepared")

type bypassBreaker struct{}

// withoutBreaker marks the calls that find out whether the database is back, and prepare it.
func withoutBreaker(ctx context.Context) context.Context {
	return context.WithValue(ctx, bypassBreaker{}, true)
}

// available returns errcodes.Unavailable while the breaker is open.
func (s *Store) available(ctx context.Context) error {
	blocked, down := s.breaker.blocked.Load(), s.breaker.down.Load()
	if !blocked && down == nil || ctx.Value(bypassBreaker{}) != nil {
		return nil
	}
	if blocked {
		return errcodes.Wrap(errcodes.Unavailable, errBlocked)
	}
	return errcodes.Wrap(errcodes.Unavailable, *down)
}

// Block closes the store for all but Ping, Migrate, CheckSchema, SchemaVersion
// and Check until Unblock: calls fail with errcodes.Unavailable at once.
func (s *Store) Block() { s.breaker.blocked.Store(true) }

// Unblock ends a Block.
func (s *Store) Unblock() { s.breaker.blocked.Store(false) }

// Times of Watch. A probe that failed is repeated before it counts: neither a
// busy machine nor one broken link is an outage.
const (
	probeTimeout = 1500 * time.Millisecond
	probeEvery   = time.Second
	probeAgain   = 200 * time.Millisecond // while the database is unavailable
)

// Watch looks after the database on a connection of its own until ctx ends:
// every second, and at once when a call fails for want of it. While the database
// is unavailable all other calls fail with errcodes.Unavailable at once;
// when it is back they work within a second. Each change is reported: the
// error when it goes, nil when it comes back.
func (s *Store) Watch(ctx context.Context, changed func(error)) error {
	db, err := s.prober()
	if err != nil {
		return s.fail("watch database", err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for failures := 0; ctx.Err() == nil; {
		err := s.fail("probe", s.probe(ctx, db))
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && failures == 0 && s.breaker.down.Load() == nil {
			failures++
			continue
		}
		failures = 0
		s.setState(err, changed)
		s.idle(ctx, err != nil)
	}
	return nil
}

const probe statement = `SELECT 1`

func (s *Store) probe(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var n int
	return db.QueryRowContext(ctx, string(probe)).Scan(&n)
}

func timedOut(err error) bool {
	var link net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &link) && link.Timeout()
}

// setState opens or closes the breaker. Connections kept from before an outage are
// dropped, since nothing says that they still lead anywhere.
func (s *Store) setState(err error, changed func(error)) {
	wasDown := s.breaker.down.Load() != nil
	switch {
	case err != nil && !wasDown:
		s.breaker.down.Store(&err)
		changed(err)
	case err == nil && wasDown:
		s.dropIdle()
		s.breaker.down.Store(nil)
		changed(nil)
	}
}

func (s *Store) dropIdle() {
	if s.mysql {
		s.write.SetMaxIdleConns(-1)
		s.write.SetMaxIdleConns(s.conns)
	}
}

// idle waits for the next probe.
func (s *Store) idle(ctx context.Context, down bool) {
	every, recheck := probeEvery, s.breaker.recheck
	if down {
		every, recheck = probeAgain, nil
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-recheck:
	case <-ctx.Done():
	}
}

// recheckSoon has Watch look at once.
func (s *Store) recheckSoon() {
	select {
	case s.breaker.recheck <- struct{}{}:
	default:
	}
}

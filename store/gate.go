package store

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"reseed/errcodes"
)

// gate turns callers away at once while the database is known to be away, so
// that they don't pile up behind time-outs.
type gate struct {
	held  atomic.Bool           // by Hold
	away  atomic.Pointer[error] // why Watch finds the database away; nil: it is there
	doubt chan struct{}         // a call failed: look now
}

var errHeld = errors.New("the database is being prepared")

type throughGate struct{}

// ungated marks the calls that find out whether the database is back, and prepare it.
func ungated(ctx context.Context) context.Context { return context.WithValue(ctx, throughGate{}, true) }

// pass returns Unavailable where the gate is closed.
func (s *Store) pass(ctx context.Context) error {
	held, away := s.gate.held.Load(), s.gate.away.Load()
	if !held && away == nil || ctx.Value(throughGate{}) != nil {
		return nil
	}
	if held {
		return errcodes.Wrap(errcodes.Unavailable, errHeld)
	}
	return errcodes.Wrap(errcodes.Unavailable, *away)
}

// Hold closes the store for all but Ping, Migrate, CheckSchema, SchemaVersion
// and Check until Release: calls fail with errcodes.Unavailable at once.
func (s *Store) Hold() { s.gate.held.Store(true) }

// Release ends a Hold.
func (s *Store) Release() { s.gate.held.Store(false) }

// Times of Watch. A probe that failed is repeated before it counts: neither a
// busy machine nor one broken link is an outage.
const (
	probeTimeout = 1500 * time.Millisecond
	probeEvery   = time.Second
	probeAgain   = 200 * time.Millisecond // while the database is away
)

// Watch looks after the database on a connection of its own until ctx ends:
// every second, and at once when a call fails for want of it. While the
// database is away all other calls fail with errcodes.Unavailable at once;
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
		if err != nil && failures == 0 && s.gate.away.Load() == nil {
			failures++
			continue
		}
		failures = 0
		s.turn(err, changed)
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

// turn opens or closes the gate. Connections kept from before an outage are
// dropped, since nothing says that they still lead anywhere.
func (s *Store) turn(err error, changed func(error)) {
	wasAway := s.gate.away.Load() != nil
	switch {
	case err != nil && !wasAway:
		s.gate.away.Store(&err)
		changed(err)
	case err == nil && wasAway:
		s.dropIdle()
		s.gate.away.Store(nil)
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
func (s *Store) idle(ctx context.Context, away bool) {
	every, doubt := probeEvery, s.gate.doubt
	if away {
		every, doubt = probeAgain, nil
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-doubt:
	case <-ctx.Done():
	}
}

// suspect has Watch look at once.
func (s *Store) suspect() {
	select {
	case s.gate.doubt <- struct{}{}:
	default:
	}
}

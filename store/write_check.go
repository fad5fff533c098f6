package store

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/reseed-project/reseed/wait"
)

// Times of WatchWrites. A failure counts when it is repeated: a lock that another
// process holds for a moment is no outage.
const (
	writeCheckEvery   = 5 * time.Second
	writeCheckAgain   = time.Second
	writeCheckTimeout = 3 * time.Second
)

var errFileGone = errors.New("the database's file was removed or replaced")

// WatchWrites tries at intervals what a request needs, a small change, until ctx
// ends. Each change is reported: the error when the database takes no writes any
// more (its disk is full, it is read-only or locked by another process, its file
// is gone), nil when it takes them again.
func (s *Store) WatchWrites(ctx context.Context, changed func(error)) error {
	failures := 0
	for every := writeCheckEvery; ; {
		if wait.For(ctx, every) != nil {
			return nil
		}
		if s.available(ctx) != nil {
			continue // that is Watch's to report
		}
		err := s.CheckWrite(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil && failures > 1:
			changed(nil)
			fallthrough
		case err == nil:
			failures, every = 0, writeCheckEvery
		default:
			if failures++; failures == 2 {
				changed(err)
			}
			every = writeCheckAgain
		}
	}
}

// CheckWrite makes a small change and returns why that failed: it notes what time
// it is, for SyncClock.
func (s *Store) CheckWrite(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeCheckTimeout)
	defer cancel()
	if !s.mysql {
		if now, err := os.Stat(s.path); err != nil || !os.SameFile(s.file, now) {
			return s.fail("check writes", errors.Join(errFileGone, err))
		}
	}
	release, err := s.acquire(ctx, s.writeQueue)
	if err != nil {
		return s.fail("check writes", err)
	}
	defer release()
	now := s.at(s.now())
	_, err = s.execNow(ctx, noteTime, []any{now, now})
	if again(err) {
		return nil // another server's check met this one
	}
	return s.fail("check writes", err)
}

package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"reseed/errcodes"
	"reseed/store"
)

// fakeSchema answers with its errors one after the other, then well.
type fakeSchema struct {
	errs             []error
	migrated, looked int
}

func (f *fakeSchema) next() error {
	if len(f.errs) == 0 {
		return nil
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return err
}

func (f *fakeSchema) Migrate(context.Context) error     { f.migrated++; return f.next() }
func (f *fakeSchema) CheckSchema(context.Context) error { f.looked++; return f.next() }

func TestAwaitSchema(t *testing.T) {
	away, denied := errcodes.New(errcodes.Unavailable), errors.New("access denied")
	many := make([]error, 1000)
	for i := range many {
		many[i] = away
	}
	for name, c := range map[string]struct {
		errs    []error
		migrate string
		limit   time.Duration
		want    error
		tries   int
	}{
		"there":                          {nil, "auto", time.Minute, nil, 1},
		"away for a moment":              {[]error{away, away}, "auto", time.Minute, nil, 3},
		"refused":                        {[]error{denied}, "auto", time.Minute, denied, 1},
		"migrated by somebody meanwhile": {[]error{store.ErrOldSchema, away, store.ErrOldSchema}, "never", time.Minute, nil, 4},
		"never migrated":                 {[]error{store.ErrOldSchema, store.ErrOldSchema, store.ErrOldSchema, store.ErrOldSchema}, "never", 300 * time.Millisecond, store.ErrOldSchema, 4},
		"away too long":                  {many, "auto", 5 * time.Second, away, 10},
		"away, without a limit":          {many[:500], "auto", 0, nil, 501},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				f := &fakeSchema{errs: c.errs}
				err := awaitSchema(t.Context(), f, c.migrate, c.limit, slog.New(slog.NewTextHandler(&log, nil)))
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
					t.Errorf("err = %v, want %v", err, c.want)
				}
				tries := f.migrated + f.looked
				if tries != c.tries || c.migrate == "never" && f.migrated > 0 {
					t.Errorf("%d tries, want %d; %d migrations", tries, c.tries, f.migrated)
				}
				if n := strings.Count(log.String(), "waiting for the database"); n > 1 || (n == 1) != (c.tries > 1) {
					t.Errorf("the wait is logged %d times", n)
				}
			})
		})
	}
}

func TestAwaitSchemaStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		many := make([]error, 1000)
		for i := range many {
			many[i] = errcodes.New(errcodes.Unavailable)
		}
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		begin := time.Now()
		err := awaitSchema(ctx, &fakeSchema{errs: many}, "auto", 0, slog.New(slog.DiscardHandler))
		if err == nil || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

// fakeRows are deleted in bites of at most limit.
type fakeRows struct {
	world                *sync.Mutex
	left, biggest, calls int
	before               time.Time
	err                  error
}

func (f *fakeRows) purge(_ context.Context, before time.Time, limit int) (int, error) {
	f.world.Lock()
	defer f.world.Unlock()
	n := min(f.left, limit)
	f.left, f.biggest, f.before = f.left-n, max(f.biggest, n), before
	f.calls++
	return n, f.err
}

// Housekeeping purges each kind of old rows batch by batch, and goes on after a failure (LOG-6).
func TestHousekeeping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := &sync.Mutex{}
		old, few := &fakeRows{world: world, left: 3*purgeBatch + 7}, &fakeRows{world: world, left: 1}
		broken := &fakeRows{world: world, left: 9, err: errors.New("away")}
		counted := map[string]int{}
		h := &housekeeper{keep: 48 * time.Hour, now: time.Now, log: slog.New(slog.DiscardHandler),
			done: func(what string, n int) {
				world.Lock()
				defer world.Unlock()
				counted[what] += n
			},
			purges: []purge{{"broken", broken.purge}, {"old", old.purge}, {"few", few.purge}}}
		begin := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- h.Run(ctx) }()
		time.Sleep(purgeEvery / 2)
		synctest.Wait()
		world.Lock()
		if old.left != 0 || old.biggest != purgeBatch || old.calls != 4 {
			t.Errorf("%d rows left, up to %d at once, %d batches", old.left, old.biggest, old.calls)
		}
		if counted["old"] != 3*purgeBatch+7 || counted["few"] != 1 {
			t.Errorf("counted %v", counted)
		}
		if age := begin.Sub(few.before); age > 48*time.Hour || age < 48*time.Hour-time.Second {
			t.Errorf("purged what is %v old", age)
		}
		if broken.calls != 1 {
			t.Errorf("a purge that failed was repeated at once, %d times", broken.calls)
		}
		world.Unlock()
		time.Sleep(purgeEvery)
		synctest.Wait()
		world.Lock()
		if few.calls != 2 || broken.calls != 2 {
			t.Errorf("%d and %d calls after two rounds", few.calls, broken.calls)
		}
		world.Unlock()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		h.keep = 0
		if err := h.Run(t.Context()); err != nil || few.calls != 2 {
			t.Errorf("keep = 0 purges: %v", err)
		}
	})
}

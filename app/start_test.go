package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/store"
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
				err := waitForSchema(t.Context(), f, c.migrate, c.limit, slog.New(slog.NewTextHandler(&log, nil)))
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
		err := waitForSchema(ctx, &fakeSchema{errs: many}, "auto", 0, slog.New(slog.DiscardHandler))
		if err == nil || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

// fakeRows are deleted in bites of at most limit, each row in a time.
type fakeRows struct {
	world  *sync.Mutex
	left   int
	each   time.Duration
	limits []int // of the calls
	before time.Time
	err    error
}

func (f *fakeRows) purge(_ context.Context, before time.Time, limit int) (int, error) {
	f.world.Lock()
	n := min(f.left, limit)
	f.left, f.before = f.left-n, before
	f.limits = append(f.limits, limit)
	f.world.Unlock()
	time.Sleep(time.Duration(n) * f.each) // by the clock of the test's bubble
	return n, f.err
}

// Housekeeping purges each kind of old rows batch by batch, and goes on after a failure (LOG-6).
func TestHousekeeping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := &sync.Mutex{}
		old, few := &fakeRows{world: world, left: 3*purgeMost + 7}, &fakeRows{world: world, left: 1}
		slow := &fakeRows{world: world, left: 1000, each: 2 * time.Millisecond}
		broken := &fakeRows{world: world, left: 9, err: errors.New("away")}
		early := &fakeRows{world: world, left: 1}
		counted := map[string]int{}
		h := &housekeeper{keep: 48 * time.Hour, now: time.Now, log: slog.New(slog.DiscardHandler),
			done: func(what string, n int) {
				world.Lock()
				defer world.Unlock()
				counted[what] += n
			},
			purges: []purge{
				{"broken", broken.purge, nil}, {"old", old.purge, nil}, {"slow", slow.purge, nil}, {"few", few.purge, nil},
				{"early", early.purge, func() time.Duration { return time.Hour }},
			}}
		begin := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- h.Run(ctx) }()
		time.Sleep(purgeEvery / 2)
		synctest.Wait()
		world.Lock()
		if want := []int{50, 100, 200, 400, 500, 500}; old.left != 0 || !slices.Equal(old.limits, want) {
			t.Errorf("%d rows left, batches %v, want %v", old.left, old.limits, want)
		}
		if slow.left != 0 || slow.limits[0] != purgeFirst || slices.Max(slow.limits[1:]) > 25 {
			t.Errorf("%d rows left, batches %v although 25 rows take 50 ms", slow.left, slow.limits)
		}
		if counted["old"] != 3*purgeMost+7 || counted["few"] != 1 {
			t.Errorf("counted %v", counted)
		}
		if age := begin.Sub(few.before); age > 48*time.Hour || age < 48*time.Hour-time.Minute {
			t.Errorf("purged what is %v old", age)
		}
		if age := begin.Sub(early.before); age > time.Hour || age < 59*time.Minute {
			t.Errorf("of a kind with an age of its own, purged what is %v old", age)
		}
		if len(broken.limits) != 1 {
			t.Errorf("a purge that failed was repeated at once, with %v", broken.limits)
		}
		world.Unlock()
		time.Sleep(purgeEvery)
		synctest.Wait()
		world.Lock()
		if len(few.limits) != 2 || len(broken.limits) != 2 {
			t.Errorf("calls %v and %v in two rounds", few.limits, broken.limits)
		}
		world.Unlock()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		h.keep = 0
		ctx, stop = context.WithTimeout(t.Context(), purgeEvery/2)
		defer stop()
		if err := h.Run(ctx); err != nil || len(few.limits) != 2 || len(early.limits) != 3 {
			t.Errorf("keep = 0: calls %v and %v, %v; want 2 and, of a kind with an age of its own, 3", few.limits, early.limits, err)
		}
	})
}

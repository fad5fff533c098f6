package audit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
)

// eventBook is an event store that fails as it is told.
type eventBook struct {
	mu      sync.Mutex
	fails   []error // of the next calls
	batches []int
	stored  []members.Event
}

func (b *eventBook) AddEvents(_ context.Context, events []members.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.fails) > 0 {
		err := b.fails[0]
		b.fails = b.fails[1:]
		if err != nil {
			return err
		}
	}
	b.batches = append(b.batches, len(events))
	b.stored = append(b.stored, events...)
	return nil
}

func testAuditor(b *eventBook) *Recorder {
	return New(b, slog.New(slog.DiscardHandler), Maskers{})
}

// working starts an auditor and returns what stops it and waits.
func working(t *testing.T, a *Recorder) func() {
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	return func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestAuditorStoresInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &eventBook{}
		a := testAuditor(b)
		stop := working(t, a)
		for range auditBatch + 10 {
			a.Record(t.Context(), members.Event{At: time.Now(), Kind: members.SignedIn})
		}
		time.Sleep(2 * auditWait) // the bubble's time
		synctest.Wait()
		if diff := cmp.Diff([]int{auditBatch, 10}, b.batches); diff != "" {
			t.Error(diff)
		}
		a.Record(t.Context(), members.Event{At: time.Now(), Kind: members.SignedOut})
		stop()
		if len(b.stored) != auditBatch+11 || a.lost.Load() != 0 {
			t.Errorf("%d stored, %d lost: the last one must be stored before the end", len(b.stored), a.lost.Load())
		}
	})
}

// An outage loses nothing; a fault of ours loses the batch, and says so.
func TestAuditorAndFailures(t *testing.T) {
	away, fault := errcodes.New(errcodes.Unavailable), errors.New("no such table")
	for name, c := range map[string]struct {
		fails        []error
		stored, lost int
	}{
		"away for a while": {[]error{away, away, away}, 2, 0},
		"a fault":          {[]error{fault}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &eventBook{fails: c.fails}
				a := testAuditor(b)
				stop := working(t, a)
				a.Record(t.Context(), members.Event{At: time.Now()})
				time.Sleep(10 * auditRetry)
				a.Record(t.Context(), members.Event{At: time.Now()})
				time.Sleep(10 * auditRetry)
				stop()
				if len(b.stored) != c.stored || int(a.lost.Load()) != c.lost {
					t.Errorf("%d stored, %d lost, want %d and %d", len(b.stored), a.lost.Load(), c.stored, c.lost)
				}
			})
		})
	}
}

// However long the outage, the queue is bounded, and requests don't wait for it.
func TestAuditorIsBounded(t *testing.T) {
	var log bytes.Buffer
	a := New(&eventBook{}, slog.New(slog.NewTextHandler(&log, nil)), Maskers{})
	for range auditQueue + 100 {
		a.Record(t.Context(), members.Event{At: time.Now(), Kind: members.SignedIn})
	}
	if got := a.lost.Load(); got != 100 {
		t.Errorf("%d lost, want 100", got)
	}
	if n := strings.Count(log.String(), "kind=signed-in"); n != auditQueue+100 {
		t.Errorf("%d lines, want all", n)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// An event is one line, whatever it holds (LOG-3).
func FuzzLogLine(f *testing.F) {
	for _, seed := range []string{"", "ann", "a\nlevel=ERROR msg=forged", "\x1b[31m", `" kind="x`, "\r\n", "\u2028", "\xff\xfe", "a=b c"} {
		f.Add(seed, seed, seed)
	}
	f.Fuzz(func(t *testing.T, identifier, detail, id string) {
		var text, json bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&json, nil)} {
			a := New(&eventBook{}, slog.New(h), Maskers{})
			ctx := members.WithOrigin(t.Context(), members.Origin{RequestID: id, Client: netip.MustParseAddr("2001:db8::1")})
			a.Record(ctx, members.Event{At: time.Unix(0, 0), Kind: members.SignInRefused, Identifier: identifier, Detail: detail})
		}
		for _, out := range []string{text.String(), json.String()} {
			line, rest, ok := strings.Cut(out, "\n")
			if !ok || rest != "" {
				t.Fatalf("more or less than a line: %q", out)
			}
			if i := strings.IndexFunc(line, unicode.IsControl); i >= 0 && line[i] < 0x80 {
				t.Fatalf("a control character in %q", line)
			}
		}
		if n := strings.Count(text.String(), " kind="); n != 1 && !strings.Contains(identifier+detail+id, " kind=") {
			t.Fatalf("%d kinds in %q", n, text.String())
		}
	})
}

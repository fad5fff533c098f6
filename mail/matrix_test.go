package mail

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMAI9_WorkerSettlesEveryFailure plays each script of testdata/smtp to a
// worker: what becomes of the order, of its count of attempts, and of the queue
// (MAI-9).
func TestMAI9_WorkerSettlesEveryFailure(t *testing.T) {
	files, err := filepath.Glob("testdata/smtp/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	pki := newTestPKI(t)
	tried := 0
	for _, file := range files {
		s := readScript(t, file)
		if s.header["sends"] != "" {
			continue // about a sender's connections, over several mails
		}
		tried++
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			s.work(t, pki)
		})
	}
	if tried < 81 {
		t.Errorf("%d scripts, want every stage with every outcome", tried)
	}
}

// work has a worker deliver one order to the script's server.
func (s script) work(t *testing.T, pki *testPKI) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if s.header["listen"] == "no" {
		l.Close()
	} else {
		s.play(l, pki)
	}
	sender, err := NewSMTP(s.config(t, l.Addr().String(), pki))
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	q := newQueue()
	id := q.add(t, 1, time.Hour)[0]
	w, err := NewWorker(Config{
		Queue: q, Sender: sender, Now: time.Now, Name: "w", Log: slog.New(slog.DiscardHandler),
		Composer: composeFunc(func(_ context.Context, j Order) (*Message, error) {
			m := *testMessage(t)
			m.ID, m.To.Address = j.ID, cmp.Or(s.header["to"], m.To.Address)
			return &m, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	sent := w.Deliver(t.Context(), id)
	s.checkSettled(t, w, q.order(id), began, sent)
	again := w.Deliver(t.Context(), id)
	if paused := s.header["want"] == "our-fault"; errors.Is(again, ErrPaused) != paused || again == nil {
		t.Errorf("a second delivery at once: %v", again)
	}
}

// checkSettled holds an order against the script's class of outcome.
func (s script) checkSettled(t *testing.T, w *Worker, o row, began time.Time, sent error) {
	t.Helper()
	want := map[string]struct {
		state    State
		attempts int
		paused   bool
		retry    bool
	}{
		"sent":      {state: Sent, attempts: 1},
		"temporary": {state: Pending, attempts: 1, retry: true},
		"permanent": {state: Dead, attempts: 1},
		"our-fault": {state: Pending, paused: true},
	}[s.header["want"]]
	if o.state != want.state || o.order.Attempts != want.attempts {
		t.Errorf("%s after %d attempts (%v), want %s after %d", o.state, o.order.Attempts, sent, want.state, want.attempts)
	}
	if (sent == nil) != (o.state == Sent) || (o.reason == "") != (o.state == Sent) {
		t.Errorf("error %v, reason %q", sent, o.reason)
	}
	if w.Status().Paused != want.paused {
		t.Errorf("paused %t, want %t", w.Status().Paused, want.paused)
	}
	// The first retry comes after 30 s, less a fifth by chance.
	if later := o.due.Sub(began) >= 24*time.Second; want.retry != later && o.state == Pending && !s.aboutSender() {
		t.Errorf("due after %v", o.due.Sub(began))
	}
}

// aboutSender reports whether the server spoke of a mail and meant us: the
// order then waits behind the others.
func (s script) aboutSender() bool { return Stage(s.header["stage"]).inTransaction() }

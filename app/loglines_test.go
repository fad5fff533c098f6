package app

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// stalled is a reader that takes nothing until it is released, as a pipe whose
// other end sleeps.
type stalled struct {
	release chan struct{}
	got     atomic.Int64
}

func (s *stalled) Write(b []byte) (int, error) {
	<-s.release
	s.got.Add(1)
	return len(b), nil
}

// TestStalledLogHoldsNothingUp holds that a log that nobody reads costs lines
// and nothing else: no write waits, what is lost is counted, and the server stops.
func TestStalledLogHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &stalled{release: make(chan struct{})}
		l := newLogLines(to)
		began := time.Now()
		for i := range 2 * waitingLines {
			if _, err := fmt.Fprintln(l, "line", i); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if lost := l.lost.Load(); lost < waitingLines-1 || lost > waitingLines {
			t.Errorf("%d lines lost, want %d, or one fewer", lost, waitingLines)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("writing waited %v", took)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != logGrace {
			t.Errorf("closing took %v, want %v", took, logGrace)
		}
		close(to.release)
		synctest.Wait()
		if got, lost := to.got.Load(), l.lost.Load(); got+lost != 2*waitingLines {
			t.Errorf("%d written and %d lost of %d", got, lost, 2*waitingLines)
		}
	})
}

func TestLastLinesAreWritten(t *testing.T) {
	var to bytes.Buffer
	l := newLogLines(&to)
	for i := range 100 {
		fmt.Fprintln(l, "line", i)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(to.String(), "\n"); got != 100 || !strings.HasSuffix(to.String(), "line 99\n") {
		t.Errorf("%d of 100 lines are written", got)
	}
}

// TestFullDiskLosesLines holds FLT-10.
func TestFullDiskLosesLines(t *testing.T) {
	l := newLogLines(failing{})
	fmt.Fprintln(l, "line")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l.lost.Load() != 1 {
		t.Errorf("%d lines lost, want 1", l.lost.Load())
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

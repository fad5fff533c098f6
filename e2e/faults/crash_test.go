package faults

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// failpoints are the places where a server is killed. The first ones are in the
// program, after-rcpt and after-dot in its peer: the server has sent RCPT, or
// the whole message, and doesn't get the answer.
var failpoints = []string{
	"before-commit", "after-batch", "after-commit", "after-claim", "before-round", "after-round", "after-250", "after-settle",
	"after-rcpt", "after-dot", "random",
}

// TestCrashLoop kills servers at random and at every failpoint, under load
// (FLT-1, MAI-18, MAI-19).
func TestCrashLoop(t *testing.T) {
	t.Run("MariaDB, two servers", func(t *testing.T) {
		s := onMariaDB(t, mariadbtest.Start(t))
		s.add()
		s.add()
		s.crashLoop(knob(t, "KILLS", 14, 500))
	})
	t.Run("SQLite", func(t *testing.T) {
		s := onSQLite(t)
		s.add()
		s.crashLoop(knob(t, "KILLS_SQLITE", 7, 100))
	})
}

// crashLoop shares the kills among the servers, each with its own killer.
func (s *site) crashLoop(kills int) {
	s.t.Helper()
	members := 200 + 40*kills
	s.populate(members)
	l := s.startLoad(members, 8)
	var left, stuck atomic.Int64
	left.Store(int64(kills))
	var killers sync.WaitGroup
	for _, r := range s.servers {
		killers.Go(func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				if !r.crashAt(failpoints[int(n)%len(failpoints)]) {
					stuck.Add(1)
				}
			}
		})
	}
	killers.Wait()
	for _, r := range s.servers {
		r.startReady()
	}
	l.stop()
	s.drain(3 * time.Minute)
	fig := s.check(l)
	s.t.Logf("%+v, %d of the kills not at their point, statuses %v", fig, stuck.Load(), l.statuses)
	if fig.Kills != kills || fig.Answered < kills || fig.Changes == 0 {
		s.t.Errorf("too little happened: %+v", fig)
	}
	// What one beat of the queue sends is settled by the next: on a slow machine
	// about a mail for each sending slot.
	if limit := 16 * kills; fig.Duplicates > limit {
		s.t.Errorf("%d duplicates of %d kills", fig.Duplicates, kills)
	}
}

// crashAt starts the server and kills it at a point; if it does not get
// there in time, anyhow, and then it returns false.
func (r *replica) crashAt(point string) bool {
	nth := 1 + rand.IntN(4)
	switch point {
	case "random":
		r.start()
		timer := time.NewTimer(rand.N(800 * time.Millisecond))
		<-timer.C
		r.crash()
		return true
	case "after-rcpt", "after-dot":
		return r.crashInMail(point)
	}
	r.start(fmt.Sprintf("RESEED_FAILPOINT=%s:%d", point, nth))
	p := r.process()
	select {
	case <-p.ended:
		r.site.note(r.name)
		return p.exitCode() == -1 // by a signal
	case <-time.After(10 * time.Second):
		r.crash()
		return false
	}
}

// crashInMail kills the server while its mail server handles a mail.
func (r *replica) crashInMail(point string) bool {
	struck := make(chan struct{})
	points := &r.site.box.onRcpt
	if point == "after-dot" {
		points = &r.site.box.onDot
	}
	r.start()
	p := r.process()
	points.Store(r.name, func() {
		r.site.note(r.name)
		p.kill()
		close(struck)
	})
	select {
	case <-struck:
		return true
	case <-time.After(10 * time.Second):
	}
	if _, waiting := points.LoadAndDelete(r.name); waiting {
		r.crash()
		return false
	}
	<-struck
	return true
}

package faults

import (
	"context"
	"crypto/rand"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// TestFlood has anonymous requests for nobody, or for one member, come in at
// total-rate, as many as default limits let in from many clients. A member who asks
// meanwhile has the mail within ten seconds, all the while (LOD-1; 30 s of it held
// everybody's mail back for 282 s, and 10 s that named one member for good).
func TestFlood(t *testing.T) {
	nobody := func() string { return rand.Text() + "@example.org" }
	member := func() string { return address(0) }
	t.Run("SQLite", func(t *testing.T) { flood(t, onSQLite(t), nobody) })
	t.Run("SQLite, one member", func(t *testing.T) { flood(t, onSQLite(t), member) })
	server := mariadbtest.Start(t)
	t.Run("MariaDB", func(t *testing.T) { flood(t, onMariaDB(t, server), nobody) })
	t.Run("MariaDB, one member", func(t *testing.T) { flood(t, onMariaDB(t, server), member) })
}

const (
	floodRate  = 500 // requests a second: total-rate's default
	mailWithin = 10 * time.Second
)

func flood(t *testing.T, s *site, whom func() string) {
	seconds := knob(t, "FLOOD_SECONDS", 5, 60)
	r := s.add("RESEED_CLIENT_RATE=0", "RESEED_TOTAL_RATE=30000")
	s.populate(seconds + 1)
	r.startReady()
	client := newClient(10 * time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	var answered, refused atomic.Int64
	var all sync.WaitGroup
	ask := func(to string) int {
		status, _, err := post(ctx, client, "http://"+r.addr+"/members/resetpassword", url.Values{"email": {to}})
		if err != nil {
			return 0
		}
		return status
	}
	all.Go(func() {
		tick := time.NewTicker(time.Second / floodRate * 10)
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			for range 10 {
				all.Go(func() {
					switch ask(whom()) {
					case 200:
						answered.Add(1)
					case 429, 503:
						refused.Add(1)
					}
				})
			}
		}
	})
	var slowest time.Duration
	for i := 1; i <= seconds; i++ {
		pause(t, time.Second)
		began := time.Now()
		for ask(address(i)) != 200 { // it has its turn among the others
			pause(t, 100*time.Millisecond)
		}
		eventually(t, mailWithin, "a member's mail in a flood", func() bool { return s.box.has(address(i)) })
		slowest = max(slowest, time.Since(began))
	}
	cancel()
	all.Wait()
	t.Logf("%d s: %d answered, %d refused; the slowest of %d mails came %v after its request", seconds, answered.Load(), refused.Load(), seconds, slowest)
	if answered.Load() < int64(seconds)*floodRate/10 {
		t.Errorf("no flood: %d answered", answered.Load())
	}
	if slowest > mailWithin {
		t.Errorf("a mail came after %v", slowest)
	}
}

// has reports whether a mail to the address was accepted.
func (b *mailbox) has(to string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.got {
		if d.to == to {
			return true
		}
	}
	return false
}

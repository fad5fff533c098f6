package faults

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// TestDatabaseKilled kills MariaDB under load and starts it again (FLT-1, FLT-7).
func TestDatabaseKilled(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{})
	s := onMariaDB(t, server)
	s.add()
	s.add()
	kills := knob(t, "DATABASE_KILLS", 3, 60)
	members := 500 + 300*kills
	s.populate(members)
	for _, r := range s.servers {
		r.startReady()
	}
	l := s.startLoad(members, 4)
	var longest time.Duration
	for range kills {
		pause(t, rand.N(time.Second))
		s.note("database")
		server.Kill()
		pause(t, rand.N(500*time.Millisecond))
		server.Restart(t)
		longest = max(longest, s.recovery(time.Minute))
		s.back()
	}
	l.stop()
	s.drain(3 * time.Minute)
	fig := s.check(l)
	t.Logf("%+v, longest recovery of a server %v, statuses %v", fig, longest.Round(time.Millisecond), l.statuses)
	if fig.Answered < kills {
		t.Errorf("too little happened: %+v", fig)
	}
	l.onlyStatuses(http.StatusOK, http.StatusServiceUnavailable)
}

// recovery waits until every server takes requests again, and returns how long
// the slowest took.
func (s *site) recovery(limit time.Duration) time.Duration {
	s.t.Helper()
	began := time.Now()
	client := newClient(limit)
	defer client.CloseIdleConnections()
	for _, r := range s.servers {
		eventually(s.t, limit, r.name+" takes requests again", func() bool {
			status, _, err := post(context.Background(), client, r.url+"/members/resetpassword",
				url.Values{"email": {"nobody@example.org"}})
			return err == nil && status == http.StatusOK
		})
	}
	return time.Since(began)
}

// onlyStatuses fails the test if the load was answered anything else; 0
// stands for no answer.
func (l *load) onlyStatuses(allowed ...int) {
	l.site.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for status, n := range l.statuses {
		found := false
		for _, a := range allowed {
			found = found || a == status
		}
		if !found {
			l.site.t.Errorf("%d answers have status %d", n, status)
		}
	}
}

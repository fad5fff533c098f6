package e2e

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"
)

// Servers, those on MariaDB on one database, start and stop at once, in the
// middle of their start too: no data race, no start or stop that fails, and
// nothing of them left behind (FLT-17).
func TestStartStop(t *testing.T) {
	for name, dsn := range map[string]string{"sqlite": "", "mariadb": emptyDSN(t)} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			for round := range 2 {
				t.Run(fmt.Sprint(round), func(t *testing.T) { startStop(t, siteConfig{dsn: dsn}) })
			}
			for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; runtime.Gosched() {
				http.DefaultClient.CloseIdleConnections()
				if time.Now().After(deadline) {
					t.Fatalf("%d goroutines are left, there were %d", runtime.NumGoroutine(), before)
				}
			}
		})
	}
}

// startStop starts servers at once and stops them at once: every other one as
// soon as it was started, the rest after a request.
func startStop(t *testing.T, c siteConfig) {
	t.Helper()
	var all []*served
	for i := range 6 {
		s := serveApp(t, c)
		all = append(all, s)
		if i%2 == 0 {
			s.stop()
		}
	}
	for i, s := range all {
		if i%2 == 0 {
			continue
		}
		s.until(t, 200, time.Minute)
		if status, body := post(t, http.DefaultClient, s.base, "email=nobody@example.org"); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
	for _, s := range all {
		s.stop()
	}
	for _, s := range all {
		s.end(t)
	}
}

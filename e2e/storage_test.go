package e2e

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store"
)

// A request for nobody leaves a few hundred bytes as long as a token lives, and
// what it left of its order is gone then: not after `keep`, which made 17 GB of
// one client's requests at the default rate.
func TestAnonymousRequestsTakeNoRoomForLong(t *testing.T) {
	site := startSite(t, siteConfig{state: "basic", settings: "keep = \"720h\"\n"})
	used := func() int {
		t.Helper()
		db, err := sql.Open("sqlite", "file:"+url.PathEscape(filepath.Join(site.Config.Data, "reseed.db"))+"?mode=ro")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var pages, free, size int
		for _, q := range []struct {
			query string
			to    *int
		}{{"PRAGMA page_count", &pages}, {"PRAGMA freelist_count", &free}, {"PRAGMA page_size", &size}} {
			if err := db.QueryRowContext(t.Context(), q.query).Scan(q.to); err != nil {
				t.Fatal(err)
			}
		}
		return (pages - free) * size
	}
	const requests = 2000
	before := used()
	stop := startWorker(t, site)
	for i := range requests {
		body := fmt.Sprintf("email=nobody-%d@example.org", i)
		if w := site.send(t, [3]string{"POST", "/members/resetpassword", body}, anybody); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	site.settled(t)
	stop()
	orders := used() - before
	if err := site.Audit.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := used() - before
	site.clock.advance(t, "12h1s")
	serveFor := func(step string, done func() (bool, string)) {
		t.Run(step, func(t *testing.T) {
			serve(t, site)
			eventually(t, time.Minute, done)
		})
	}
	serveFor("orders", func() (bool, string) {
		counts, err := site.Store.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(counts) == 0, fmt.Sprintf("orders are left: %v", counts)
	})
	left := used() - before
	site.clock.advance(t, "168h")
	serveFor("events", func() (bool, string) {
		events, err := site.Store.Events(t.Context(), store.EventFilter{})
		if err != nil {
			t.Fatal(err)
		}
		return len(events) == 0, fmt.Sprintf("%d events are left", len(events))
	})
	atLast := used() - before
	t.Logf("bytes a request: %d, %d of them its order; %d after a token's life, %d after a week",
		all/requests, orders/requests, left/requests, atLast/requests)
	if atLast > all/10 {
		t.Errorf("%d bytes a request are left after a week", atLast/requests)
	}
	if left > all-orders*3/4 {
		t.Errorf("%d bytes a request are left of %d, %d of which its order took", left/requests, all/requests, orders/requests)
	}
}

package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store"
)

const (
	acmeUUID   = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1"
	globexUUID = "ffffffff-4b5a-4978-8695-a4b3c2d1e0f1"
)

// site adds a site of a new group and returns it as stored.
func (e *env) site(uuid string, redirects ...string) members.WixSite {
	e.t.Helper()
	g, err := e.AddGroup(context.Background(), groups.Group{Name: "g" + uuid[:8]})
	if err != nil {
		e.t.Fatal(err)
	}
	if err := e.AddSite(context.Background(), members.WixSite{UUID: uuid, GroupID: g, Redirects: redirects}); err != nil {
		e.t.Fatal(err)
	}
	s, err := e.FindSite(context.Background(), uuid)
	if err != nil {
		e.t.Fatal(err)
	}
	return s
}

func TestSites(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		a, b := e.site(acmeUUID, "https://a.example.org", "http://b.example.org:8080"), e.site(globexUUID)
		want := []members.WixSite{
			{ID: a.ID, UUID: acmeUUID, ClientID: acmeUUID, GroupID: 1, Redirects: []string{"https://a.example.org", "http://b.example.org:8080"}, Created: noon},
			{ID: b.ID, UUID: globexUUID, ClientID: globexUUID, GroupID: 2, Redirects: []string{}, Created: noon},
		}
		if d := cmp.Diff(want, must(e.ListSites(t.Context()))(t)); d != "" || a.ID < 1 || a.ID == b.ID {
			t.Errorf("sites (-want +got):\n%s", d)
		}
		if d := cmp.Diff(want[0], a); d != "" {
			t.Errorf("found (-want +got):\n%s", d)
		}
		if s := must(e.FindSite(t.Context(), "nowhere"))(t); !s.Zero() {
			t.Errorf("found %+v", s)
		}
		var taken *members.TakenError
		if err := e.AddSite(t.Context(), members.WixSite{UUID: acmeUUID, GroupID: 2}); !errors.As(err, &taken) || taken.Field != "id" {
			t.Errorf("added twice: %v", err)
		}
		if err := e.AddSite(t.Context(), members.WixSite{UUID: "11111111-4b5a-4978-8695-a4b3c2d1e0f1", GroupID: 99}); err == nil {
			t.Error("added to a group that is not there")
		}
	})
}

func TestRemoveSiteTakesItsKeysAndCounters(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		a, b := e.site(acmeUUID), e.site(globexUUID)
		hashA, hashB := password.HashToken("a"), password.HashToken("b")
		must(e.AddKey(t.Context(), members.APIKey{Site: a}, hashA))(t)
		must(e.AddKey(t.Context(), members.APIKey{Site: b}, hashB))(t)
		e.count(t, e.Store, a.ID, 1)
		if !must(e.RemoveSite(t.Context(), acmeUUID))(t) || must(e.RemoveSite(t.Context(), acmeUUID))(t) {
			t.Error("removed not once")
		}
		if k := must(e.FindKey(t.Context(), hashA))(t); k.ID != 0 {
			t.Errorf("the key is left: %+v", k)
		}
		if k := must(e.FindKey(t.Context(), hashB))(t); k.ID == 0 {
			t.Error("another site's key is gone")
		}
	})
}

func TestKeys(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		s := e.site(acmeUUID, "https://a.example.org")
		hash := password.HashToken("key")
		id := must(e.AddKey(t.Context(), members.APIKey{Site: s, Scopes: []members.Scope{"manage-members", "more"}}, hash))(t)
		bare := must(e.AddKey(t.Context(), members.APIKey{Site: s, Created: noon.Add(time.Second)}, password.HashToken("bare")))(t)
		want := []members.APIKey{
			{ID: id, Site: s, Scopes: []members.Scope{"manage-members", "more"}, Created: noon},
			{ID: bare, Site: s, Created: noon.Add(time.Second)},
		}
		if d := cmp.Diff(want, must(e.ListKeys(t.Context()))(t)); d != "" {
			t.Errorf("keys (-want +got):\n%s", d)
		}
		if d := cmp.Diff(want[0], must(e.FindKey(t.Context(), hash))(t)); d != "" {
			t.Errorf("found (-want +got):\n%s", d)
		}
		if k := must(e.FindKey(t.Context(), password.HashToken("other")))(t); k.ID != 0 {
			t.Errorf("found %+v", k)
		}
		if !must(e.RemoveKey(t.Context(), id))(t) || must(e.RemoveKey(t.Context(), id))(t) {
			t.Error("removed not once")
		}
		if k := must(e.FindKey(t.Context(), hash))(t); k.ID != 0 {
			t.Error("a removed key is found")
		}
	})
}

// count places an order of the site against a quota of 3 on the given day.
func (e *env) count(t testing.TB, s *store.Store, site int64, day int) bool {
	t.Helper()
	return must(s.AddSiteOrder(context.Background(), e.newOrder(1), members.Quota{Site: site, Day: day, Max: 3}))(t)
}

func TestSiteQuota(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		a, b := e.site(acmeUUID), e.site(globexUUID)
		elsewhere := e.open() // another server, or this one after a restart
		for i, s := range []*store.Store{e.Store, elsewhere, e.Store} {
			if !e.count(t, s, a.ID, 1) {
				t.Errorf("order %d is refused", i+1)
			}
		}
		for _, s := range []*store.Store{e.Store, elsewhere} {
			if e.count(t, s, a.ID, 1) {
				t.Error("a fourth order is taken")
			}
		}
		if !e.count(t, e.Store, b.ID, 1) || !e.count(t, e.Store, a.ID, 2) {
			t.Error("another site, or another day, is refused")
		}
		if n := must(e.Counts(t.Context()))(t)["new"]; n != 5 {
			t.Errorf("%d orders are queued, want 5: a refused one leaves none", n)
		}
	})
}

// However many servers open a day at once, the quota holds to the mail.
func TestSiteQuotaHoldsAtOnce(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		a := e.site(acmeUUID)
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		start := make(chan struct{})
		for range 16 {
			wg.Go(func() {
				<-start
				ok := e.count(t, e.Store, a.ID, 1)
				mu.Lock()
				defer mu.Unlock()
				if ok {
					taken++
				}
			})
		}
		close(start)
		wg.Wait()
		if n := must(e.Counts(t.Context()))(t)["new"]; taken != 3 || n != 3 {
			t.Errorf("%d orders taken, %d queued, want 3", taken, n)
		}
	})
}

// An order whose answer was lost is there when it is placed again, and counts once.
func TestSiteOrderPlacedAgainCountsOnce(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		a := e.site(acmeUUID)
		q := members.Quota{Site: a.ID, Day: 1, Max: 2}
		o := e.newOrder(0)
		for range 3 {
			if !must(e.AddSiteOrder(t.Context(), o, q))(t) {
				t.Fatal("refused")
			}
		}
		if !must(e.AddSiteOrder(t.Context(), e.newOrder(0), q))(t) {
			t.Error("the order was counted twice")
		}
	})
}

// A member's order runs the statements of a stranger's (ENU-3).
func TestSiteOrdersRunTheSameStatements(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		a := e.site(acmeUUID)
		m := e.member("anna", "anna@example.org")
		e.count(t, e.Store, a.ID, 1)
		order := func(member int64) func() {
			return func() {
				must(e.AddSiteOrder(t.Context(), e.newOrder(member), members.Quota{Site: a.ID, Day: 1, Max: 200}))(t)
			}
		}
		known, unknown := e.asked(order(m.ID)), e.asked(order(0))
		if d := cmp.Diff(known, unknown); d != "" || len(known) != 4 {
			t.Errorf("%d statements, want BEGIN, two and COMMIT (-known +unknown):\n%s", len(known), d)
		}
	})
}

// Counters of days that are over don't pile up.
func TestSiteDaysEnd(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		a, b := e.site(acmeUUID), e.site(globexUUID)
		e.count(t, e.Store, b.ID, 1)
		for day := 1; day <= 5; day++ {
			e.count(t, e.Store, a.ID, day)
		}
		var days, others int
		err := raw(t, e.config).QueryRow(`SELECT COUNT(*), SUM(CASE WHEN site_id = 1 AND day IN (4, 5) THEN 0 ELSE 1 END) FROM site_days`).Scan(&days, &others)
		if err != nil || days != 3 || others != 1 {
			t.Errorf("%d counters, of which %d are neither this nor the last day's, error %v; want 3 and the other site's", days, others, err)
		}
	})
}

package store_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store"
)

// Of the mails, those go that are settled for long and whose token has ended; of
// these no more than asked for, and the oldest first (LOG-6).
func TestPurgeMails(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "anna@example.org")
		settle := func(o members.Order, state mail.State, at time.Time) {
			e.take("w", at)
			if _, err := e.Round(t.Context(), mail.Round{Worker: "w", Now: at, Settle: []mail.Settlement{{ID: o.ID, State: state, Due: at.Add(time.Hour)}}}); err != nil {
				t.Fatal(err)
			}
		}
		var old []mail.ID
		for i, state := range []mail.State{mail.Sent, mail.Dead, mail.Dropped} {
			o := e.order(m.ID)
			settle(o, state, noon.Add(time.Duration(i)*time.Second))
			old = append(old, o.ID)
		}
		young, pending := e.order(m.ID), e.order(m.ID, func(o *members.Order) { o.Created = noon.Add(time.Hour) })
		settle(young, mail.Sent, noon.Add(time.Minute))
		lasting := e.order(m.ID, func(o *members.Order) { o.Expires = noon.Add(24 * time.Hour) })
		settle(lasting, mail.Sent, noon)

		cut := noon.Add(time.Hour + time.Second) // after the end of all tokens but one
		if n := must(e.PurgeMails(t.Context(), noon.Add(10*time.Second), 10))(t); n != 0 {
			t.Fatalf("%d mails purged whose tokens are good", n)
		}
		if n := must(e.PurgeMails(t.Context(), cut, 2))(t); n != 2 {
			t.Fatalf("%d mails purged, want 2", n)
		}
		if _, ok, err := e.Mail(t.Context(), old[2]); !ok || err != nil {
			t.Errorf("the younger one went first: %v", err)
		}
		if n := must(e.PurgeMails(t.Context(), cut, 10))(t); n != 2 {
			t.Errorf("%d mails purged, want the third and the young one", n)
		}
		for _, id := range []mail.ID{pending.ID, lasting.ID} {
			e.state(id)
		}
	})
}

// Orders that were dropped go when their token would have ended, those for
// nobody and those over a member's limit alike, and no order that was sent or
// waits goes with them.
func TestPurgeDropped(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "anna@example.org")
		nobodys := func(o *members.Order) { o.Addressed, o.MemberID = false, 0 }
		first, second := e.order(0, nobodys), e.order(0, nobodys)
		long := e.order(0, nobodys, func(o *members.Order) { o.Expires = noon.Add(2 * time.Hour) })
		sent, over := e.order(m.ID), e.order(m.ID)
		e.take("w", noon)
		if _, err := e.Round(t.Context(), mail.Round{Worker: "w", Now: noon, Settle: []mail.Settlement{
			{ID: sent.ID, State: mail.Sent}, {ID: over.ID, State: mail.Dropped},
		}}); err != nil {
			t.Fatal(err)
		}
		waiting := e.order(m.ID)
		later := e.at(noon.Add(time.Hour + time.Second))
		purge := func(s *store.Store, before time.Time) int {
			t.Helper()
			return must(s.PurgeDropped(t.Context(), before, 2))(t)
		}
		if n := purge(e.Store, noon.Add(time.Second)); n != 0 {
			t.Errorf("%d dropped orders purged within their token's life", n)
		}
		if n := purge(later, noon); n != 0 {
			t.Errorf("%d dropped orders purged that are younger than asked for", n)
		}
		if a, b, c := purge(later, noon.Add(time.Second)), purge(later, noon.Add(time.Second)), purge(later, noon.Add(time.Second)); a != 2 || b != 1 || c != 0 {
			t.Errorf("purged %d, %d and %d, want 2, 1 and 0", a, b, c)
		}
		for _, gone := range []mail.ID{first.ID, second.ID, over.ID} {
			if _, ok, err := e.Mail(t.Context(), gone); ok || err != nil {
				t.Errorf("%v is still there, %v", gone, err)
			}
		}
		for _, stays := range []mail.ID{long.ID, sent.ID, waiting.ID} {
			e.state(stays)
		}
	})
}

// Events that anybody can cause in any number, refusals that name no member, go
// before others do: not those of members, nor what an administrator did.
func TestPurgeUnknownEvents(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		add := func(at time.Time, change func(*members.Event)) mail.ID {
			v := event(t, at, change)
			if err := e.AddEvents(t.Context(), []members.Event{v}); err != nil {
				t.Fatal(err)
			}
			return v.ID
		}
		strangers := func(v *members.Event) { v.Code = "1018" }
		add(noon, strangers)
		add(noon.Add(time.Second), strangers)
		want := []mail.ID{
			add(noon.Add(time.Hour), strangers),
			add(noon, func(v *members.Event) { v.Code, v.MemberID = "0101", 7 }),
			add(noon, func(v *members.Event) { v.Kind = members.KeyChanged }),
		}
		cut := noon.Add(time.Minute)
		if a, b := must(e.PurgeUnknownEvents(t.Context(), cut, 1))(t), must(e.PurgeUnknownEvents(t.Context(), cut, 9))(t); a != 1 || b != 1 {
			t.Errorf("purged %d and %d, want 1 and 1", a, b)
		}
		for _, v := range must(e.Events(t.Context(), store.EventFilter{}))(t) {
			if !slices.Contains(want, v.ID) {
				t.Errorf("left: %+v", v)
			}
			want = slices.DeleteFunc(want, func(id mail.ID) bool { return id == v.ID })
		}
		if len(want) != 0 {
			t.Errorf("%d events too many were purged", len(want))
		}
	})
}

// at opens the same database as a program would whose clock shows that time.
func (e *env) at(now time.Time) *store.Store {
	e.t.Helper()
	c := e.config
	c.Now = func() time.Time { return now }
	s, err := store.Open(e.t.Context(), c)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { s.Close() })
	return s
}

// take claims all that is due.
func (e *env) take(worker string, at time.Time) {
	e.t.Helper()
	if _, err := e.Round(e.t.Context(), mail.Round{Worker: worker, Now: at, Lease: time.Minute, Latest: farAhead, Claim: 100}); err != nil {
		e.t.Fatal(err)
	}
}

func TestPurgeEvents(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		var all []members.Event
		for i := range 5 {
			all = append(all, event(t, noon.Add(time.Duration(i)*time.Second), nil))
		}
		if err := e.AddEvents(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		var counts []int
		for range 3 {
			counts = append(counts, must(e.PurgeEvents(t.Context(), all[3].At, 2))(t))
		}
		if !slices.Equal(counts, []int{2, 1, 0}) {
			t.Errorf("purged %v, want 2, 1 and 0", counts)
		}
		if left := must(e.Events(t.Context(), store.EventFilter{}))(t); len(left) != 2 || left[1].ID != all[3].ID {
			t.Errorf("%d events left", len(left))
		}
	})
}

// Counters of days go when the day was over before the time, oldest first; the
// counters of that day itself stay.
func TestPurgeSiteDays(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		today := int(noon.Unix() / (24 * 60 * 60))
		a, b := e.site(acmeUUID), e.site(globexUUID)
		for _, day := range []int{today - 9, today - 8} { // the site that goes on ends the days before
			e.count(t, e.Store, a.ID, day)
			e.count(t, e.Store, b.ID, day)
		}
		for range 3 {
			e.count(t, e.Store, a.ID, today)
		}
		e.count(t, e.Store, b.ID, today-7)
		// Left: b's three days and a's last one.
		cut := noon.Add(-7 * 24 * time.Hour)
		var counts []int
		for range 3 {
			counts = append(counts, must(e.PurgeSiteDays(t.Context(), cut, 1))(t))
		}
		if !slices.Equal(counts, []int{1, 0, 0}) {
			t.Errorf("purged %v, want 1, 0 and 0", counts)
		}
		if n := must(e.PurgeSiteDays(t.Context(), noon, 10))(t); n != 1 {
			t.Errorf("%d counters purged of days before today, want 1", n)
		}
		if e.count(t, e.Store, a.ID, today) {
			t.Error("the purge has given a site its quota of today once more")
		}
	})
}

// Sessions and access tokens go when they ended before the time, not sooner.
func TestPurgeAccess(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "anna@example.org")
		c := members.Client{ID: "0123456789abcdef", Name: "x", Secret: password.HashToken("s"), Member: m}
		if err := e.AddClient(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			ends := noon.Add(time.Duration(i) * time.Hour)
			id := password.HashToken(strconv.Itoa(i))
			ok, err := e.SignedIn(t.Context(), members.GoodSignIn{MemberID: m.ID, Password: "$old", At: noon.Add(-time.Hour),
				Session: members.Session{ID: id, Created: noon, Seen: noon, Expires: ends}})
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			if err := e.AddAccessToken(t.Context(), members.AccessToken{Token: id, Client: c.ID, Member: m, Created: noon, Expires: ends}); err != nil {
				t.Fatal(err)
			}
		}
		cut := noon.Add(time.Hour + time.Second)
		for name, purge := range map[string]func(context.Context, time.Time, int) (int, error){
			"sessions": e.PurgeSessions, "access tokens": e.PurgeAccessTokens,
		} {
			first, second, third := must(purge(t.Context(), cut, 1))(t), must(purge(t.Context(), cut, 5))(t), must(purge(t.Context(), cut, 5))(t)
			if first != 1 || second != 1 || third != 0 {
				t.Errorf("%s: %d, %d, %d purged, want 1, 1 and 0", name, first, second, third)
			}
		}
	})
}

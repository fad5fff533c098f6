package store_test

import (
	"database/sql"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reseed/members"
	"reseed/password"
)

var sameHash = cmp.Comparer(func(a, b password.Hash) bool { return a == b })

// standing is what failed sign-ins change.
type standing struct {
	Failed, Threshold int
	Until             time.Time
}

func (e *env) standing(id int64) standing {
	m := e.get(id)
	return standing{m.FailedSignIns, m.LockThreshold, m.LockedUntil}
}

func (e *env) failSignIn(id int64, threshold int, at time.Time) {
	e.t.Helper()
	err := e.SignInFailed(e.t.Context(), members.BadSignIn{MemberID: id, Threshold: threshold, At: at, Until: at.Add(time.Hour)})
	if err != nil {
		e.t.Fatal(err)
	}
}

func TestFailedSignInsLock(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m, other := e.member("a", ""), e.member("b", "")
		end := noon.Add(time.Hour)
		for i, step := range []struct {
			threshold int
			at        time.Time
			want      standing
		}{
			{3, noon, standing{1, 3, time.Time{}}},
			{9, noon, standing{2, 3, time.Time{}}}, // the threshold that was drawn first stays
			{9, noon, standing{0, 0, end}},
			{2, noon.Add(time.Minute), standing{-1, 0, end}}, // during the lock: neither longer nor anew
			{1, noon.Add(59 * time.Minute), standing{-2, 0, end}},
			{2, end, standing{1, 2, end}}, // the lock is over at its end, and all begins anew
			{9, end, standing{0, 0, end.Add(time.Hour)}},
			{1, end.Add(time.Hour), standing{-1, 0, end.Add(2 * time.Hour)}}, // one alone locks
		} {
			e.failSignIn(m.ID, step.threshold, step.at)
			if d := cmp.Diff(step.want, e.standing(m.ID)); d != "" {
				t.Errorf("step %d (-want +got):\n%s", i, d)
			}
		}
		if d := cmp.Diff(other, e.get(other.ID), sameHash); d != "" {
			t.Errorf("another member changed:\n%s", d)
		}
	})
}

// Simultaneous guesses all count: none gets in beside the count.
func TestSimultaneousFailuresAllCount(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() { e.failSignIn(m.ID, 100, noon) })
		}
		wg.Wait()
		if got := e.standing(m.ID).Failed; got != 40 {
			t.Errorf("%d of 40 failures counted", got)
		}
	})
}

// A failure costs the same statement whoever is meant, and changes a row in each case.
func TestFailuresOfNobodyCostTheSame(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		known := e.member("a", "")
		locked := e.add(members.Member{Username: "l", Status: members.Activated, LockedUntil: noon.Add(time.Hour)})
		var first []string
		for i, id := range []int64{known.ID, locked.ID, 0} {
			before := e.stored(id)
			asked := e.asked(func() { e.failSignIn(id, 5, noon) })
			if i == 0 {
				first = asked
			}
			if d := cmp.Diff(first, asked); d != "" || len(asked) != 1 {
				t.Errorf("member %d: statements (-known +got):\n%s", id, d)
			}
			if after := e.stored(id); before == after {
				t.Errorf("member %d: nothing was written", id)
			}
		}
		if m := e.get(0); !m.Zero() {
			t.Errorf("nobody became %+v", m)
		}
	})
}

// stored returns the failures that a row holds, also nobody's, which no method shows.
func (e *env) stored(id int64) int {
	e.t.Helper()
	var n int
	driver, dsn := "sqlite", "file:"+url.PathEscape(e.config.Path)
	if e.config.DSN != "" {
		driver, dsn = "mysql", e.config.DSN
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		e.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(e.t.Context(), "SELECT failed_signins FROM members WHERE id = ?", id).Scan(&n); err != nil {
		e.t.Fatal(err)
	}
	return n
}

func tokenHash(s string) password.TokenHash { return password.HashToken(s) }

func goodSignIn(m members.Member, session string) members.GoodSignIn {
	g := members.GoodSignIn{MemberID: m.ID, Password: m.Password, At: noon}
	if session != "" {
		g.Session = members.Session{ID: tokenHash(session), Created: noon, Seen: noon, Expires: noon.Add(time.Hour)}
	}
	return g
}

func TestSignedIn(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.add(members.Member{Username: "a", Status: members.Activated, Password: "$old",
			LockedUntil: noon, FailedSignIns: 4, LockThreshold: 9})
		if ok := must(e.SignedIn(t.Context(), goodSignIn(m, "one")))(t); !ok {
			t.Fatal("refused")
		}
		want := m
		want.LastLogin, want.LockedUntil, want.FailedSignIns, want.LockThreshold = noon, time.Time{}, 0, 0
		if d := cmp.Diff(want, e.get(m.ID), sameHash); d != "" {
			t.Errorf("member (-want +got):\n%s", d)
		}
		session := members.Session{ID: tokenHash("one"), Member: want, Created: noon, Seen: noon, Expires: noon.Add(time.Hour)}
		if d := cmp.Diff(session, must(e.FindSession(t.Context(), tokenHash("one")))(t), sameHash); d != "" {
			t.Errorf("session (-want +got):\n%s", d)
		}
		second := goodSignIn(m, "two")
		second.Replaces = tokenHash("one")
		if ok := must(e.SignedIn(t.Context(), second))(t); !ok || e.hasSession("one") || !e.hasSession("two") {
			t.Errorf("second sign-in %v, first session there %v, second %v", ok, e.hasSession("one"), e.hasSession("two"))
		}
	})
}

func (e *env) hasSession(id string) bool {
	e.t.Helper()
	s, err := e.FindSession(e.t.Context(), tokenHash(id))
	if err != nil {
		e.t.Fatal(err)
	}
	return !s.Member.Zero()
}

// Between the look-up and the record the member may get another password, or be locked.
func TestSignedInIsGuarded(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for name, m := range map[string]members.Member{
			"another password": {Status: members.Activated, Password: "$new"},
			"letter case":      {Status: members.Activated, Password: "$OLD"},
			"locked":           {Status: members.Activated, Password: "$old", Locked: true},
			"for a while":      {Status: members.Activated, Password: "$old", LockedUntil: noon.Add(time.Microsecond)},
			"disabled":         {Status: members.Disabled, Password: "$old"},
			"unactivated":      {Status: members.Unactivated, Password: "$old"},
		} {
			m.Username = name
			m = e.add(m)
			g := goodSignIn(m, name)
			g.Password = "$old"
			if must(e.SignedIn(t.Context(), g))(t) || e.hasSession(name) {
				t.Errorf("%s: signed in", name)
			}
			if d := cmp.Diff(m, e.get(m.ID), sameHash); d != "" {
				t.Errorf("%s: changed (-want +got):\n%s", name, d)
			}
		}
		nobody := goodSignIn(members.Member{}, "nobody")
		if must(e.SignedIn(t.Context(), nobody))(t) {
			t.Error("nobody signed in")
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		for _, id := range []string{"one", "two"} {
			must(e.SignedIn(t.Context(), goodSignIn(m, id)))(t)
		}
		for range 2 { // ending what is gone is fine
			if err := e.EndSession(t.Context(), tokenHash("one")); err != nil {
				t.Fatal(err)
			}
		}
		if e.hasSession("one") || !e.hasSession("two") {
			t.Errorf("ended %v, other there %v", !e.hasSession("one"), e.hasSession("two"))
		}
		late := goodSignIn(m, "three")
		late.At = noon.Add(time.Hour + time.Microsecond)
		late.Session.Expires = noon.Add(9 * time.Hour)
		must(e.SignedIn(t.Context(), late))(t)
		if e.hasSession("two") || !e.hasSession("three") {
			t.Error("an expired session stayed, or a good one went")
		}
	})
}

func TestTouchSessionGoesForward(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		must(e.SignedIn(t.Context(), goodSignIn(e.member("a", ""), "one")))(t)
		for _, at := range []time.Duration{time.Minute, time.Second} {
			if err := e.TouchSession(t.Context(), tokenHash("one"), noon.Add(at)); err != nil {
				t.Fatal(err)
			}
		}
		if s := must(e.FindSession(t.Context(), tokenHash("one")))(t); !s.Seen.Equal(noon.Add(time.Minute)) {
			t.Errorf("seen at %v", s.Seen)
		}
	})
}

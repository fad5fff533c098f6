package store_test

import (
	"database/sql"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
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

// failSignIn writes what change makes of the member that is stored.
func (e *env) failSignIn(id int64, change func(*members.Member)) bool {
	e.t.Helper()
	was := members.Member{}
	if id != 0 {
		was = e.get(id)
	}
	is := was
	change(&is)
	return must(e.SignInFailed(e.t.Context(), members.BadSignIn{Was: was, Is: is, Row: was.ID, Touch: 1 << 25}))(e.t)
}

func oneMore(m *members.Member) { m.FailedSignIns++ }

// A failure is stored with all that it changes, and with nobody else.
func TestFailedSignInsAreStored(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m, other := e.member("a", ""), e.member("b", "")
		want := m
		want.FailedSignIns, want.LockThreshold, want.BadSignIns = 3, 7, 12
		want.LockedUntil, want.FailClient, want.LockClient = noon.Add(time.Hour), "one", "Two"
		if !e.failSignIn(m.ID, func(m *members.Member) { *m = want }) {
			t.Error("not stored")
		}
		for id, want := range map[int64]members.Member{m.ID: want, other.ID: other} {
			if d := cmp.Diff(want, e.get(id), sameHash); d != "" {
				t.Errorf("member %d (-want +got):\n%s", id, d)
			}
		}
	})
}

// Simultaneous guesses all count: none gets in beside the count, since one that
// was counted from what is no longer there changes nothing.
func TestSimultaneousFailuresAllCount(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				for !e.failSignIn(m.ID, oneMore) {
				}
			})
		}
		wg.Wait()
		if got := e.standing(m.ID).Failed; got != 40 {
			t.Errorf("%d of 40 failures counted", got)
		}
		for name, change := range map[string]func(*members.Member){
			"failures":        func(m *members.Member) { m.FailedSignIns++ },
			"threshold":       func(m *members.Member) { m.LockThreshold++ },
			"failures in all": func(m *members.Member) { m.BadSignIns++ },
			"client":          func(m *members.Member) { m.FailClient = "other" },
			"password":        func(m *members.Member) { m.Password = "$other" },
		} {
			was := e.get(m.ID)
			change(&was)
			if must(e.SignInFailed(t.Context(), members.BadSignIn{Was: was, Is: was, Row: was.ID, Touch: 1 << 25}))(t) {
				t.Errorf("%s: written over a change", name)
			}
		}
	})
}

// What is stored of a member's failures is as long before the first one as after
// it, and after a lock, a sign-in and an unlock: rows don't get longer, which takes
// longer on MariaDB.
func TestFailuresDoNotLengthenRows(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		const client = "0123456789abcdef"
		fail := func(change func(*members.Member)) {
			t.Helper()
			if !e.failSignIn(m.ID, change) {
				t.Error("the failure does not count")
			}
		}
		for _, step := range []struct {
			name string
			do   func()
		}{
			{"added", func() {}},
			{"failed", func() { fail(func(m *members.Member) { m.FailedSignIns, m.FailClient = 1, client }) }},
			{"locked", func() { fail(func(m *members.Member) { m.FailedSignIns, m.FailClient = 0, "" }) }},
			{"signed in", func() {
				fail(func(m *members.Member) { m.FailedSignIns, m.FailClient = 1, client })
				if !must(e.SignedIn(t.Context(), members.GoodSignIn{MemberID: m.ID, Password: m.Password, At: noon}))(t) {
					t.Error("not signed in")
				}
			}},
			{"unlocked", func() {
				fail(func(m *members.Member) { m.FailedSignIns, m.FailClient = 1, client })
				if err := e.SetLocked(t.Context(), m.ID, false); err != nil {
					t.Error(err)
				}
			}},
		} {
			step.do()
			for _, id := range []int64{m.ID, 0} {
				if n := e.storedInt("LENGTH(fail_client)", id); n != len(client) {
					t.Errorf("%s: member %d has %d bytes, want %d", step.name, id, n, len(client))
				}
			}
			if got := e.get(m.ID).FailClient; step.name != "failed" && got != "" {
				t.Errorf("%s: the failures are %q's", step.name, got)
			}
		}
	})
}

// A server of before this width, which may run beside this one, leaves the client
// empty: failures count all the same.
func TestFailuresCountAfterAnOlderServer(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		if _, err := e.direct().ExecContext(t.Context(), "UPDATE members SET fail_client = '' WHERE id = ?", m.ID); err != nil {
			t.Fatal(err)
		}
		if !e.failSignIn(m.ID, oneMore) {
			t.Error("not counted")
		}
	})
}

// A failure costs the same statement whoever is meant, and changes the row that
// the look-up read: an unknown name leaves nothing in a member's but that.
func TestFailuresOfUnknownNamesCostTheSame(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		known := e.member("a", "")
		locked := e.add(members.Member{Username: "l", Status: members.Activated, LockedUntil: noon.Add(time.Hour)})
		var first []string
		for i, name := range []string{"a", "l", "k"} {
			found := must(e.FindMember(t.Context(), members.Lookup{Username: name}))(t)
			if want := []int64{known.ID, locked.ID, locked.ID}[i]; found.Row != want {
				t.Fatalf("%s: row %d was read, want %d", name, found.Row, want)
			}
			before := e.get(found.Row)
			is := found.Member
			oneMore(&is)
			touch := int64(1<<25 + i)
			asked := e.asked(func() {
				if !must(e.SignInFailed(t.Context(), members.BadSignIn{Was: found.Member, Is: is, Row: found.Row, Touch: touch}))(t) {
					t.Errorf("%s: not recorded", name)
				}
			})
			if i == 0 {
				first = asked
			}
			if d := cmp.Diff(first, asked); d != "" || len(asked) != 1 {
				t.Errorf("%s: statements (-known +got):\n%s", name, d)
			}
			if n := e.storedInt("touched", found.Row); int64(n) != touch {
				t.Errorf("%s: its row holds %d, want %d", name, n, touch)
			}
			after := e.get(found.Row)
			if d := cmp.Diff(before, after, sameHash); (d != "") != (name != "k") {
				t.Errorf("%s (-before +after):\n%s", name, d)
			}
		}
	})
}

// storedInt returns a number that an expression makes of a member's row.
func (e *env) storedInt(expression string, id int64) (n int) {
	e.t.Helper()
	if err := e.direct().QueryRowContext(e.t.Context(), "SELECT "+expression+" FROM members WHERE id = ?", id).Scan(&n); err != nil {
		e.t.Fatal(err)
	}
	return n
}

// direct opens the database past the store.
func (e *env) direct() *sql.DB {
	e.t.Helper()
	driver, dsn := "sqlite", "file:"+url.PathEscape(e.config.Path)
	if e.config.DSN != "" {
		driver, dsn = "mysql", e.config.DSN
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = db.Close() })
	return db
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
			LockedUntil: noon, FailedSignIns: 4, LockThreshold: 9, BadSignIns: 30, FailClient: "one", LockClient: "one"})
		if ok := must(e.SignedIn(t.Context(), goodSignIn(m, "one")))(t); !ok {
			t.Fatal("refused")
		}
		want := m
		want.LastLogin, want.LockedUntil, want.FailedSignIns, want.LockThreshold = noon, time.Time{}, 0, 0
		want.BadSignIns, want.FailClient, want.LockClient = 0, "", ""
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

// A lock that is for another client keeps nobody else out; it stays, but no
// longer than a lock may last.
func TestSignedInBesideAnothersLock(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		ends := noon.Add(time.Hour)
		for name, until := range map[string]time.Time{"for a while": noon.Add(time.Minute), "without end": noon.Add(1000 * time.Hour)} {
			m := e.add(members.Member{Username: name, Status: members.Activated, Password: "$old",
				LockedUntil: until, BadSignIns: 9, LockClient: "one"})
			g := goodSignIn(m, "")
			g.LockEnds = ends
			for client, want := range map[string]bool{"one": false, "": true, "two": true} {
				g.Client = client
				if got := must(e.SignedIn(t.Context(), g))(t); got != want {
					t.Errorf("%s, client %q: signed in %v", name, client, got)
				}
			}
			want := m
			want.LastLogin, want.BadSignIns, want.LockedUntil = noon, 0, until
			if until.After(ends) {
				want.LockedUntil = ends
			}
			if d := cmp.Diff(want, e.get(m.ID), sameHash); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	})
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

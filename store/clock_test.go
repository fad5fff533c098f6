package store_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store"
)

// Now follows the database's clock: MariaDB's own, and with SQLite, which has
// none, the machine's.
func TestNowFollowsTheDatabase(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for _, off := range []time.Duration{-time.Hour, time.Hour, -50 * time.Millisecond} {
			s := e.at(time.Now().Add(off))
			before := s.Now()
			if _, err := s.SyncClock(t.Context()); err != nil {
				t.Fatal(err)
			}
			corrected := e.config.DSN != "" && off.Abs() > time.Second
			if moved := s.Now().Sub(before); corrected != (moved.Abs() > time.Minute) || !corrected && moved != 0 {
				t.Errorf("a clock that is %v off was moved by %v", off, moved)
			}
			if d := time.Since(s.Now()); corrected && d.Abs() > 10*time.Second {
				t.Errorf("a clock that is %v off is %v off when corrected", off, d)
			}
		}
	})
}

// A clock that is found to be set back revives nothing that had expired, and
// ends nothing that hadn't (TOK-4).
func TestWhatExpiredStaysExpired(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		begin := time.Now().Truncate(time.Microsecond)
		m := e.member("anna", "anna@example.org")
		expired := e.order(m.ID, func(o *members.Order) { o.Created, o.Expires = begin, begin.Add(time.Minute) })
		good := e.order(m.ID, func(o *members.Order) { o.Created, o.Expires = begin, begin.Add(2*time.Hour) })
		session := func(name string, ends time.Time) password.TokenHash {
			id := password.HashToken(name)
			if ok := must(e.SignedIn(t.Context(), members.GoodSignIn{MemberID: m.ID, Password: "$old", At: begin,
				Session: members.Session{ID: id, Created: begin, Seen: begin, Expires: ends}}))(t); !ok {
				t.Fatal("not signed in")
			}
			return id
		}
		old, young := session("old", begin.Add(time.Minute)), session("young", begin.Add(2*time.Hour))
		later := e.at(begin.Add(time.Hour))
		if err := later.CheckWrite(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := e.at(begin)
		if by := must(s.SyncClock(t.Context()))(t); by < 59*time.Minute || by > time.Hour+time.Minute {
			t.Errorf("set back by %v, want an hour", by)
		}
		c := completion(expired)
		c.At = begin
		if must(s.Complete(t.Context(), c))(t) {
			t.Error("a token that had expired is good again")
		}
		if found := must(s.FindSession(t.Context(), old))(t); found.Member.ID != 0 {
			t.Error("a session that had ended is there again")
		}
		if found := must(s.FindSession(t.Context(), young))(t); found.Member.ID != m.ID {
			t.Error("a session that goes on was ended")
		}
		if by := must(s.SyncClock(t.Context()))(t); by != 0 {
			t.Errorf("set back once more, by %v", by)
		}
		c = completion(good)
		c.At = begin
		if !must(s.Complete(t.Context(), c))(t) {
			t.Error("a token that is good was ended")
		}
	})
}

// While it runs, a server's time doesn't go back with the machine's clock, and
// neither does it stay behind when the two are compared again.
func TestNowNeverGoesBackWithTheMachine(t *testing.T) {
	back := time.Duration(0)
	c := newEnv(t, store.Config{Path: freshFile(t)}).config
	c.Now = func() time.Time { return setBack(time.Now(), back) }
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.SyncClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckWrite(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := s.Now()
	back = time.Hour
	if d := s.Now().Round(0).Sub(before.Round(0)); d < 0 || d > time.Minute {
		t.Errorf("the time moved by %v when the clock was set back", d)
	}
	if by := must(s.SyncClock(t.Context()))(t); by < 59*time.Minute || by > time.Hour {
		t.Errorf("set back by %v, want an hour", by)
	}
	if d := s.Now().Round(0).Sub(before.Round(0)); d > -59*time.Minute {
		t.Errorf("the time is %v off after the clocks were compared", d)
	}
}

// setBack returns a reading of a clock that was set back since the program's
// start: the time it shows is another, its monotonic part goes on. Whole hours.
func setBack(t time.Time, by time.Duration) time.Time {
	const secondsFrom = 30 // bits of nanoseconds before them, in time.Time's first word
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall -= uint64(by/time.Second) << secondsFrom
	return t
}

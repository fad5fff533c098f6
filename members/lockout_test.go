package members

import (
	"strconv"
	"testing"
	"time"
)

var lockNoon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// try is a refused sign-in of the tests: after a time, by a client.
func try(m Member, client string, after time.Duration) (Member, bool) {
	now := lockNoon.Add(after)
	return m.failed(failure{client: client, threshold: 3, now: now, until: now.Add(time.Hour)})
}

// Failures of one client lock that client out and no other; those of several
// lock everybody out, also if each of them stays below the threshold.
func TestLockIsForWhoIsAtWork(t *testing.T) {
	for name, test := range map[string]struct {
		clients []string
		locks   int // the failure that does, from 1; 0: none
		free    string
		locked  string
	}{
		"one client":                {[]string{"a", "a", "a"}, 3, "b", "a"},
		"two clients":               {[]string{"a", "b", "a"}, 3, "", "c"},
		"two failures":              {[]string{"a", "a"}, 0, "a", ""},
		"a typo during the lock":    {[]string{"a", "a", "a", "b"}, 3, "b", "a"},
		"a second client is locked": {[]string{"a", "a", "a", "b", "b", "b"}, 6, "", "c"},
		"during its lock a client is not counted for others": {[]string{"a", "a", "a", "b", "b", "a", "a", "a"}, 3, "b", "a"},
		"nor are others forgotten for it":                    {[]string{"a", "a", "a", "b", "b", "a", "b"}, 7, "", "c"},
	} {
		m, locks := Member{}, 0
		for i, client := range test.clients {
			before := m
			var now bool
			if m, now = try(m, client, time.Duration(i)*time.Second); now {
				locks = i + 1
			}
			if m == before {
				t.Errorf("%s: failure %d leaves no trace", name, i+1)
			}
		}
		if locks != test.locks {
			t.Errorf("%s: failure %d locks, want %d", name, locks, test.locks)
		}
		at := lockNoon.Add(time.Minute)
		if test.free != "" && m.lockedFor(test.free, at) {
			t.Errorf("%s: %q is locked out", name, test.free)
		}
		if test.locked != "" && !m.lockedFor(test.locked, at) {
			t.Errorf("%s: %q is not locked out", name, test.locked)
		}
		if m.lockedFor("a", lockNoon.Add(2*time.Hour)) {
			t.Errorf("%s: locked for longer than drawn", name)
		}
	}
}

// However many locks come and go, no password stands more than 100 failures in a
// row (LOD-8): one client alone has 99, several have 100 together.
func TestFailuresCountThroughAllLocks(t *testing.T) {
	for clients, want := range map[int]int{1: 99, 2: 100, 50: 100} {
		m, guesses := Member{}, 0
		for i := range 1000 {
			client, after := strconv.Itoa(i%clients), time.Duration(i)*2*time.Hour // all locks are over by then
			if !m.lockedFor(client, lockNoon.Add(after)) {
				guesses++
			}
			m, _ = try(m, client, after)
		}
		if guesses != want || m.BadSignIns != want {
			t.Errorf("%d clients had %d guesses, counted as %d, want %d", clients, guesses, m.BadSignIns, want)
		}
		if stranger := m.lockedFor("stranger", lockNoon.Add(20000*time.Hour)); stranger != (clients > 1) {
			t.Errorf("after failures of %d clients another one is locked out: %v", clients, stranger)
		}
	}
	m := Member{BadSignIns: maxBadSignIns - 1, LockClient: "a", LockedUntil: untilReset}
	if m, _ = try(m, "b", 0); !m.lockedFor("b", lockNoon) || !m.lockedFor("c", lockNoon.Add(10000*time.Hour)) {
		t.Errorf("the hundredth failure leaves the password open: %+v", m)
	}
}

// The names of nobody are remembered by a bounded number.
func TestUnknownNamesAreBounded(t *testing.T) {
	var s unknownNames
	for i := range 5 * maxUnknownNames {
		s.set(strconv.Itoa(i), Member{FailedSignIns: i + 1})
		if i%100 == 0 {
			s.set("Busy", Member{FailedSignIns: 7})
		}
	}
	if n := len(s.new) + len(s.old); n > 2*maxUnknownNames {
		t.Errorf("%d names are remembered", n)
	}
	if s.get("busy").FailedSignIns != 7 || s.get(strconv.Itoa(5*maxUnknownNames-1)).FailedSignIns != 5*maxUnknownNames {
		t.Error("the latest are forgotten")
	}
	if s.get("0").FailedSignIns != 0 {
		t.Error("the first one is remembered")
	}
}

//go:build timing

package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"reseed/members"
)

// A sign-in that is refused takes the same time for a member, for nobody, and
// for an account that is locked after failed sign-ins, by the method of
// TestTime, with hashing made a thousand times cheaper so that it does not hide
// the rest. A planted difference of 100 µs must be found in the same run. What
// is left on SQLite, a few microseconds since nobody's row is the warmer one to
// write, comes to |t| of about 5 here; behind a real hash, of 50 ms that vary by more than
// one, and with tries that lock the account, it can't be measured.
func TestSignInTime(t *testing.T) {
	const n = 3000
	onBoth(t, func(t *testing.T, dsn string) {
		w := &signInWatch{site: startSite(t, siteConfig{dsn: dsn, realTime: true})}
		w.populate(t, 3*n+1500)
		if found := w.compare(t, "known", "known", n, 100*time.Microsecond); found < 10 {
			t.Fatalf("void: a planted difference of 100 µs has |t| = %.1f only", found)
		}
		for _, other := range []string{"known", "unknown", "locked"} {
			if found := w.compare(t, "known", other, n, 0); found > 10 {
				t.Errorf("known against %s: |t| = %.1f", other, found)
			}
		}
	})
}

// signInWatch times refused sign-ins of one site.
type signInWatch struct {
	site *testSite
	size int
}

// populate adds members of which every second one is locked.
func (w *signInWatch) populate(t *testing.T, n int) {
	t.Helper()
	hash, err := w.site.members.Hasher.Hash(t.Context(), "old-Garden-12-gate")
	if err != nil {
		t.Fatal(err)
	}
	for ; w.size < n; w.size += 500 {
		var batch []members.NewMember
		for i := range 500 {
			m := members.Member{Username: fmt.Sprintf("k%09d", 2*(w.size+i)), Status: members.Activated, Password: hash}
			if i%2 == 1 {
				m.LockedUntil = time.Now().Add(time.Hour)
			}
			batch = append(batch, members.NewMember{Member: m})
		}
		if _, err := w.site.store.AddMembers(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
}

// name returns a name of a class at random; the unknown ones lie between the others.
func (w *signInWatch) name(class string) string {
	i := 2 * rand.IntN(w.size/2)
	switch class {
	case "locked":
		return fmt.Sprintf("k%09d", 2*(i+1))
	case "unknown":
		return fmt.Sprintf("k%09d", 2*i+1)
	default:
		return fmt.Sprintf("k%09d", 2*i)
	}
}

func (w *signInWatch) compare(t *testing.T, a, b string, n int, plant time.Duration) float64 {
	t.Helper()
	var times [2][]float64
	for i := 0; len(times[0]) < n || len(times[1]) < n; i++ {
		class := rand.IntN(2)
		took := w.ask(t, w.name([]string{a, b}[class]))
		if class == 0 {
			took += plant
		}
		if i >= 200 && len(times[class]) < n {
			times[class] = append(times[class], float64(took.Nanoseconds())/1000)
		}
	}
	worst, at := worstT(times[0], times[1])
	t.Logf("%s (+%v) | %s: n = %d each, means differ by %.2f ± %.2f µs (95 %%), max |t| = %.2f (%s)",
		a, plant, b, n, mean(times[0])-mean(times[1]), 1.96*stderr(times[0], times[1]), worst, at)
	return worst
}

func (w *signInWatch) ask(t *testing.T, name string) time.Duration {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/authenticate",
		strings.NewReader("action=login&password=wrong&username="+name))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	start := time.Now()
	w.site.handler.ServeHTTP(answer, r)
	took := time.Since(start)
	if answer.Code != http.StatusUnauthorized {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	return took
}

//go:build timing

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// A sign-in that is refused takes the same time for a member, for an unknown
// name, and for an account that is locked after failed sign-ins, by the method of
// TestTime, with hashing made a thousand times cheaper so that it does not hide
// the rest. A planted difference of 100 µs must be found in the same run.
func TestSignInTime(t *testing.T) {
	n := samples(t)
	onBoth(t, func(t *testing.T, dsn string) {
		w := &signInWatch{site: startSite(t, siteConfig{dsn: dsn, realTime: true}), bound: 4.5}
		w.judge(t, n, 100*time.Microsecond, "unknown", "locked")
	})
}

// The same for the failure that locks the account, which orders a mail. On MariaDB
// a row that gets longer by its lock takes some 15 µs more (|t| about 7); a name
// is locked once in a quarter of an hour, so that nobody averages over it.
func TestSignInTimeAtTheLock(t *testing.T) {
	n := samples(t)
	onBoth(t, func(t *testing.T, dsn string) {
		w := &signInWatch{site: startSite(t, siteConfig{dsn: dsn, realTime: true, settings: "min-bad-logins = 2\nmax-bad-logins = 2\n"}), before: 1, bound: 4.5}
		if dsn != "" {
			w.bound = 10
		}
		w.judge(t, n, 100*time.Microsecond, "unknown")
	})
}

// The same for the login of a Wix site, whose group the members belong to.
func TestWixSignInTime(t *testing.T) {
	n := samples(t)
	onBoth(t, func(t *testing.T, dsn string) {
		w := &signInWatch{site: startSite(t, siteConfig{dsn: dsn, realTime: true}), bound: 4.5}
		site, err := w.site.Store.FindSite(t.Context(), acmeSite)
		if err != nil {
			t.Fatal(err)
		}
		granted, err := w.site.Members.GrantVisitor(t.Context(), site)
		if err != nil {
			t.Fatal(err)
		}
		w.access, w.groups = granted.Access, []int64{site.GroupID}
		w.judge(t, n, 100*time.Microsecond, "unknown", "locked")
	})
}

// The same over a mixture of hashes: the site's own, and one of each kind that is
// taken over. Every refusal takes as long as the slowest kind, whose time varies
// by more than the rest takes: so the planted difference is 5 ms.
func TestSignInTimeOverImportedHashes(t *testing.T) {
	n := samples(t)
	hashes := importedHashes(t)
	onBoth(t, func(t *testing.T, dsn string) {
		w := &signInWatch{site: startSite(t, siteConfig{dsn: dsn, realTime: true}), hashes: hashes, bound: 4.5}
		w.judge(t, n, 5*time.Millisecond, "unknown", "locked")
	})
}

// importedHashes are a hash of the site's own kind and those of the test vectors.
func importedHashes(t *testing.T) []password.Hash {
	t.Helper()
	text, err := os.ReadFile("password/testdata/imported.txt")
	if err != nil {
		t.Fatal(err)
	}
	hashes := []password.Hash{cheapHash(t)}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(cells) == 3 {
			hashes = append(hashes, password.Hash(cells[1]))
		}
	}
	if len(hashes) < 8 {
		t.Fatalf("only %d kinds of hashes", len(hashes))
	}
	return hashes
}

// signInWatch times refused sign-ins of one site.
type signInWatch struct {
	site   *testSite
	access string              // a visitor's token of the Wix site; "": the PageSeeder service
	groups []int64             // that the members belong to
	hashes []password.Hash     // that the members have, at random; none: one of the site's own
	bound  float64             // of |t|
	before int                 // refused sign-ins by each name before the one that is timed
	names  map[string][]string // by class, in an order of chance; each serves once
}

// warmUp is how many answers of each comparison don't count, or half of those
// that do, if they are few.
const warmUp = 200

// judge compares members with other classes, and checks the method in the same run.
func (w *signInWatch) judge(t *testing.T, n int, plant time.Duration, others ...string) {
	t.Helper()
	w.populate(t, 8*n+2000)
	if err := w.site.Members.LearnHashes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := w.compare(t, "known", "known", n, plant); found < 10 {
		t.Fatalf("void: a planted difference of %v has |t| = %.1f only", plant, found)
	}
	for _, other := range append([]string{"known"}, others...) {
		if found := w.compare(t, "known", other, n, 0); found > w.bound {
			t.Errorf("known against %s: |t| = %.1f", other, found)
		}
	}
}

// populate adds members, some of them locked; the unknown names lie between theirs.
func (w *signInWatch) populate(t *testing.T, size int) {
	t.Helper()
	if len(w.hashes) == 0 {
		hash, err := w.site.Members.Hasher.Hash(t.Context(), "old-Garden-12-gate")
		if err != nil {
			t.Fatal(err)
		}
		w.hashes = []password.Hash{hash}
	}
	w.names = map[string][]string{}
	for first := 0; first < size; first += 500 {
		var batch []members.NewMember
		for i := first; i < first+500; i++ {
			name := fmt.Sprintf("k%09d", 2*i)
			m := members.Member{Username: name, Email: name + "@example.org", Status: members.Activated, Password: w.hashes[rand.IntN(len(w.hashes))]}
			class := "known"
			if i%5 == 4 {
				class = "locked"
				m.LockedUntil = time.Now().Add(time.Hour)
			}
			w.names[class] = append(w.names[class], name)
			w.names["unknown"] = append(w.names["unknown"], fmt.Sprintf("k%09d", 2*i+1))
			batch = append(batch, members.NewMember{Member: m, Groups: w.groups})
		}
		if _, err := w.site.Store.AddMembers(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range w.names {
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
}

// name returns a name of a class that was not asked for yet.
func (w *signInWatch) name(t *testing.T, class string) string {
	t.Helper()
	list := w.names[class]
	if len(list) == 0 {
		t.Fatalf("no %s names are left", class)
	}
	w.names[class] = list[1:]
	return list[0]
}

func (w *signInWatch) compare(t *testing.T, a, b string, n int, plant time.Duration) float64 {
	t.Helper()
	var times [2][]float64
	for i := 0; len(times[0]) < n || len(times[1]) < n; i++ {
		class := rand.IntN(2)
		name := w.name(t, []string{a, b}[class])
		for range w.before {
			w.ask(t, name)
		}
		took := w.ask(t, name)
		if class == 0 {
			took += plant
		}
		if i >= min(warmUp, n/2) && len(times[class]) < n {
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
	if w.access != "" {
		r = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/_api/iam/authentication/v2/login",
			strings.NewReader(`{"loginId":{"email":"`+name+`@example.org"},"password":"wrong"}`))
		r.Header.Set("Authorization", w.access)
	}
	answer := httptest.NewRecorder()
	start := time.Now()
	w.site.Handler.ServeHTTP(answer, r)
	took := time.Since(start)
	if answer.Code != http.StatusUnauthorized {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	return took
}

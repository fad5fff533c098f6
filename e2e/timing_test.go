//go:build timing

package e2e

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/members"
)

// An account that exists and one that doesn't take the same time (ENU-2), by
// the method of requirements 4.1: a coin tosses who is asked for, on one
// connection, with identifiers of one length, each used once; Welch's t over
// all times and over those below the pooled percentiles, the largest counts.
// In the same run, a difference of 100 µs that is planted must be found, and
// two classes that are both known must not be told apart.
func TestTime(t *testing.T) {
	n := samples(t)
	onBoth(t, func(t *testing.T, dsn string) {
		for _, step := range []string{"", "&token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2&member-password=violet-Harbor-93-maple"} {
			name := "step 1"
			if step != "" {
				name = "step 2"
			}
			t.Run(name, func(t *testing.T) {
				fresh := dsn
				if dsn != "" {
					fresh = testDSN(t)
				}
				w := newStopwatch(t, fresh, n, step)
				w.judge(t, n, "known", "unknown")
			})
		}
	})
}

// samples is how many answers of each class are timed.
func samples(t *testing.T) int {
	t.Helper()
	s := os.Getenv("RESEED_TIMING_N")
	if s == "" {
		return 10_000
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// While the mail server says nothing, answers take no more time for those who
// have a mail to get than for others (ENU-5).
func TestStuckMailTime(t *testing.T) {
	n := samples(t)
	addr, accepted := hostFor(t, func(net.Conn) {})
	w := newStopwatch(t, "", n, "", "smtp = \"smtp://"+addr+"?starttls=never\"\n")
	w.ask(t, "known", false)
	defer startWorker(t, w.site)()
	<-accepted
	w.judge(t, n, "known", "unknown")
}

// How much of a token is guessed right can't be told from the time that it
// takes to be refused (TOK-14).
func TestTokenTime(t *testing.T) {
	n := samples(t)
	w := newStopwatch(t, "", n, "&token=")
	token := w.site.mailedToken(t, "ann@example.org")
	end := map[bool]string{true: "B", false: "A"}[token[31] == 'A']
	w.steps = map[string]string{
		"31 of 32": "&member-password=" + goodPassword + "&token=" + token[:31] + end,
		"none":     "&member-password=" + goodPassword + "&token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2",
	}
	w.step = w.steps["none"]
	w.judge(t, n, "31 of 32", "none")
}

// judge compares two classes, and checks the method in the same run.
func (w *stopwatch) judge(t *testing.T, n int, a, b string) {
	t.Helper()
	if found := w.compare(t, "known, and 100 µs more", "known", n, 100*time.Microsecond); found < 10 {
		t.Fatalf("void: a planted difference of 100 µs has |t| = %.1f only", found)
	}
	if null := w.compare(t, "known", "known", n, 0); null > 4.5 {
		t.Errorf("void: two alike classes have |t| = %.1f", null)
	}
	if found := w.compare(t, a, b, n, 0); found > 4.5 {
		t.Errorf("%s against %s: |t| = %.1f", a, b, found)
	}
}

// stopwatch times answers of one server over one connection.
type stopwatch struct {
	site   *testSite
	conn   net.Conn
	read   *bufio.Reader
	step   string
	steps  map[string]string                               // of classes that differ in it
	wix    string                                          // path of a Wix service to ask instead
	other  func(name string) (method, target, form string) // another service to ask instead
	status members.Status                                  // of those that are known
	known  []string                                        // not asked for yet
	plant  time.Duration
}

func newStopwatch(t *testing.T, dsn string, n int, step string, settings ...string) *stopwatch {
	t.Helper()
	return newStopwatchOf(t, dsn, n, step, members.Activated, settings...)
}

// newStopwatchOf has members of a status that is asked for.
func newStopwatchOf(t *testing.T, dsn string, n int, step string, status members.Status, settings ...string) *stopwatch {
	t.Helper()
	site := startSite(t, siteConfig{dsn: dsn, realTime: true, settings: "site-mails-per-day = 1000000\n" + strings.Join(settings, "")})
	w := &stopwatch{site: site, step: step, status: status}
	w.populate(t, site, 7*n+2000)
	srv := httptest.NewServer(w.planted(site.Handler))
	t.Cleanup(srv.Close)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	w.conn, w.read = conn, bufio.NewReader(conn)
	return w
}

// populate adds members and puts them into an order of chance.
func (w *stopwatch) populate(t *testing.T, site *testSite, n int) {
	t.Helper()
	for len(w.known) < n {
		var batch []members.NewMember
		for range 500 {
			name := fmt.Sprintf("k%09d", 2*len(w.known)) // strangers are the odd ones between
			w.known = append(w.known, name)
			batch = append(batch, members.NewMember{Member: members.Member{
				Username: name, Email: name + "@example.org", Status: w.status,
			}, Groups: []int64{site.ids["acme-specs"]}})
		}
		if _, err := site.Store.AddMembers(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	rand.Shuffle(len(w.known), func(i, j int) { w.known[i], w.known[j] = w.known[j], w.known[i] })
}

// planted works for a while longer on the requests that are marked.
func (w *stopwatch) planted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Plant") == "1" {
			for start := time.Now(); time.Since(start) < w.plant; {
			}
		}
		next.ServeHTTP(rw, r)
	})
}

// compare times n answers of each class and returns the largest |t|.
func (w *stopwatch) compare(t *testing.T, a, b string, n int, plant time.Duration) float64 {
	t.Helper()
	w.plant = plant
	var times [2][]float64
	for i := 0; len(times[0]) < n || len(times[1]) < n; i++ {
		class := rand.IntN(2)
		took := w.ask(t, []string{a, b}[class], class == 0 && plant > 0)
		if i >= 200 && len(times[class]) < n {
			times[class] = append(times[class], float64(took.Nanoseconds())/1000)
		}
	}
	worst, at := worstT(times[0], times[1])
	slices.Sort(times[0])
	slices.Sort(times[1])
	t.Logf("%s | %s: n = %d each, medians %.0f and %.0f µs, means differ by %.2f ± %.2f µs (95 %%), max |t| = %.2f (%s)",
		a, b, n, times[0][n/2], times[1][n/2], mean(times[0])-mean(times[1]), 1.96*stderr(times[0], times[1]), worst, at)
	return worst
}

// ask times one request, from its last byte sent to the answer's last byte read.
func (w *stopwatch) ask(t *testing.T, class string, mark bool) time.Duration {
	t.Helper()
	name := w.known[len(w.known)-1]
	if w.known = w.known[:len(w.known)-1]; len(w.known) == 0 {
		t.Fatal("out of members")
	}
	if class == "unknown" {
		name = name[:9] + string(name[9]+1)
	}
	step := w.step
	if own, ok := w.steps[class]; ok {
		step = own
	}
	form := "email=" + name + "@example.org" + step
	request := fmt.Sprintf("POST /members/resetpassword HTTP/1.1\r\nHost: localhost\r\nX-Plant: %d\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", map[bool]int{true: 1}[mark], len(form), form)
	if w.wix != "" {
		request = w.wixRequest(name+"@example.org", mark)
	}
	if w.other != nil {
		method, target, form := w.other(name)
		request = fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nX-Plant: %d\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", method, target, map[bool]int{true: 1}[mark], len(form), form)
	}
	start := time.Now()
	if _, err := w.conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(w.read, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.read.Discard(int(resp.ContentLength)); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	if want := map[bool]int{true: 200, false: 400}[w.step == ""]; resp.StatusCode != want {
		t.Fatalf("status %d, want %d", resp.StatusCode, want)
	}
	return took
}

// worstT returns the largest |t| over all times and over those below the
// pooled percentiles.
func worstT(a, b []float64) (worst float64, at string) {
	pooled := slices.Sorted(slices.Values(slices.Concat(a, b)))
	for _, percentile := range []int{100, 99, 95, 90, 75, 50} {
		bound := pooled[(len(pooled)-1)*percentile/100]
		if v := math.Abs(welch(below(a, bound), below(b, bound))); v > worst {
			worst, at = v, fmt.Sprintf("below percentile %d", percentile)
		}
	}
	return worst, at
}

func below(all []float64, bound float64) []float64 {
	var kept []float64
	for _, v := range all {
		if v <= bound {
			kept = append(kept, v)
		}
	}
	return kept
}

// welch returns Welch's t.
func welch(a, b []float64) float64 { return (mean(a) - mean(b)) / stderr(a, b) }

func stderr(a, b []float64) float64 {
	return math.Sqrt(variance(a)/float64(len(a)) + variance(b)/float64(len(b)))
}

func mean(all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}

func variance(all []float64) float64 {
	m, sum := mean(all), 0.0
	for _, v := range all {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(all)-1)
}

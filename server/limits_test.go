package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Whoever has a /56 or a /48 has many a /64, and no more requests for that than
// are stated (the issue: IPv6 was counted by /64 alone).
func TestIPv6IsCountedByItsLargerNetworksToo(t *testing.T) {
	for name, c := range map[string]struct {
		address func(i int) netip.Addr
		want    int
	}{
		"one /64": {func(i int) netip.Addr { return ip6(0, 0, uint16(i)) }, 10},
		"one /56": {func(i int) netip.Addr { return ip6(0, uint8(i), 0) }, 40},
		"one /48": {func(i int) netip.Addr { return ip6(uint8(i), uint8(i>>8), 0) }, 160},
	} {
		l := newLimiter(Rates{Client: 10})
		taken := 0
		for i := range 2000 {
			if l.take(c.address(i), start) == 0 {
				taken++
			}
		}
		if taken != c.want {
			t.Errorf("%s: %d of 2000 are let in, want %d", name, taken, c.want)
		}
	}
}

// ip6 is an address of one /48: high and low pick the /64 in it, a /56 having one high.
func ip6(high, low uint8, host uint16) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 1, high, low, 14: byte(host >> 8), 15: byte(host)})
}

func netOf(s string) netip.Addr { return request.Network(netip.MustParseAddr(s)) }

// taken counts how many of n requests a client gets through at one moment.
func (l *limiter) taken(client string, n int, now time.Time) int {
	got := 0
	for range n {
		if l.take(netOf(client), now) == 0 {
			got++
		}
	}
	return got
}

func TestLimitOfAClient(t *testing.T) {
	l := newLimiter(Rates{Client: 60})
	if got := l.taken("192.0.2.1", 100, start); got != 60 {
		t.Errorf("%d requests at once, want 60", got)
	}
	if got := l.taken("192.0.2.2", 100, start); got != 60 {
		t.Errorf("another address: %d, want 60", got)
	}
	if wait := l.take(netOf("192.0.2.1"), start); wait != time.Second {
		t.Errorf("wait %v, want 1s", wait)
	}
	if got := l.taken("192.0.2.1", 100, start.Add(10*time.Second)); got != 10 {
		t.Errorf("10 s later: %d, want 10", got)
	}
	if got := l.taken("192.0.2.1", 100, start.Add(-time.Hour)); got != 0 {
		t.Errorf("with the clock set back: %d, want 0", got)
	}
	if got := l.taken("192.0.2.1", 100, start.Add(24*time.Hour)); got != 60 {
		t.Errorf("a day later: %d, want 60 and no more", got)
	}
}

func TestLimitCountsIPv6By64(t *testing.T) {
	l := newLimiter(Rates{Client: 10})
	l.taken("2001:db8:1:2::1", 5, start)
	if got := l.taken("2001:db8:1:2:ffff::9", 100, start); got != 5 {
		t.Errorf("the same /64: %d, want 5", got)
	}
	if got := l.taken("2001:db8:1:3::1", 100, start); got != 10 {
		t.Errorf("another /64: %d, want 10", got)
	}
}

func TestLimitInTotal(t *testing.T) {
	l := newLimiter(Rates{Client: 60, Total: 90})
	l.taken("192.0.2.1", 100, start)
	if got := l.taken("192.0.2.2", 100, start); got != 30 {
		t.Errorf("what is left of the total: %d, want 30", got)
	}
	// Refused requests count for nobody.
	if got := l.taken("192.0.2.2", 100, start.Add(20*time.Second)); got != 30 {
		t.Errorf("20 s later: %d, want 30", got)
	}
	off := newLimiter(Rates{})
	if got := off.taken("192.0.2.1", 1e5, start); got != 1e5 {
		t.Errorf("without limits: %d", got)
	}
	total := newLimiter(Rates{Total: 7})
	if got := total.taken("192.0.2.1", 10, start); got != 7 || len(total.young) != 0 {
		t.Errorf("the total alone: %d, %d clients kept", got, len(total.young))
	}
}

func TestLimitChargesGuesses(t *testing.T) {
	l := newLimiter(Rates{Client: 60})
	for range 1000 {
		l.charge(netOf("192.0.2.1"), guessWeight, start)
	}
	if got := l.taken("192.0.2.1", 10, start.Add(59*time.Second)); got != 0 {
		t.Errorf("after many guesses %d requests get through", got)
	}
	if got := l.taken("192.0.2.1", 1, start.Add(61*time.Second)); got != 1 {
		t.Error("guesses shut a client out for more than a minute")
	}
	if got := l.taken("192.0.2.2", 100, start); got != 60 {
		t.Errorf("another client pays for them: %d", got)
	}
}

// Any number of addresses takes a fixed space (LOD-6), and a client that asks
// all the time is not forgotten.
func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(Rates{Client: 60})
	l.taken("192.0.2.1", 60, start)
	for i := range 1_000_000 {
		l.take(netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 1}), start)
		if i%10_000 == 0 && l.taken("192.0.2.1", 1, start.Add(time.Millisecond)) != 0 {
			t.Fatalf("after %d addresses the client is let in", i)
		}
		if n := len(l.young) + len(l.old); n > 2*rememberedClients {
			t.Fatalf("%d clients kept", n)
		}
	}
}

// limited is a server with limits that answers nothing but errors.
func limited(t *testing.T, r Rates) *httptest.Server {
	t.Helper()
	h := New(Config{SitePrefix: "/ps", Rates: r, Now: func() time.Time { return start }, Log: slog.New(slog.DiscardHandler),
		Health: calm{}, Proxies: request.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func get(t *testing.T, url, client string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", client)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// A client over its limit gets 429 with the time to wait (LOD-5); others, and
// the health endpoints, are served.
func TestOverTheLimit(t *testing.T) {
	srv := limited(t, Rates{Client: 3})
	for i := range 3 {
		if status, _, _ := get(t, srv.URL+"/nothing", "192.0.2.1"); status != 404 {
			t.Fatalf("request %d: %d", i, status)
		}
	}
	status, header, body := get(t, srv.URL+"/ps/api/nothing.json", "192.0.2.1")
	if want := `{"id":"F003","request":"/ps/api/nothing.json","message":"Too many requests"}`; status != 429 || body != want {
		t.Errorf("%d %s, want 429 %s", status, body, want)
	}
	if got := header.Get("Retry-After"); got != "20" {
		t.Errorf("Retry-After %q, want 20: a third of a minute for each of 3 a minute", got)
	}
	if got := header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if status, _, _ := get(t, srv.URL+"/nothing", "192.0.2.2"); status != 404 {
		t.Errorf("another client behind the proxy: %d", status)
	}
	for range 20 {
		if status, _, _ := get(t, srv.URL+"/readyz", "192.0.2.1"); status != 200 {
			t.Fatalf("/readyz: %d", status)
		}
	}
}

// What is in flight is bounded, and what is beyond is turned away at once (LOD-1).
func TestInFlightBound(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s := &server{Config: Config{Limits: Limits{InFlight: 1}.withDefaults(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}, limiter: newLimiter(Rates{})}
	h := s.edge(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		w.WriteHeader(http.StatusOK)
	}))
	first := make(chan struct{})
	go func() {
		defer close(first)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/x", strings.NewReader("")))
	}()
	<-entered
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/x", unreadable{t})) // before its body, too
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), fmt.Sprintf(`id="%s"`, errcodes.Unavailable)) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	close(leave)
	<-first
}

// A place that was free when a request came may be taken by the time its body
// is there.
func TestPlacesFillWhileABodyComes(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s := &server{Config: Config{Limits: Limits{InFlight: 1}.withDefaults(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}, limiter: newLimiter(Rates{})}
	h := s.edge(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	}))
	body, sender := io.Pipe()
	slow, slowEnded := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(slowEnded)
		h.ServeHTTP(slow, httptest.NewRequest(http.MethodPost, "/x", body))
	}()
	if _, err := sender.Write([]byte("x")); err != nil { // it is being read: the request found a place free
		t.Fatal(err)
	}
	firstEnded := make(chan struct{})
	go func() {
		defer close(firstEnded)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/x", nil))
	}()
	<-entered
	sender.Close()
	select {
	case <-entered:
		t.Error("two requests in one place")
	case <-slowEnded:
		if slow.Code != 503 {
			t.Errorf("%d %s", slow.Code, slow.Body)
		}
	}
	close(leave)
	<-firstEnded
	<-slowEnded
}

// Large bodies that are slow to come are bounded (LOD-4), and keep out nobody
// but those who send others.
func TestLargeBodiesAreBounded(t *testing.T) {
	s := &server{Config: Config{Limits: Limits{InFlight: 1}.withDefaults(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}, limiter: newLimiter(Rates{})}
	h := s.edge(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	ask := func(body io.Reader, length int64) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/x", body)
		r.ContentLength = length
		h.ServeHTTP(w, r)
		return w
	}
	body, sender := io.Pipe()
	slow := make(chan *httptest.ResponseRecorder)
	go func() { slow <- ask(body, smallBody+1) }()
	if _, err := sender.Write([]byte("x")); err != nil { // it is being read
		t.Fatal(err)
	}
	for _, length := range []int64{-1, smallBody + 1} {
		if w := ask(unreadable{t}, length); w.Code != 503 {
			t.Errorf("another one of length %d beside it: %d %s", length, w.Code, w.Body)
		}
	}
	if w := ask(strings.NewReader("a=b"), 3); w.Code != 200 {
		t.Errorf("a small one beside it: %d %s", w.Code, w.Body)
	}
	sender.Close()
	if w := <-slow; w.Code != 200 {
		t.Errorf("the large one: %d %s", w.Code, w.Body)
	}
	if w := ask(strings.NewReader("a=b"), -1); w.Code != 200 {
		t.Errorf("the next one: %d %s", w.Code, w.Body)
	}
}

// A suite of tests beside a server that mails nothing asks and guesses as often as
// it likes; the total holds, and so does the limit of those who come from
// elsewhere, also by a proxy on this machine.
func TestThisMachineIsSpared(t *testing.T) {
	wrong := func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
		return 0, errcodes.New(errcodes.InvalidToken)
	}
	statuses := func(r Rates, from string, header ...string) (counts map[int]int) {
		h := New(Config{Members: &fakeMembers{reset: wrong}, Sessions: noSessions{}, SitePrefix: "/ps", Rates: r,
			Now: func() time.Time { return start }, Log: slog.New(slog.DiscardHandler)})
		counts = map[int]int{}
		for range 100 {
			req := httptest.NewRequest(http.MethodPost, resetPath, nil)
			req.RemoteAddr = from
			for i := 0; i+1 < len(header); i += 2 {
				req.Header.Set(header[i], header[i+1])
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			counts[w.Code]++
		}
		return counts
	}
	spare := Rates{Client: 10, Total: 60, ExemptLocal: true}
	for name, c := range map[string]struct {
		got, want map[int]int
	}{
		"here":             {statuses(spare, "127.0.0.1:9"), map[int]int{400: 60, 429: 40}},
		"here, IPv6":       {statuses(spare, "[::1]:9"), map[int]int{400: 60, 429: 40}},
		"elsewhere":        {statuses(spare, "192.0.2.1:9"), map[int]int{400: 1, 429: 99}},
		"by a proxy":       {statuses(spare, "127.0.0.1:9", "X-Forwarded-For", "192.0.2.1"), map[int]int{400: 1, 429: 99}},
		"by another proxy": {statuses(spare, "127.0.0.1:9", "Forwarded", "for=192.0.2.1"), map[int]int{400: 1, 429: 99}},
		"nobody is spared": {statuses(Rates{Client: 10, Total: 60}, "127.0.0.1:9"), map[int]int{400: 1, 429: 99}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestStrictTransportSecurity holds that browsers are told to stay on HTTPS if
// that is how members reach the site, and not if they don't.
func TestStrictTransportSecurity(t *testing.T) {
	for _, secure := range []bool{false, true} {
		h := New(Config{SecureCookies: secure, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/nothing", nil))
		if got := w.Header().Get("Strict-Transport-Security"); (got == "max-age=31536000") != secure {
			t.Errorf("served by HTTPS %v: Strict-Transport-Security %q", secure, got)
		}
	}
}

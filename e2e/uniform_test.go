package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// stranger is somebody whom the public asks for.
type stranger struct{ name, identifier string }

// known is whom all others must look like who are asked for in the same way: by
// address, by name or by both, each of which has an index of its own.
func known(identifier string) string {
	switch {
	case !strings.Contains(identifier, "member-username="):
		return "email=ann@example.org"
	case !strings.Contains(identifier, "email="):
		return "member-username=ann"
	}
	return "email=ann@example.org&member-username=ann"
}

// strangers are those that the public must not be able to tell from a member
// who gets mail, whatever is disclosed.
var strangers = []stranger{
	{"known again", "email=bob.builder@example.org"},
	{"known by name", "member-username=ann"},
	{"unknown", "email=xyz@example.org"},
	{"unknown by name", "member-username=xyz"},
	{"locked after failed sign-ins", "email=tim@example.org"},
	{"over the limit", "email=mailonly@example.org"},
	{"of another group", "email=carl@example.org"},
	{"two members", "email=ann@example.org&member-username=bob"},
}

// concealed are those that are told apart unless the operator conceals them.
var concealed = []stranger{
	{"disabled", "email=dora@example.org"},
	{"locked", "email=lou@example.org"},
	{"API account", "email=robot@example.org"},
	{"without an address", "member-username=nomail"},
}

// Whoever is asked for: the same bytes and headers, and the same SQL statements
// on the way to the answer, in both steps, in every group's service and in the
// one without (ENU-1, ENU-3, ENU-4).
func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	for disclosure, all := range map[string][]stranger{"documented": strangers, "concealed": slices.Concat(strangers, concealed)} {
		onBoth(t, func(t *testing.T, dsn string) {
			w := newWatch(t, siteConfig{dsn: dsn, settings: "disclosure = \"" + disclosure + "\"\n"})
			w.exhaust(t, "email=mailonly@example.org")
			for _, path := range []string{"/members/resetpassword", "/groups/acme-specs/members/resetpassword.json", "/groups/globex-web/members/resetpassword"} {
				for _, step := range []string{"", "&token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2&member-password=violet-Harbor-93-maple"} {
					for _, s := range all {
						first := w.exchange(t, path, known(s.identifier)+step)
						if len(first.Statements) < 2 {
							t.Errorf("only %d statements were seen", len(first.Statements))
						}
						if diff := cmp.Diff(first, w.exchange(t, path, s.identifier+step)); diff != "" {
							t.Errorf("%s %s: %s differs (-known +%s):\n%s", path, step, s.name, s.name, diff)
						}
					}
				}
			}
		})
	}
}

// exhaust has a member get all the mails of the hour.
func (w *watch) exhaust(t *testing.T, identifier string) {
	t.Helper()
	for range 6 {
		w.exchange(t, "/members/resetpassword", identifier)
	}
	if mails := w.site.deliver(t); len(mails) != 5 {
		t.Fatalf("%d mails before the limit", len(mails))
	}
}

// Tokens that open nothing, for whatever reason, get one answer by the same
// statements, at both services and where a token shows its member (ENU-4).
func TestBadTokensAreAlike(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWatch(t, siteConfig{dsn: dsn})
		tokens := w.badTokens(t)
		change := func(path string) func(string) exchange {
			return func(token string) exchange {
				return w.exchange(t, path, "member-username=bob&member-password="+goodPassword+"&token="+token)
			}
		}
		w.alike(t, "acme-specs", tokens, change("/groups/acme-specs/members/resetpassword.json"))
		delete(tokens, "of another group") // serves without a group
		w.alike(t, "without a group", tokens, change("/members/resetpassword"))
		w.alike(t, "/members/bob", tokens, func(token string) exchange {
			return w.see(func() string {
				return rawAnswer(t, w.addr.String(), "GET /members/bob?token="+token+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			})
		})
	})
}

// alike holds what is seen of all tokens against what is seen of an unknown one.
func (w *watch) alike(t *testing.T, where string, tokens map[string]string, seen func(token string) exchange) {
	t.Helper()
	first := seen("ujHidAn9kKjObQuVbl_vLMc9npOjAKj2")
	if len(first.Statements) < 2 || !strings.Contains(first.Answer, "102A") && !strings.Contains(first.Answer, "0101") {
		t.Errorf("%s: %+v", where, first)
	}
	for name, token := range tokens {
		if diff := cmp.Diff(first, seen(token)); diff != "" {
			t.Errorf("%s: a token that is %s (-unknown +%s):\n%s", where, name, name, diff)
		}
	}
}

// badTokens returns tokens that don't let bob change his password in acme-specs.
func (w *watch) badTokens(t *testing.T) map[string]string {
	t.Helper()
	ask := func(path, form string) string {
		t.Helper()
		w.exchange(t, path, form)
		mails := w.site.deliver(t)
		if len(mails) != 1 {
			t.Fatalf("%d mails", len(mails))
		}
		return mails[0].Token
	}
	const bob = "member-username=bob"
	tokens := map[string]string{
		"malformed": "x", "over-long": strings.Repeat("a", 5000), "not ASCII": "x%C3%A9x", "SQL": "'+OR+1=1--+",
		"used": ask("/members/resetpassword", bob), "voided": ask("/members/resetpassword", bob),
	}
	w.exchange(t, "/members/resetpassword", bob+"&member-password=violet-Harbor-93-maple-2&token="+tokens["used"])
	w.site.deliver(t)
	tokens["expired"] = ask("/members/resetpassword", bob)
	w.site.clock.advance(t, "12h1s")
	tokens["of another group"] = ask("/groups/globex-web/members/resetpassword", bob)
	tokens["another member's"] = ask("/members/resetpassword", "email=ann@example.org")
	wixPost(t, w.addr, "/_iam/recovery/v1/send-email", `{"email":"bob.builder@example.org"}`)
	tokens["of another purpose"] = w.site.deliver(t)[0].Token
	return tokens
}

// While no mail gets through, since the server for them says nothing, is gone or
// refuses, requests are answered alike and without waiting for it (ENU-5).
func TestStrangersLearnNothingWhileMailIsStuck(t *testing.T) {
	for name, greet := range map[string]func(net.Conn){
		"silent":   func(net.Conn) {},
		"refusing": func(c net.Conn) { _, _ = c.Write([]byte("554 no\r\n")); c.Close() },
		"gone":     func(c net.Conn) { c.Close() },
	} {
		if testing.Short() && name == "silent" {
			continue // stopping takes 15 s then
		}
		t.Run(name, func(t *testing.T) {
			addr, accepted := hostFor(t, greet)
			w := newWatch(t, siteConfig{realTime: true, settings: "disclosure = \"concealed\"\nsmtp = \"smtp://" + addr + "?starttls=never\"\n"})
			w.exchange(t, "/members/resetpassword", known(""))
			defer startWorker(t, w.site)()
			select {
			case <-accepted:
			case <-time.After(30 * time.Second):
				t.Fatal("no mail is tried")
			}
			first := w.exchange(t, "/members/resetpassword", known("")).Answer
			for _, s := range slices.Concat(strangers, concealed) {
				if diff := cmp.Diff(first, w.exchange(t, "/members/resetpassword", s.identifier).Answer); diff != "" {
					t.Errorf("%s differs (-known +%s):\n%s", s.name, s.name, diff)
				}
			}
			if s := w.site.Worker.Status(); !s.LastSent.IsZero() || name == "silent" && s.Sending == 0 {
				t.Errorf("%+v: mail is not stuck", s)
			}
		})
	}
}

// hostFor listens for a mail server that treats its clients so. The channel
// gets a value for the first.
func hostFor(t *testing.T, greet func(net.Conn)) (string, <-chan bool) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan bool, 1)
	var mu sync.Mutex
	var open []net.Conn
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			greet(c)
			select {
			case accepted <- true:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			c.Close()
		}
	})
	return l.Addr().String(), accepted
}

// exchange is what can be seen of a request.
type exchange struct {
	Answer     string // raw, without date and request id
	Statements []string
}

// watch sees the answers of a site, and what it asks the database for them.
type watch struct {
	site *testSite
	addr net.Addr

	mu         sync.Mutex
	statements []string
}

func newWatch(t *testing.T, c siteConfig) *watch {
	t.Helper()
	w := &watch{}
	c.trace = func(query string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.statements = append(w.statements, query)
	}
	w.site = startSite(t, c)
	srv := httptest.NewServer(w.site.Handler)
	t.Cleanup(srv.Close)
	w.addr = srv.Listener.Addr()
	return w
}

var changing = regexp.MustCompile(`(?m)^(Date|X-Request-Id|X-Wix-Request-Id): .*\r\n`)

// see returns what there is to see of a request.
func (w *watch) see(ask func() string) exchange {
	w.mu.Lock()
	w.statements = nil
	w.mu.Unlock()
	answer := ask()
	w.mu.Lock()
	defer w.mu.Unlock()
	return exchange{Answer: changing.ReplaceAllString(answer, ""), Statements: w.statements}
}

// exchange sends a form.
func (w *watch) exchange(t *testing.T, path, form string) exchange {
	t.Helper()
	return w.see(func() string { return rawPost(t, w.addr, path, form) })
}

// rawPost returns an answer as it came over the wire.
func rawPost(t *testing.T, addr net.Addr, path, form string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\nConnection: close\r\n\r\n%s", path, len(form), form)
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(bufio.NewReader(conn)); err != nil {
		t.Fatal(err)
	}
	return raw.String()
}

// Exactly one of many simultaneous uses of a token wins (TOK-3).
func TestOneWinnerPerToken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "mails-per-hour = 1000\n"})
		srv := httptest.NewServer(site.Handler)
		defer srv.Close()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		defer client.CloseIdleConnections()
		for round := range rounds(t, 100) {
			if status, body := post(t, client, srv.URL, "email=ann@example.org"); status != 200 {
				t.Fatalf("round %d: %d %s", round, status, body)
			}
			mails := site.deliver(t)
			token := mails[len(mails)-1].Token
			if won := race(t, client, srv.URL, token, round); won != 1 {
				t.Fatalf("round %d: %d winners", round, won)
			}
			if mails := site.deliver(t); len(mails) != 1 || mails[0].Subject != "Your password has been updated" {
				t.Fatalf("round %d: %d mails after the change, want the one notice", round, len(mails))
			}
		}
	})
}

// Uses of one token don't keep each other waiting for hashes that are for
// nothing, or have each other turned away: the token is spent, and they are told so.
// They are asked for without HTTP, which turns callers away where a busy machine
// lets them wait for the database.
func TestUsesOfOneTokenHashOnePassword(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{hashing: password.DefaultParams(), realTime: true})
	for round := range 3 {
		request := members.ResetRequest{Email: "ann@example.org", Token: site.mailedToken(t, "ann@example.org")}
		results := make(chan error, 64)
		for i := range cap(results) {
			go func() {
				r := request
				r.Password = fmt.Sprintf("violet-Harbor-%d-maple-%d", round, i)
				_, err := site.Members.Reset(t.Context(), members.Caller{}, r)
				results <- err
			}()
		}
		won := 0
		for range cap(results) {
			err := <-results
			if err == nil {
				won++
			} else if !errors.Is(err, errcodes.New(errcodes.InvalidToken)) {
				t.Errorf("round %d: a loser got %v", round, err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d winners", round, won)
		}
		site.deliver(t) // the notice
	}
}

// rounds shortens a test that -short asks to be short.
func rounds(t *testing.T, n int) int {
	t.Helper()
	if testing.Short() {
		return n / 10
	}
	return n
}

// race uses a token 64 times at once; the losers must all get 102A.
func race(t *testing.T, client *http.Client, url, token string, round int) int {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	start := make(chan struct{})
	for i := range 64 {
		wg.Go(func() {
			<-start
			form := fmt.Sprintf("email=ann@example.org&token=%s&member-password=violet-Harbor-%d-maple-%d", token, round, i)
			status, body := post(t, client, url, form)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case status == 200 && strings.Contains(body, "password-changed"):
				won++
			case status != 400 || !strings.Contains(body, `id="102A"`):
				t.Errorf("a loser got %d %s", status, body)
			}
		})
	}
	close(start)
	wg.Wait()
	return won
}

func post(t *testing.T, client *http.Client, url, form string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/members/resetpassword", strings.NewReader(form))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		t.Error(err)
	}
	return resp.StatusCode, body.String()
}

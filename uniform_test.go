package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// strangers are ways to ask that the public must not be able to tell apart,
// all of one length (RELIABILITY ENU-1).
var strangers = []struct {
	name, disclosure, identifier string
}{
	{"known", "documented", "email=ann@example.org"},
	{"unknown", "documented", "email=xyz@example.org"},
	{"locked", "concealed", "email=lou@example.org"},
	{"unknown, concealed", "concealed", "email=xyz@example.org"},
	{"known, concealed", "concealed", "email=ann@example.org"},
}

// Known or unknown: the same bytes and headers, and the same SQL statements on
// the way to the answer (ENU-1, ENU-3, ENU-4), in both steps and both services.
func TestStrangersLearnNothing(t *testing.T) {
	for _, path := range []string{"/members/resetpassword", "/groups/acme-specs/members/resetpassword.json"} {
		for _, step := range []string{"", "&token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2&member-password=violet-Harbor-93-maple"} {
			onBoth(t, func(t *testing.T, dsn string) {
				var first exchange
				for i, s := range strangers {
					e := exchangeOf(t, dsn, s.disclosure, path, s.identifier+step)
					if i == 0 {
						first = e
						continue
					}
					if diff := cmp.Diff(first, e); diff != "" {
						t.Errorf("%s %s: %s differs from %s (-%s +%s):\n%s", path, step, s.name, strangers[0].name, strangers[0].name, s.name, diff)
					}
				}
				if len(first.Statements) < 2 {
					t.Errorf("only %d statements were seen", len(first.Statements))
				}
			})
		}
	}
}

// exchange is what can be seen of a request.
type exchange struct {
	Answer     string // raw, without date and request id
	Statements []string
}

var changing = regexp.MustCompile(`(?m)^(Date|X-Request-Id): .*\r\n`)

func exchangeOf(t *testing.T, dsn, disclosure, path, form string) exchange {
	t.Helper()
	var mu sync.Mutex
	var e exchange
	watching := false
	if dsn != "" {
		dsn = testDSN(t)
	}
	site := startSite(t, siteConfig{dsn: dsn, settings: "disclosure = \"" + disclosure + "\"\n", trace: func(query string) {
		mu.Lock()
		defer mu.Unlock()
		if watching {
			e.Statements = append(e.Statements, query)
		}
	}})
	srv := httptest.NewServer(site.handler)
	defer srv.Close()
	mu.Lock()
	watching = true
	mu.Unlock()
	e.Answer = changing.ReplaceAllString(rawPost(t, srv.Listener.Addr(), path, form), "")
	mu.Lock()
	defer mu.Unlock()
	watching = false
	return e
}

// rawPost returns an answer as it came over the wire.
func rawPost(t *testing.T, addr net.Addr, path, form string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
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
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "mails-per-hour = 1000\n"})
		srv := httptest.NewServer(site.handler)
		defer srv.Close()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		defer client.CloseIdleConnections()
		for round := range rounds(t, 100) {
			if status, body := post(t, client, srv.URL, "email=ann@example.org"); status != 200 {
				t.Fatalf("round %d: %d %s", round, status, body)
			}
			mails := site.deliver(t)
			token := mails[len(mails)-1].token
			if won := race(t, client, srv.URL, token, round); won != 1 {
				t.Fatalf("round %d: %d winners", round, won)
			}
			if mails := site.deliver(t); len(mails) != 1 || mails[0].header.Get("Subject") != "Your password has been updated" {
				t.Fatalf("round %d: %d mails after the change, want the one notice", round, len(mails))
			}
		}
	})
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

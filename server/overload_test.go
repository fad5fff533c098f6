package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/server/pages"
	"github.com/reseed-project/reseed/server/wix"
	"github.com/reseed-project/reseed/templates"
)

// overloadedServer is one whose requests would wait for the database for so long.
func overloadedServer(t *testing.T, wait time.Duration) http.Handler {
	t.Helper()
	looks, err := templates.NewLibrary(nil, templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{
		Members: &fakeMembers{reset: succeed}, Sessions: noSessions{}, SitePrefix: "/ps", Now: time.Now, Health: calm{},
		Wix: fakeWix{recovery: func() error { return nil }}, Log: slog.New(slog.DiscardHandler),
		Wait:  func() time.Duration { return wait },
		Pages: &pages.Config{Looks: looks, HostURL: "https://example.org/ps", SiteName: "Example", Policy: password.PolicyConfig{Min: 8, Max: 99}},
	})
}

// Where the database would keep a request waiting for too long it is turned
// away, in the shape that its client reads (LOD-1, LOD-2); up to there it is served.
func TestLongWaitTurnsAway(t *testing.T) {
	const wixError = `{"message":"Service unavailable, please try again","details":{"applicationError":{"code":"UNAVAILABLE","description":"Service unavailable, please try again","data":{}}}}`
	busy, calmer := overloadedServer(t, time.Second/2+1), overloadedServer(t, time.Second/2)
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", resetPath, "email=ann@example.org", "<error id=\"F004\">\n  <request>" + resetPath + "</request>\n"},
		{"POST", resetPath + ".json", "email=ann@example.org", `{"id":"F004","request":"` + resetPath + `.json",`},
		{"POST", sendEmail, annRequest, wixError},
		{"GET", "/ps/email/resetpassword", "", "<!doctype html>"},
	} {
		w := send(busy, c.method, c.path, c.body)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %v %s", c.path, w.Code, w.Header(), w.Body)
		}
		if id := w.Header().Get("X-Request-Id"); id == "" || wix.Owns(httptest.NewRequest(c.method, c.path, nil)) && w.Header().Get("X-Wix-Request-Id") != id {
			t.Errorf("%s: ids %v", c.path, w.Header())
		}
		if w := send(calmer, c.method, c.path, c.body); w.Code != 200 {
			t.Errorf("%s: %d %s where the wait is bearable", c.path, w.Code, w.Body)
		}
	}
	if w := send(busy, http.MethodGet, readyPath, ""); w.Code != 200 {
		t.Errorf("%s: %d", readyPath, w.Code)
	}
}

// unreadable is a body that must not be read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.ErrUnexpectedEOF
}

// What is turned away costs no more than it must: its body is not waited for.
func TestTurnedAwayBeforeTheBody(t *testing.T) {
	h := overloadedServer(t, time.Minute)
	for _, path := range []string{resetPath, sendEmail, "/ps/email/changepassword"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, unreadable{t}))
		if w.Code != 503 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Of the requests that are turned away in a second the first have a line each,
// the others are counted; none is left out, and no other request is (LOG-4).
func TestRefusalsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := &logBuffer{}
		log := slog.New(slog.NewTextHandler(logged, nil))
		refusals := NewRefusals(log)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- refusals.Run(ctx) }()
		wait := 2 * time.Second
		f := &fakeMembers{reset: func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
			return 0, errcodes.New(errcodes.Unavailable) // by the database: not turned away
		}}
		h := New(Config{Members: f, Sessions: noSessions{}, SitePrefix: "/ps", Now: time.Now, Log: log, Refusals: refusals,
			Rates: Rates{Total: 250}, Wait: func() time.Duration { return wait }})
		ask := func(n int) {
			for range n {
				send(h, http.MethodPost, resetPath, "email=ann@example.org")
			}
		}
		expect := func(when string, lines int, counts ...string) {
			t.Helper()
			text := logged.String()
			if got := strings.Count(text, "msg=request "); got != lines {
				t.Errorf("%s: %d lines of requests, want %d", when, got, lines)
			}
			for _, want := range counts {
				if strings.Count(text, want) != 1 {
					t.Errorf("%s: not once %q in\n%s", when, want, text)
				}
			}
		}
		ask(100)
		expect("at once", refusalLines)
		<-time.After(refusalPeriod)
		synctest.Wait()
		expect("a second later", refusalLines, `msg="more requests refused" requests=80 status=503 code=F004 cause="too many wait for the database"`)
		wait = 0
		ask(50)
		expect("served ones", refusalLines+50)
		wait = 2 * time.Second
		ask(140) // of which the limit lets 100 and a few come so far
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		expect("at the end", 2*refusalLines+50, "status=429 code=F003", "requests=80 ")
		if got := strings.Count(logged.String(), "more requests refused"); got != 3 {
			t.Errorf("%d sums", got)
		}
	})
}

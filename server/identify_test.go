package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
)

// noSessions knows no session and lets nobody in.
type noSessions struct{}

func (noSessions) Session(context.Context, string) (members.Member, error) {
	return members.Member{}, errcodes.BadCredentials(errors.New("no such session"))
}

func (noSessions) Login(context.Context, string, string, string) (string, members.Member, error) {
	return "", members.Member{}, errcodes.BadCredentials(errors.New("refused"))
}

func (noSessions) Open(context.Context, members.Member) (string, error) { return "opened", nil }

func (noSessions) Renew(context.Context, string) (string, error) { return "renewed", nil }

func (noSessions) Logout(context.Context, string) error { return nil }

// Sessions, names and passwords of sign-ins reach no log (LOG-1, LOG-2).
func TestLogHoldsNoSession(t *testing.T) {
	h, logged := newTestServer(&fakeMembers{reset: succeed}, Limits{})
	send(h, http.MethodPost, "/ps/service/members/resetpassword;jsessionid=canary", "email=ann@example.org", "Cookie", "JSESSIONID=canary")
	send(h, http.MethodPost, "/ps/api/authenticate", "action=login&username=canary&password=canary")
	send(h, http.MethodPost, "/ps/api/authenticate;jsessionid=canary", "action=canary")
	send(h, http.MethodPost, "/ps/oauth/token?client_secret=canary", "client_id=canary")
	if got := logged.String(); strings.Contains(got, "canary") || strings.Count(got, "\n") != 4 {
		t.Errorf("log:\n%s", got)
	}
}

// countedSessions counts what is looked up.
type countedSessions struct {
	noSessions
	n int
}

func (c *countedSessions) Session(context.Context, string) (members.Member, error) {
	c.n++
	return members.Member{ID: 2}, nil
}

func (c *countedSessions) Logout(context.Context, string) error {
	c.n++
	return nil
}

// A request can't have hundreds of sessions looked up (LOD-1).
func TestSessionsOfARequestAreBounded(t *testing.T) {
	cookies := ""
	for i := range 500 {
		cookies += fmt.Sprintf("JSESSIONID=%d; ", i)
	}
	for _, call := range []struct{ method, path, body string }{
		{http.MethodPost, "/ps/api/authenticate", "action=logout"},
		{http.MethodGet, "/ps/api/version", ""},
	} {
		counted := &countedSessions{}
		h := New(Config{Sessions: counted, SitePrefix: "/ps", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		want := map[string]int{http.MethodPost: 200, http.MethodGet: 401}[call.method]
		if w := send(h, call.method, call.path, call.body, "Cookie", cookies); w.Code != want || counted.n > maxSessions+1 {
			t.Errorf("%s: %d, %d look-ups", call.path, w.Code, counted.n)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "x-gzip": true, "deflate, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.000": false,
		"*": true, "*;q=0": false, "gzip;q=0, *": false, "*, gzip;q=0": false, "identity": false, "br": false, "gzip;q=x": false,
		"gzipped": false, "gzip;q=2": false, ",,": false,
	} {
		if got := acceptsGzip([]string{header}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"reseed/errcodes"
	"reseed/members"
)

// noSessions knows no session and lets nobody in.
type noSessions struct{}

func (noSessions) Session(context.Context, string) (members.Member, error) {
	return members.Member{}, errcodes.BadCredentials(errors.New("no such session"))
}

func (noSessions) Login(context.Context, string, string, string) (string, members.Member, error) {
	return "", members.Member{}, errcodes.BadCredentials(errors.New("refused"))
}

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

// Whatever a body of JSON holds: parameters of text, or a refusal.
func FuzzJSONParams(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"email":"ann@example.org"}`, `{"a":true,"a":false}`, `{"a":null}`, `{"a":[1]}`, `[]`, `"`, `{"a":"\ud800"}`,
		`{"\u0000":"x"}`, `{"a":"b"}{}`, `{"a":1e999}`, "{\"a\":\"\xff\"}", `{"member-password":"\u0007"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := params{"email": "first"}
		if err := p.addJSON(body, 10); err != nil {
			return
		}
		if p["email"] != "first" || len(p) > 11 {
			t.Errorf("email %q, %d parameters", p["email"], len(p))
		}
		for name, value := range p {
			if hasControls(name) || name != "member-password" && name != "password" && hasControls(value) ||
				strings.ToValidUTF8(name+value, "") != name+value {
				t.Errorf("%q: %q came through", name, value)
			}
		}
	})
}

package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/wix"
)

// fakeWix answers send-email as its field says.
type fakeWix struct {
	wix.Members
	recovery func() error
}

func (fakeWix) ValidEmail(string) bool { return true }

func (f fakeWix) SendRecovery(context.Context, members.RecoveryRequest) error { return f.recovery() }

const (
	sendEmail  = "/_iam/recovery/v1/send-email"
	annRequest = `{"email":"ann@example.org"}`
)

func newWixServer(recovery func() error, c Config) (http.Handler, *logBuffer) {
	logged := &logBuffer{}
	c.Wix, c.SitePrefix, c.Now = fakeWix{recovery: recovery}, "/ps", time.Now
	c.Log = slog.New(slog.NewTextHandler(logged, nil))
	return New(c), logged
}

// Whatever goes wrong is told in the Wix shape, with the request id that is in
// the log, and without a cause.
func TestWixFaultsHaveTheWixShape(t *testing.T) {
	for name, c := range map[string]struct {
		recovery func() error
		limits   Limits
		want     int
		body     string
		retry    string
	}{
		"fault": {func() error { return errors.New("sql: canary") }, Limits{}, 500, `{"message":"Internal error","details":{}}`, ""},
		"panic": {func() error { panic("canary") }, Limits{}, 500, `{"message":"Internal error","details":{}}`, ""},
		"outage": {func() error { return errcodes.Wrap(errcodes.Unavailable, errors.New("canary")) }, Limits{}, 503,
			`{"message":"Service unavailable, please try again","details":{"applicationError":{"code":"UNAVAILABLE","description":"Service unavailable, please try again","data":{}}}}`, "1"},
		"large": {nil, Limits{Body: 10}, 413, `{"message":"Request too large","details":{}}`, ""},
	} {
		h, logged := newWixServer(c.recovery, Config{Limits: c.limits})
		w := send(h, http.MethodPost, sendEmail, annRequest)
		id := w.Header().Get("X-Wix-Request-Id")
		if w.Code != c.want || w.Body.String() != c.body || w.Header().Get("Retry-After") != c.retry {
			t.Errorf("%s: %d %s, retry after %q", name, w.Code, w.Body, w.Header().Get("Retry-After"))
		}
		if id == "" || !strings.Contains(logged.String(), "id="+id) {
			t.Errorf("%s: id %q, log %s", name, id, logged)
		}
	}
}

// Refusals at the edge come in the Wix shape as well.
func TestWixRateLimit(t *testing.T) {
	h, _ := newWixServer(func() error { return nil }, Config{Rates: Rates{Client: 1}})
	if w := send(h, http.MethodPost, sendEmail, annRequest); w.Code != 200 || w.Body.String() != `{}` {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w := send(h, http.MethodPost, sendEmail, annRequest)
	want := `{"message":"Too many requests","details":{"applicationError":{"code":"RESOURCE_EXHAUSTED","description":"Too many requests","data":{}}}}`
	if w.Code != 429 || w.Body.String() != want || w.Header().Get("Retry-After") == "" || w.Header().Get("X-Wix-Request-Id") == "" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
}

// No secret of a request is in its log line, be it refused or not (LOG-1).
func TestWixLogHoldsNoSecrets(t *testing.T) {
	for _, c := range []struct{ path, body string }{
		{"/_iam/recovery/v1/recover", `{"recoveryToken":"canary-token","password":"canary-password"}`},
		{"/_iam/recovery/v1/recover", `{"recoveryToken":"canary-token","password":"canar"}`},
		{"/members/v1/auth/members/send-set-password-email", `{"email":"canary@example.org"}`},
		{"/members/v1/auth/members/send-set-password-email", `{"email":"canary"}`},
		{sendEmail, `{"email":"canary@example.org","redirect":{"url":"https://canary.example"}}`},
	} {
		h, logged := newWixServer(func() error { return members.ErrRedirect }, Config{})
		send(h, http.MethodPost, c.path, c.body, "Authorization", "canary-key", "wix-site-id", "canary-site")
		if line := logged.String(); strings.Count(line, "\n") != 1 || strings.Contains(line, "canar") {
			t.Errorf("%s: log %s", c.path, line)
		}
	}
}

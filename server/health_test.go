package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// calm is well.
type calm struct{}

func (calm) Ready(context.Context) error              { return nil }
func (calm) Detail(context.Context) map[string]string { return map[string]string{"database": "ok"} }

// ill is not, for a reason that is nobody's business.
type ill struct{}

func (ill) Ready(context.Context) error { return errors.New("canary") }
func (ill) Detail(context.Context) map[string]string {
	return map[string]string{"database": "unavailable"}
}

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		health       Health
		method, path string
		status       int
		body         string
	}{
		{calm{}, "GET", "/livez", 200, `{"status":"alive"}`},
		{ill{}, "GET", "/livez", 200, `{"status":"alive"}`},
		{calm{}, "GET", "/readyz", 200, `{"status":"ready","parts":{"database":"ok"}}`},
		{ill{}, "GET", "/readyz", 503, `{"status":"not ready","parts":{"database":"unavailable"}}`},
		{ill{}, "HEAD", "/readyz", 503, ""},
		{calm{}, "POST", "/readyz", 405, `{"status":"method not allowed"}`},
		{calm{}, "TRACE", "/livez", 405, `{"status":"method not allowed"}`},
	} {
		next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s %s goes on", c.method, c.path) })
		for name, h := range map[string]http.Handler{"first": (&server{Config: Config{Health: c.health, Now: time.Now}}).healthFirst(next), "alone": HealthHandler(c.health)} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
			want := c.body
			if want != "" {
				want += "\n"
			}
			if w.Code != c.status || w.Body.String() != want {
				t.Errorf("%s: %s %s: %d %s, want %d %s", name, c.method, c.path, w.Code, w.Body, c.status, want)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s may be cached", c.path)
			}
			if retry := w.Header().Get("Retry-After"); (c.status == 503) != (retry != "") {
				t.Errorf("%d with Retry-After %q", c.status, retry)
			}
		}
	}
	w := httptest.NewRecorder()
	HealthHandler(calm{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/livez/", nil))
	if w.Code != 404 {
		t.Errorf("another path is answered %d", w.Code)
	}
}

// TestProbesHaveTheirOwnAllowance holds that probes are bounded for each client,
// apart from its requests, leave no connection open, and go on for this machine.
func TestProbesHaveTheirOwnAllowance(t *testing.T) {
	now := time.Unix(1000, 0)
	s := &server{Config: Config{Health: calm{}, Now: func() time.Time { return now }}}
	h := s.healthFirst(http.NotFoundHandler())
	probe := func(from string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/livez", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Header().Get("Connection") != "close" || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("headers %v", w.Header())
		}
		return w
	}
	for range probesPerMinute {
		if w := probe("192.0.2.1:9"); w.Code != http.StatusOK {
			t.Fatalf("a probe within the allowance: %d", w.Code)
		}
		probe("127.0.0.1:9")
	}
	if w := probe("192.0.2.1:9"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" {
		t.Errorf("a probe beyond it: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	for _, from := range []string{"192.0.2.2:9", "127.0.0.1:9"} {
		if w := probe(from); w.Code != http.StatusOK {
			t.Errorf("from %s meanwhile: %d", from, w.Code)
		}
	}
}

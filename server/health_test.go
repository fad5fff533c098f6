package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// calm is well.
type calm struct{}

func (calm) Ready(context.Context) error              { return nil }
func (calm) Detail(context.Context) map[string]string { return map[string]string{"database": "ok"} }

// ill is not, for a reason that is nobody's business.
type ill struct{}

func (ill) Ready(context.Context) error              { return errors.New("canary") }
func (ill) Detail(context.Context) map[string]string { return map[string]string{"database": "away"} }

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
		{ill{}, "GET", "/readyz", 503, `{"status":"not ready","parts":{"database":"away"}}`},
		{ill{}, "HEAD", "/readyz", 503, ""},
		{calm{}, "POST", "/readyz", 405, `{"status":"method not allowed"}`},
		{calm{}, "TRACE", "/livez", 405, `{"status":"method not allowed"}`},
	} {
		next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s %s goes on", c.method, c.path) })
		for name, h := range map[string]http.Handler{"first": healthFirst(c.health, next), "alone": HealthHandler(c.health)} {
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

package cli

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/config"
)

func TestHealth(t *testing.T) {
	for status, want := range map[int]string{http.StatusOK: "", http.StatusServiceUnavailable: "not ready: 503"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"status":"..."}`))
		}))
		var out bytes.Buffer
		listen := strings.Replace(strings.TrimPrefix(srv.URL, "http://"), "127.0.0.1", "", 1)
		err := (&HealthCmd{Timeout: 10 * time.Second}).Run(t.Context(), &Console{Out: &out}, &config.Config{Listen: listen})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || !strings.Contains(out.String(), "status") {
			t.Errorf("%d: %v, %q", status, err, out.String())
		}
		srv.Close()
		if err := (&HealthCmd{Timeout: 10 * time.Second}).Run(t.Context(), &Console{Out: &out}, &config.Config{Listen: listen}); err == nil {
			t.Error("no server, and no error")
		}
	}
}

func TestReachable(t *testing.T) {
	for listen, want := range map[string]string{
		":8080": "127.0.0.1:8080", "0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80", "192.0.2.7:8080": "192.0.2.7:8080", "[::1]:1": "[::1]:1",
	} {
		if got := reachable(listen); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}

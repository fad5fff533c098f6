package app

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAdminPortAnswersUnderItsOwnName holds that a page in a browser on this
// machine can't read the port under a name that leads here.
func TestAdminPortAnswersUnderItsOwnName(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, c := range []struct {
		listen, host string
		want         int
	}{
		{"127.0.0.1:9090", "127.0.0.1:9090", 200},
		{"127.0.0.1:9090", "localhost:9090", 200},
		{"[::1]:9090", "[::1]:9090", 200},
		{"localhost:9090", "localhost", 200},
		{"127.0.0.1:9090", "evil.example:9090", http.StatusMisdirectedRequest},
		{"127.0.0.1:9090", "", http.StatusMisdirectedRequest},
		{"0.0.0.0:9090", "reseed:9090", 200},
		{":9090", "10.0.0.7:9090", 200},
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		ownHost(c.listen, ok).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("on %s under %q: %d, want %d", c.listen, c.host, w.Code, c.want)
		}
	}
}

// TestNetHTTPsOwnAnswersAreNotStored holds WEB-1 for what never becomes a request.
func TestNetHTTPsOwnAnswersAreNotStored(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.NotFoundHandler(), MaxHeaderBytes: 1 << 10}
	go func() { _ = srv.Serve(limitConnections(inner, connectionLimits{total: 9})) }()
	defer srv.Close()
	for request, want := range map[string]int{
		"nonsense\r\n\r\n": 400,
		"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 1<<14): 431,
	} {
		resp := exchange(t, inner.Addr().String(), request)
		resp.Body.Close()
		if resp.StatusCode != want || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d with Cache-Control %q, want %d", resp.StatusCode, resp.Header.Get("Cache-Control"), want)
		}
	}
}

func exchange(t *testing.T, address, text string) *http.Response {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() { _, _ = c.Write([]byte(text)) }()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// While the server waits to stop, it parts with the connections that are kept,
// so that none is cut with a request on it (FLT-12).
func TestStoppingPartsWithKeptConnections(t *testing.T) {
	a := &App{Handler: http.NotFoundHandler()}
	srv := httptest.NewServer(http.HandlerFunc(a.part))
	defer srv.Close()
	for _, stopping := range []bool{false, true} {
		a.state.stopping.Store(stopping)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.Close != stopping {
			t.Errorf("stopping %v: closes %v, %v", stopping, resp.Close, err)
		}
	}
}

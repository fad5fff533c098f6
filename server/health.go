package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
)

// Health tells how the parts behind the server are.
type Health interface {
	// Ready returns nil when requests can be served. It doesn't wait for the
	// database: it may be asked often, and by anybody.
	Ready(ctx context.Context) error
	// Detail says in a word how each part is: "ok", or what is wrong. It holds
	// no secrets and names no machines.
	Detail(ctx context.Context) map[string]string
}

// The health endpoints are outside of all limits, so that an overloaded server
// isn't taken for a dead one.
const (
	livePath  = "/livez"
	readyPath = "/readyz"
)

// HealthHandler answers /livez and /readyz, and nothing else.
func HealthHandler(h Health) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !probes(r) {
			http.NotFound(w, r)
			return
		}
		answerHealth(h, w, r)
	})
}

// healthFirst answers the health endpoints before anything else is done.
func healthFirst(h Health, next http.Handler) http.Handler {
	if h == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !probes(r) {
			next.ServeHTTP(w, r)
			return
		}
		answerHealth(h, w, r)
	})
}

func probes(r *http.Request) bool {
	return r.URL.Path == livePath || r.URL.Path == readyPath
}

func answerHealth(h Health, w http.ResponseWriter, r *http.Request) {
	secure(w.Header(), newRequestID())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeHealth(w, r, http.StatusMethodNotAllowed, health{Status: "method not allowed"})
		return
	}
	if r.URL.Path == livePath {
		writeHealth(w, r, http.StatusOK, health{Status: "alive"})
		return
	}
	answer := health{Status: "ready", Parts: h.Detail(r.Context())}
	status := http.StatusOK
	if h.Ready(r.Context()) != nil {
		answer.Status, status = "not ready", http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	writeHealth(w, r, status, answer)
}

// health is the answer's document.
type health struct {
	Status string            `json:"status"`
	Parts  map[string]string `json:"parts,omitempty"`
}

func writeHealth(w http.ResponseWriter, r *http.Request, status int, h health) {
	body, err := json.Marshal(h)
	if err != nil { // can't be: strings alone
		body = []byte("{}")
	}
	body = append(body, '\n')
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away is no fault of ours
	}
}

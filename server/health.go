package server

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/reseed-project/reseed/server/request"
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

// The health endpoints have an allowance of their own, so that an overloaded
// server isn't taken for a dead one.
const (
	livePath  = "/livez"
	readyPath = "/readyz"

	probesPerMinute = 600 // from one client
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
func (s *server) healthFirst(next http.Handler) http.Handler {
	if s.Health == nil {
		return next
	}
	limiter := newLimiter(Rates{Client: probesPerMinute})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !probes(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close") // a probe is over when it is answered
		client := s.Proxies.Client(r)
		if wait := limiter.take(request.Network(client), s.Now()); wait > 0 && !client.IsLoopback() {
			setSecurityHeaders(w.Header(), request.NewID())
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			writeHealth(w, r, http.StatusTooManyRequests, health{Status: "too many probes"})
			return
		}
		answerHealth(s.Health, w, r)
	})
}

func probes(r *http.Request) bool {
	return r.URL.Path == livePath || r.URL.Path == readyPath
}

func answerHealth(h Health, w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header(), request.NewID())
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
		_, _ = w.Write(body) // it is not our fault if the client has gone
	}
}

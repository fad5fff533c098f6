package server

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// CORS for pages of other origins (contract 1.2): exact origins, no credentials
// of the browser's own, and the preflight before anything is looked at.
const (
	exposedHeaders = "X-Request-Id, X-Wix-Request-Id, Retry-After"
	allowedMethods = "GET, POST, PUT, PATCH, DELETE"
	preflightAge   = "600" // seconds that browsers remember a preflight
)

// corsHeaders tells browsers that a page of the request's origin may read the
// answer, if it may.
func corsHeaders(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposedHeaders)
}

// cors answers preflights and marks the answers for pages that may call.
func (s *server) cors(next http.Handler) http.Handler {
	if s.AllowsOrigin == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin") // if no page asks it doesn't matter: nothing is stored
		allowed, err := s.origins.allow(r.Context(), origin, s.Now(), s.AllowsOrigin)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		if allowed {
			corsHeaders(h, origin)
		}
		if allowed && isPreflight(r) {
			preflight(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight allows whatever headers are asked for: which of them count is up to
// the services.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", allowedMethods)
	h.Set("Access-Control-Max-Age", preflightAge)
	if names := r.Header.Get("Access-Control-Request-Headers"); areHeaderNames(names) {
		h.Set("Access-Control-Allow-Headers", names)
	}
	w.WriteHeader(http.StatusNoContent)
}

// areHeaderNames reports whether s is a list of names as browsers send one.
func areHeaderNames(s string) bool {
	return s != "" && len(s) <= 1000 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-_, ") == ""
}

// originAge is how long an origin that was allowed is not asked for again.
const originAge = time.Minute

// maxOrigins is how many origins are remembered.
const maxOrigins = 1000

// origins remembers which origins were allowed, so that a page's requests cost
// no query each, and refusals under overload can be read by the page, too.
type origins struct {
	mu      sync.Mutex
	allowed map[string]time.Time // when it was found
}

func (o *origins) allow(ctx context.Context, origin string, now time.Time, ask func(context.Context, string) (bool, error)) (bool, error) {
	if o.known(origin, now) {
		return true, nil
	}
	allowed, err := ask(ctx, origin)
	if !allowed || err != nil {
		return false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.allowed == nil || len(o.allowed) >= maxOrigins {
		o.allowed = map[string]time.Time{}
	}
	o.allowed[origin] = now
	return true, nil
}

func (o *origins) known(origin string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, ok := o.allowed[origin]
	return ok && now.Sub(at) < originAge
}

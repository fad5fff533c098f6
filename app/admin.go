package app

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/reseed-project/reseed/server"
	"github.com/reseed-project/reseed/server/request"
)

// AdminHandler serves metrics, profiles and health for operators. It never shares a
// port with the services (WEB-15).
func (a *App) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
	mux.Handle("/livez", server.HealthHandler(a))
	mux.Handle("/readyz", server.HealthHandler(a))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return uncached(ownHost(a.Config.AdminListen, mux))
}

// ownHost refuses requests under other names than this machine's if the port is
// for this machine alone: a page in a browser here could otherwise read the
// profiles under a name of its own that leads to 127.0.0.1 (DNS rebinding).
func ownHost(listen string, next http.Handler) http.Handler {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || !request.LoopbackName(host) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			name = r.Host
		}
		if !request.LoopbackName(strings.Trim(name, "[]")) {
			http.Error(w, "this port answers under the name of this machine alone", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// uncached keeps answers out of caches (WEB-1).
func uncached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// adminServer sets no limit on the time of an answer: a profile takes a while.
func (a *App) adminServer() *http.Server {
	return &http.Server{
		Handler:           a.AdminHandler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug),
	}
}

package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"reseed/errcodes"
)

// note is what is kept about a request while it is answered: its body, read at
// the edge, and what its log line says.
type note struct {
	http.ResponseWriter
	id      string
	client  netip.Addr
	spared  bool // from the client's limit
	start   time.Time
	body    []byte
	bodyErr error
	status  int
	bytes   int
	route   string
	err     *errcodes.Error
	// turnedAway says that nothing was done for the request.
	turnedAway bool
}

type noteKey struct{}

func noteOf(ctx context.Context) *note {
	n, _ := ctx.Value(noteKey{}).(*note)
	return n
}

func bodyOf(ctx context.Context) ([]byte, error) {
	n := noteOf(ctx)
	return n.body, n.bodyErr
}

func noteError(ctx context.Context, e *errcodes.Error) { noteOf(ctx).err = e }

// noteRoute keeps the route's pattern: paths hold addresses and names, and
// don't belong into a log (LOG-2).
func noteRoute(r *http.Request) {
	if route := mux.CurrentRoute(r); route != nil {
		noteOf(r.Context()).route, _ = route.GetPathTemplate()
	}
}

// WriteHeader notes the status.
func (n *note) WriteHeader(status int) {
	if n.status == 0 {
		n.status = status
	}
	n.ResponseWriter.WriteHeader(status)
}

// Write notes the length.
func (n *note) Write(p []byte) (int, error) {
	if n.status == 0 {
		n.status = http.StatusOK
	}
	written, err := n.ResponseWriter.Write(p)
	n.bytes += written
	return written, err
}

// Unwrap lets http.ResponseController reach the connection.
func (n *note) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// log writes the request's line: no query, no body, no header of the client's.
// Of requests that were turned away not all have one.
func (s *server) log(n *note, r *http.Request) {
	s.observe(n, r)
	if n.turnedAway && n.err != nil && !s.Refusals.count(n.err) {
		return
	}
	attrs := []slog.Attr{
		slog.String("id", n.id),
		slog.Any("client", s.shown(n.client)),
		slog.String("method", r.Method),
		slog.String("route", n.route),
		slog.Int("status", n.status),
		slog.Int("bytes", n.bytes),
		slog.Duration("took", s.Now().Sub(n.start)),
	}
	level := slog.LevelInfo
	if n.err != nil {
		attrs = append(attrs, slog.String("code", n.err.Code.String()))
		if n.err.Cause != nil {
			attrs = append(attrs, slog.String("cause", n.err.Cause.Error()))
		}
		if n.err.HTTPStatus() >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	s.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

func (s *server) shown(client netip.Addr) any {
	if s.Address == nil {
		return client
	}
	return s.Address(client)
}

// newRequestID returns 16 random hexadecimal digits.
func newRequestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// panicSite names the function that panicked, without arguments.
func panicSite() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "reseed/") || !more {
			return frame.Function
		}
	}
}

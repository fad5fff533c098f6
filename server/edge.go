package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"reflect"
	"runtime"
	"strings"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/server/wix"
)

// edge wraps everything, answers of the router's own included: limits,
// headers, one log line a request, and the internal error for a panic.
//
// The body is read before the request takes one of the bounded places, so that
// slow senders don't keep others out; large bodies have bounded places of their
// own. Where there is no place, or too long a wait, that is answered before the
// body is read and before any other work: under overload most requests get no
// further, and what they cost is taken from the others.
func (s *server) edge(next http.Handler) http.Handler {
	places, large := make(chan struct{}, s.Limits.InFlight), make(chan struct{}, s.Limits.InFlight)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &request.Record{ResponseWriter: w, ID: request.NewID(), Start: s.Now(), Client: s.Proxies.Client(r)}
		n.Exempt = s.Rates.ExemptLocal && request.FromHere(r)
		r = request.WithRecord(r, n)
		setSecurityHeaders(w.Header(), n.ID)
		if s.SecureCookies {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000") // a year (RFC 6797)
		}
		defer s.log(n, r)
		defer s.recover(n, r)
		defer s.penalize(n)
		if err := s.allow(n, r); err != nil {
			w.Header().Set("Connection", "close") // an idle connection is a place that another client could have
			s.reject(n, r, err)
			return
		}
		if err := s.overloaded(places); err != nil {
			s.reject(n, r, err)
			return
		}
		leave, err := acquire(large, r)
		if err != nil {
			s.reject(n, r, err)
			return
		}
		n.Body, n.BodyErr = readBody(w, r, s.Limits.Body)
		leave()
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			s.serve(next, n, r)
		default:
			s.reject(n, r, errcodes.Wrap(errcodes.Unavailable, errFull))
		}
	})
}

// Why requests are turned away, for the log.
var (
	errFull = errors.New("as many requests as max-in-flight allows are being answered")
	errWait = errors.New("too many wait for the database")
	errBody = errors.New("as many large bodies as max-in-flight allows are being read")
)

// overloaded returns F004 if a request would get no place, or one that is of
// no use: with more waiting for the database than it serves in time, all of
// them would be answered late, and in the end none in time.
func (s *server) overloaded(places chan struct{}) error {
	if len(places) == cap(places) {
		return errcodes.Wrap(errcodes.Unavailable, errFull)
	}
	if s.Wait != nil && s.Wait() > s.Limits.Wait {
		return errcodes.Wrap(errcodes.Unavailable, errWait)
	}
	return nil
}

// reject answers a request for which nothing was done.
func (s *server) reject(n *request.Record, r *http.Request, err error) {
	n.Rejected = true
	if origin := r.Header.Get("Origin"); s.origins.known(origin, s.Now()) {
		corsHeaders(n.Header(), origin)
	}
	s.refuse(n, r, err)
}

// serve hands a request on that got a place.
func (s *server) serve(next http.Handler, n *request.Record, r *http.Request) {
	ctx, cancel := s.requestContext(r.Context(), n)
	defer cancel()
	next.ServeHTTP(n, r.WithContext(ctx))
}

// requestContext returns the context of a request's work: with where it comes
// from, and with an end.
func (s *server) requestContext(ctx context.Context, n *request.Record) (context.Context, context.CancelFunc) {
	ctx = members.WithOrigin(ctx, members.Origin{RequestID: n.ID, Client: n.Client})
	if s.Timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.Timeout)
}

// smallBody is more than a form of ours needs.
const smallBody = 8 << 10

// acquire takes a place for a body that is large, or may be, until leave is
// called. All connections together, each with a body that never ends, would take
// up a gigabyte; so those who send such keep each other out, and nobody else.
func acquire(large chan struct{}, r *http.Request) (leave func(), err error) {
	if r.ContentLength >= 0 && r.ContentLength <= smallBody {
		return func() {}, nil
	}
	select {
	case large <- struct{}{}:
		return func() { <-large }, nil
	default:
		return nil, errcodes.Wrap(errcodes.Unavailable, errBody)
	}
}

// readBody reads the body to its end, so that a truncated request never acts
// (WEB-9). Errors: F005, F006.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if len(r.TransferEncoding) > 0 {
		// Whoever put a Content-Length beside the chunks may think that another
		// request follows (RFC 9112, 6.3).
		w.Header().Set("Connection", "close")
	}
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		return nil, errcodes.New(errcodes.RequestTooLarge)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, errcodes.Wrap(errcodes.RequestTooLarge, err)
	}
	if err != nil {
		return nil, request.Malformed(fmt.Errorf("read body: %w", err))
	}
	return body, nil
}

// setSecurityHeaders sets the headers that every answer has (WEB-1, WEB-2, WEB-3).
func setSecurityHeaders(h http.Header, requestID string) {
	maps.Copy(h, securityHeaders)
	h.Set("X-Request-Id", requestID)
}

// securityHeaders are shared by all answers: their values may be replaced, not changed.
var securityHeaders = http.Header{
	"Cache-Control":           {"no-store"},
	"X-Content-Type-Options":  {"nosniff"},
	"Referrer-Policy":         {"no-referrer"},
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
}

// refuse answers a request that never gets to its service.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if wix.Owns(r) {
		wix.Write(w, r, nil, err)
		return
	}
	if request.AddressOf(r.Context()).Shown == "" {
		request.SetAddress(r, s.SitePrefix)
	}
	if s.pages != nil && s.pages.Owns(request.AddressOf(r.Context())) {
		s.pages.WriteProblem(w, r, err)
		return
	}
	s.write(w, r, nil, err)
}

// recover turns a panic into the internal error, unless the answer has begun.
func (s *server) recover(n *request.Record, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	err, ok := p.(error)
	if ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	// The value may quote input: its type and the place are enough to find the defect.
	fault := fmt.Errorf("panic of type %T at %s", p, panicSite())
	if n.Status == 0 {
		s.refuse(n, r, fault)
		return
	}
	request.SetError(r.Context(), errcodes.From(fault))
}

// panicSite names the function that panicked, without arguments.
func panicSite() string {
	module := path.Dir(reflect.TypeFor[server]().PkgPath())
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, module+"/") || !more {
			return frame.Function
		}
	}
}

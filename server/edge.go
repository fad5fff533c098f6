package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"reseed/errcodes"
	"reseed/members"
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
		n := &note{ResponseWriter: w, id: newRequestID(), start: s.Now(), client: s.Proxies.client(r)}
		n.spared = s.Rates.SpareHere && fromHere(r)
		r = r.WithContext(context.WithValue(r.Context(), noteKey{}, n))
		secure(w.Header(), n.id)
		identifyWix(w.Header(), r.URL.Path, n.id)
		defer s.log(n, r)
		defer s.recover(n, r)
		defer s.weigh(n)
		if err := s.admit(n); err != nil {
			s.turnAway(n, r, err)
			return
		}
		if err := s.crowded(places); err != nil {
			s.turnAway(n, r, err)
			return
		}
		leave, err := enter(large, r)
		if err != nil {
			s.turnAway(n, r, err)
			return
		}
		n.body, n.bodyErr = readBody(w, r, s.Limits.Body)
		leave()
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			s.attend(next, n, r)
		default:
			s.turnAway(n, r, errcodes.Wrap(errcodes.Unavailable, errFull))
		}
	})
}

// Why requests are turned away, for the log.
var (
	errFull = errors.New("as many requests as max-in-flight allows are being answered")
	errWait = errors.New("too many wait for the database")
	errBody = errors.New("as many large bodies as max-in-flight allows are being read")
)

// crowded returns F004 where a request would get no place, or one that is of
// no use: with more waiting for the database than it serves in time, all of
// them would be answered late, and in the end none in time.
func (s *server) crowded(places chan struct{}) error {
	if len(places) == cap(places) {
		return errcodes.Wrap(errcodes.Unavailable, errFull)
	}
	if s.Wait != nil && s.Wait() > s.Limits.Wait {
		return errcodes.Wrap(errcodes.Unavailable, errWait)
	}
	return nil
}

// turnAway answers a request for which nothing was done.
func (s *server) turnAway(n *note, r *http.Request, err error) {
	n.turnedAway = true
	s.refuse(n, r, err)
}

// attend hands a request on that got a place.
func (s *server) attend(next http.Handler, n *note, r *http.Request) {
	ctx, cancel := s.requestContext(r.Context(), n)
	defer cancel()
	next.ServeHTTP(n, r.WithContext(ctx))
}

// requestContext returns the context of a request's work: with where it comes
// from, and with an end.
func (s *server) requestContext(ctx context.Context, n *note) (context.Context, context.CancelFunc) {
	ctx = members.WithOrigin(ctx, members.Origin{RequestID: n.id, Client: n.client})
	if s.Timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.Timeout)
}

// smallBody is more than a form of ours needs.
const smallBody = 8 << 10

// enter takes a place for a body that is large, or may be, until leave is
// called. All connections together, each with a body that never ends, would take
// up a gigabyte; so those who send such keep each other out, and nobody else.
func enter(large chan struct{}, r *http.Request) (leave func(), err error) {
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
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, errcodes.Wrap(errcodes.RequestTooLarge, err)
	}
	if err != nil {
		return nil, malformed(fmt.Errorf("read body: %w", err))
	}
	return body, nil
}

// secure sets the headers that every answer has (WEB-1, WEB-2, WEB-3).
func secure(h http.Header, requestID string) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
	h.Set("X-Request-Id", requestID)
}

// refuse answers a request that never gets to its service.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if isWix(r.URL.Path) {
		writeWix(w, r, nil, err)
		return
	}
	if addressOf(r.Context()).shown == "" {
		r = r.WithContext(context.WithValue(r.Context(), addressKey{}, readAddress(r, s.SitePrefix)))
	}
	if s.pages.owns(addressOf(r.Context())) {
		s.pages.newVisit(r).problem(err).write(w)
		return
	}
	s.write(w, r, nil, err)
}

// recover turns a panic into the internal error, unless the answer has begun.
func (s *server) recover(n *note, r *http.Request) {
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
	if n.status == 0 {
		s.refuse(n, r, fault)
		return
	}
	noteError(r.Context(), errcodes.From(fault))
}

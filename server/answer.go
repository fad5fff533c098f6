package server

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gorilla/mux"

	"reseed/errcodes"
	"reseed/members"
	"reseed/xmlresp"
)

// service is one of the PageSeeder services: a request in, an answer or an
// error out. It never sees the ResponseWriter.
type service func(*call) (xmlresp.Document, error)

// call is a request to a service, with what was found out about it.
type call struct {
	*http.Request
	caller members.Caller
	params params
}

// variable returns a path variable, decoded once; the router leaves it as it came.
func (c *call) variable(name string) string {
	value, err := url.PathUnescape(mux.Vars(c.Request)[name])
	if err != nil { // can't be: the address was found valid
		return ""
	}
	return value
}

// handle adapts a service to HTTP.
func (s *server) handle(f service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		doc, err := s.run(f, r)
		s.write(w, r, doc, err)
	})
}

func (s *server) run(f service, r *http.Request) (xmlresp.Document, error) {
	noteRoute(r)
	if !addressOf(r.Context()).valid {
		return nil, malformed(nil)
	}
	return f(&call{Request: r})
}

// write is the one place where services' answers become bytes: encoded first,
// then headers, status, body.
func (s *server) write(w http.ResponseWriter, r *http.Request, doc xmlresp.Document, err error) {
	a := addressOf(r.Context())
	doc, status, format := unwrap(doc, w.Header(), a.format)
	if err != nil {
		e := errcodes.From(err)
		status, doc = e.HTTPStatus(), xmlresp.NewError(e, a.shown)
		noteError(r.Context(), e)
		errorHeaders(w.Header(), e)
	}
	body := compress(r, w.Header(), xmlresp.Encode(format, doc))
	w.Header().Set("Content-Type", format.ContentType())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // a client that went away is no fault of ours
}

// errorHeaders adds what an error's status asks for.
func errorHeaders(h http.Header, e *errcodes.Error) {
	switch e.HTTPStatus() {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge(e))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(max(e.RetryAfter, 1)))
	}
}

const basicChallenge = `Basic realm="Reseed", charset="UTF-8"`

// challenge says how to come back: for an access token by RFC 6750, 3.
func challenge(e *errcodes.Error) string {
	if errors.Is(e.Cause, errBearer) {
		return `Bearer realm="Reseed", error="invalid_token"`
	}
	return basicChallenge
}

// only wraps a service with what comes before it: the method (0103), the
// caller (401 0101; 403 0101 where a page of another site sent it), the
// parameters (F005, F006), in this order.
func (s *server) only(method string, f service) service {
	return func(c *call) (xmlresp.Document, error) {
		if c.Method != method && (method != http.MethodGet || c.Method != http.MethodHead) {
			return nil, errcodes.New(errcodes.WrongMethod)
		}
		var err error
		if c.caller, err = s.identify(c.Request); err != nil {
			return nil, err
		}
		if method == http.MethodPost && !c.caller.Member.Zero() && byForeignPage(c.Request) {
			return nil, errcodes.Wrap(errcodes.Forbidden, errForeignPage)
		}
		if c.params, err = s.readParams(c.Request); err != nil {
			return nil, err
		}
		return f(c)
	}
}

var errForeignPage = errors.New("sent by a page of another site, with credentials that the browser keeps")

// byForeignPage reports whether a browser says that a page of another origin
// made it send the request. Browsers add the cookies and Basic credentials that
// they keep, whoever wrote the form (WEB-13). Programs say nothing of the kind.
func byForeignPage(r *http.Request) bool {
	from := r.Header.Get("Sec-Fetch-Site")
	return from != "" && from != "same-origin" && from != "none"
}

// posted wraps a service that finds out by itself who is calling.
func (s *server) posted(f service) service {
	return func(c *call) (_ xmlresp.Document, err error) {
		if c.Method != http.MethodPost {
			return nil, errcodes.New(errcodes.WrongMethod)
		}
		if c.params, err = s.readParams(c.Request); err != nil {
			return nil, err
		}
		return f(c)
	}
}

func noService(*call) (xmlresp.Document, error) {
	return nil, errcodes.New(errcodes.NoSuchService)
}

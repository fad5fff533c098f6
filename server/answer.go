package server

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/server/wix"
	"github.com/reseed-project/reseed/xmlresp"
)

// service is one of the PageSeeder services: a request in, an answer or an
// error out. It never sees the ResponseWriter.
type service func(*call) (xmlresp.Document, error)

// call is a request to a service, with what was found out about it.
type call struct {
	*http.Request
	caller members.Caller
	params request.Params
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
	request.SetRoute(r)
	if !request.AddressOf(r.Context()).Valid {
		return nil, request.Malformed(nil)
	}
	return f(&call{Request: r})
}

// write is the one place where services' answers become bytes: encoded first,
// then headers, status, body.
func (s *server) write(w http.ResponseWriter, r *http.Request, doc xmlresp.Document, err error) {
	a := request.AddressOf(r.Context())
	doc, status, format := unwrap(doc, w.Header(), a.Format)
	if err != nil {
		e := errcodes.From(err)
		status, doc = e.HTTPStatus(), xmlresp.NewError(e, a.Shown)
		request.SetError(r.Context(), e)
		errorHeaders(w.Header(), e)
	}
	body := compress(r, w.Header(), xmlresp.Encode(format, doc))
	w.Header().Set("Content-Type", format.ContentType())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // it is not our fault if the client has gone
}

// errorHeaders adds what an error's status asks for.
func errorHeaders(h http.Header, e *errcodes.Error) {
	if e.HTTPStatus() == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodPost)
	}
	if e.HTTPStatus() == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", challenge(e))
	}
	request.SetRetryAfter(h, e)
}

const basicChallenge = `Basic realm="Reseed", charset="UTF-8"`

// challenge says how to come back: for an access token by RFC 6750, 3.
func challenge(e *errcodes.Error) string {
	if errors.Is(e.Cause, errBearer) {
		return `Bearer realm="Reseed", error="invalid_token"`
	}
	return basicChallenge
}

// access says who may call a service, and how.
type access struct {
	public bool // anybody may: a session that has ended counts as none
	opens  bool // opens a session for a caller who signs in with the request
}

// of wraps a service with what comes before it, in this order: the format
// (0104), the caller (401 0101; 403 0101 if a page of another site sent it, with
// what browsers keep),
// the parameters (F005, F006).
func (s *server) of(a access, f service) service {
	return func(c *call) (xmlresp.Document, error) {
		if !request.AddressOf(c.Context()).Acceptable {
			return nil, errcodes.New(errcodes.NotAcceptable)
		}
		var err error
		if c.caller, err = s.identify(c.Request, a); err != nil {
			return nil, err
		}
		if c.changes() && !c.caller.Member.Zero() && !c.bearer() && s.byForeignPage(c.Request) {
			return nil, errcodes.Wrap(errcodes.Forbidden, errForeignPage)
		}
		if c.params, err = request.ReadParams(c.Request, s.Limits.Parameters); err != nil {
			return nil, err
		}
		if a.opens {
			return s.withSession(c, f)
		}
		doc, err := f(c)
		return doc, namelessly(c.caller, err)
	}
}

func (s *server) anybody(f service) service  { return s.of(access{public: true}, f) }
func (s *server) signedIn(f service) service { return s.of(access{}, f) }
func (s *server) opening(f service) service  { return s.of(access{opens: true}, f) }

// namelessly tells nobody to sign in if that is why they are refused.
func namelessly(caller members.Caller, err error) error {
	e, ok := errors.AsType[*errcodes.Error](err)
	if ok && caller.Member.Zero() && e.Code == errcodes.Forbidden && e.Status == 0 && e.Cause == nil {
		return errcodes.Unauthorized()
	}
	return err
}

// methods are the services of one path by HTTP method.
type methods map[string]service

// one returns the service of the call's method. Error: 0103.
func (m methods) one(c *call) (xmlresp.Document, error) {
	method := c.method()
	if method == http.MethodHead {
		method = http.MethodGet
	}
	f, ok := m[method]
	if !ok {
		return nil, errcodes.New(errcodes.WrongMethod)
	}
	return f(c)
}

// method returns the call's method: of a POST the one that is tunnelled through
// it, if any (contract 1.2).
func (c *call) method() string {
	tunnelled := c.Header.Values("X-Http-Method-Override")
	if c.Method != http.MethodPost || len(tunnelled) == 0 {
		return c.Method
	}
	method := strings.ToUpper(strings.TrimSpace(tunnelled[0]))
	if len(tunnelled) > 1 || !slices.Contains([]string{http.MethodPatch, http.MethodPut, http.MethodDelete}, method) {
		return "" // no service has it
	}
	return method
}

// changes reports whether the call may change something.
func (c *call) changes() bool { return c.Method != http.MethodGet && c.Method != http.MethodHead }

var errForeignPage = errors.New("sent by a page of another site, which must not use or change what the browser keeps")

// byForeignPage reports whether a page of another site made a browser send the request.
func (s *server) byForeignPage(r *http.Request) bool {
	own := ""
	if s.pages != nil {
		own = s.pages.Host()
	}
	return request.ByForeignPage(r, own)
}

// authenticating wraps a service that finds out by itself who is calling. No
// page of another site signs a browser in or out.
func (s *server) authenticating(f service) service {
	return func(c *call) (_ xmlresp.Document, err error) {
		if s.byForeignPage(c.Request) {
			return nil, errcodes.Wrap(errcodes.Forbidden, errForeignPage)
		}
		if c.params, err = request.ReadParams(c.Request, s.Limits.Parameters); err != nil {
			return nil, err
		}
		return f(c)
	}
}

func noService(*call) (xmlresp.Document, error) {
	return nil, errcodes.New(errcodes.NoSuchService)
}

// notFound answers what no service and no page does: a browser gets a page,
// unless it asks where services are.
func (s *server) notFound(wixServices http.Handler) http.Handler {
	services := s.handle(noService)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wix.FromSDK(r) {
			wixServices.ServeHTTP(w, r)
			return
		}
		a := request.AddressOf(r.Context())
		if s.pages != nil && a.Service == a.Shown && request.ByBrowser(r) {
			s.pages.WriteProblem(w, r, errcodes.New(errcodes.NoSuchService))
			return
		}
		services.ServeHTTP(w, r)
	})
}

// Package server is the HTTP surface: addressing, limits, who is calling, and
// the services of the contract.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/openapi"
	"github.com/reseed-project/reseed/server/pages"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/server/wix"
	"github.com/reseed-project/reseed/xmlresp"
)

// Members is what the PageSeeder services need of the use cases.
type Members interface {
	Reset(ctx context.Context, caller members.Caller, r members.ResetRequest) (members.Outcome, error)
	SignIn(ctx context.Context, name, password string) (members.Member, error)
}

// Config is what a server is made of. Zero limits get the defaults of Limits.
type Config struct {
	Members  Members
	Profiles Profiles
	Sessions Sessions
	Groups   Groups
	Accounts Accounts
	Clients  Clients
	Wix      wix.Members
	HostURL  string // what browsers know this server by, with the site prefix
	// AllowsOrigin reports whether pages of an origin may call the services; nil: none may.
	AllowsOrigin  func(ctx context.Context, origin string) (bool, error)
	Health        Health
	SitePrefix    string        // "/ps"; "" for none
	SecureCookies bool          // reached by HTTPS: cookies go nowhere else
	Pages         *pages.Config // nil: no pages
	Zone          *time.Location
	Version       xmlresp.Version // that GET /version tells
	TokenLife     time.Duration   // of an OAuth access token, as its answer tells
	// QueryCredentials accepts username and password in the query of the services
	// that open a session.
	QueryCredentials bool
	Limits           Limits
	Rates            Rates
	Proxies          request.Proxies
	Timeout          time.Duration             // for a request behind the edge; 0: none
	Observe          func(Observation)         // of every request; may be nil
	Refusals         *Refusals                 // logs those turned away; nil: a line each
	Wait             func() time.Duration      // for the database, by estimate; nil: none
	Address          func(netip.Addr) string   // how client addresses are logged; nil: as they are
	Fault            func(*http.Request) error // the error to answer a request with instead; nil: never
	More             More                      // what others answer beside this server, for its OpenAPI document
	Now              func() time.Time
	Log              *slog.Logger
}

// More is what a server's OpenAPI document holds beside its own services.
type More struct {
	Tags       []openapi.Tag
	Operations []openapi.Operation
}

// Limits bound what a request may cost.
type Limits struct {
	Body       int64 // bytes of a request's body; default 64 KiB
	Parameters int   // of query and form together; default 100
	InFlight   int   // requests at once; more are answered 503; default 512
	// Wait is how long a request may have to wait for the database; if it
	// would be longer it is answered 503 at once. Default 500 ms.
	Wait time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Body == 0 {
		l.Body = 64 << 10
	}
	if l.Parameters == 0 {
		l.Parameters = 100
	}
	if l.InFlight == 0 {
		l.InFlight = 512
	}
	if l.Wait == 0 {
		l.Wait = 500 * time.Millisecond
	}
	return l
}

// New returns the server's handler.
func New(c Config) http.Handler {
	c.Limits = c.Limits.withDefaults()
	s := &server{Config: c, limiter: newLimiter(c.Rates), opened: newOpenedSessions()}
	if c.Pages != nil {
		s.pages = pages.New(*c.Pages, c.SitePrefix, c.Limits.Parameters)
	}
	return s.healthFirst(s.edge(s.cors(s.route())))
}

type server struct {
	Config
	limiter *limiter
	origins origins
	pages   *pages.Pages // nil: none
	opened  *openedSessions
	hint    sync.Once // about credentials in a query
}

// route hands requests for the Wix services, which stand at the root, to them,
// and all others to the PageSeeder services and the pages.
func (s *server) route() http.Handler {
	wixServices := wix.New(s.Wix, s.HostURL)
	r := mux.NewRouter().SkipClean(true).UseEncodedPath()
	s.routes(r)
	if s.pages != nil {
		s.pages.Routes(r)
	}
	r.NotFoundHandler = s.notFound(wixServices)
	description := s.openAPI()
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if wix.Owns(q) {
			wixServices.ServeHTTP(w, q)
			return
		}
		if q.URL.Path == openAPIPath {
			description.ServeHTTP(w, q)
			return
		}
		request.SetAddress(q, s.SitePrefix)
		r.ServeHTTP(w, atService(q))
	})
}

// atService returns a request with the service's own path in its URL.
func atService(r *http.Request) *http.Request {
	path := request.AddressOf(r.Context()).Service
	u := *r.URL
	u.RawPath = path
	if decoded, err := url.PathUnescape(path); err == nil {
		u.Path = decoded
	}
	q := *r
	q.URL = &u
	return &q
}

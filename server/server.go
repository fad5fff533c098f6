// Package server is the HTTP surface: addressing, limits, who is calling, and
// the services of the contract.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/gorilla/mux"

	"reseed/members"
	"reseed/xmlresp"
)

// Members is what the PageSeeder services need of the use cases.
type Members interface {
	Reset(ctx context.Context, caller members.Caller, r members.ResetRequest) (members.Outcome, error)
	SignIn(ctx context.Context, name, password string) (members.Member, error)
}

// Config is what a server is made of. Zero limits get the defaults of Limits.
type Config struct {
	Members    Members
	Profiles   Profiles
	Sessions   Sessions
	Clients    Clients
	Wix        Wix
	Health     Health
	SitePrefix string      // "/ps"; "" for none
	Secure     bool        // reached by HTTPS: cookies go nowhere else
	Pages      *PageConfig // nil: no pages
	Zone       *time.Location
	Version    xmlresp.Version // that GET /version tells
	TokenLife  time.Duration   // of an OAuth access token, as its answer tells
	Limits     Limits
	Rates      Rates
	Proxies    Proxies
	Timeout    time.Duration        // for a request behind the edge; 0: none
	Observe    func(Observation)    // of every request; may be nil
	Refusals   *Refusals            // logs those turned away; nil: a line each
	Wait       func() time.Duration // for the database, by estimate; nil: none
	Address    func(netip.Addr) any // how client addresses are logged; nil: as they are
	Now        func() time.Time
	Log        *slog.Logger
}

// Limits bound what a request may cost.
type Limits struct {
	Body       int64 // bytes of a request's body; default 64 KiB
	Parameters int   // of query and form together; default 100
	InFlight   int   // requests at once; more are answered 503; default 512
	// Wait is how long a request may have to wait for the database; where it
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
	s := &server{Config: c, limiter: newLimiter(c.Rates)}
	s.pages = newPages(s)
	r := mux.NewRouter().SkipClean(true).UseEncodedPath()
	s.services(r)
	s.pages.routes(r)
	r.NotFoundHandler = s.handle(noService)
	return healthFirst(c.Health, s.edge(s.split(s.address(r))))
}

type server struct {
	Config
	limiter *limiter
	pages   *pages // nil: none
}

// services lists the PageSeeder services by their path behind the prefix.
func (s *server) services(r *mux.Router) {
	post := func(path string, f service) { r.Handle(path, s.handle(s.only(http.MethodPost, f))).Name(path) }
	post("/members/resetpassword", s.resetPassword)
	post("/groups/{group}/members/resetpassword", s.resetPassword)
	s.accessServices(r)
}

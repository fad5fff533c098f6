// Package pages serves HTML: the reset pages, and if mails are captured the inbox
// and the start page.
package pages

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/templates"
)

// Members is what the pages need of the use cases.
type Members interface {
	Reset(ctx context.Context, caller members.Caller, r members.ResetRequest) (members.Outcome, error)
	DescribeLink(ctx context.Context, l members.Link) (members.LinkDetail, error)
	CompleteLink(ctx context.Context, l members.Link, pw string) (members.LinkDetail, error)
	JudgePassword(ctx context.Context, l members.Link, pw string) (members.Judgement, error)
	DescribeAction(ctx context.Context, l members.Link, purpose password.Purpose) (members.LinkDetail, error)
	ActivateLink(ctx context.Context, l members.Link) (members.Profile, error)
	ConfirmEmail(ctx context.Context, l members.Link) (members.Profile, error)
	FindGroup(ctx context.Context, name string) (groups.Group, error)
	AllGroups(ctx context.Context) ([]groups.Group, error)
}

// Config is what the pages are made of. Inbox and Stopping may be left out.
type Config struct {
	Members  Members
	Looks    *templates.Library
	HostURL  string // as browsers know it: scheme, host and site prefix
	SiteName string
	Policy   password.PolicyConfig
	// Desk serves the help desk's pages under /admin; nil: there are none.
	Desk Desk
	Zone *time.Location   // of the times that they show; nil: UTC
	Now  func() time.Time // required with Desk and with Inbox
	// Inbox shows captured mails under /dev/mail, and the start page with it.
	Inbox Inbox
	// InboxEverywhere lets other machines see the inbox, too.
	InboxEverywhere bool
	// InboxHosts are further names under which the inbox answers then.
	InboxHosts []string
	// InboxWait is how long at most a program may wait for a mail.
	InboxWait time.Duration
	// TestServer has every page say that it is one.
	TestServer bool
	// Stopping ends when the server is about to stop; streams end with it.
	Stopping context.Context
}

// Pages are the reset pages, and if mails are captured the inbox and the start page.
type Pages struct {
	Config
	prefix     string // of the site
	parameters int    // of a request, at most
	host       *url.URL
	base       string        // path of the reset pages, as browsers know it
	markup     func() markup // parsed when the first page is shown
	assets     atomic.Pointer[assets]
	streams    chan struct{} // places for live updates

	problems problemPages
}

// page is one of the pages: a page request in, a reply or an error out. It never sees
// the ResponseWriter.
type page func(*pageRequest) (*reply, error)

// New returns the pages of a site with that prefix. Their requests have at most
// so many parameters.
func New(c Config, sitePrefix string, parameters int) *Pages {
	host, err := url.Parse(c.HostURL)
	if err != nil { // the configuration was validated
		panic("pages: host URL: " + err.Error())
	}
	p := &Pages{Config: c, prefix: sitePrefix, parameters: parameters, host: host, base: host.EscapedPath() + "/email"}
	if p.Stopping == nil {
		p.Stopping = context.Background()
	}
	p.markup = sync.OnceValue(parseMarkup)
	p.assetsOf(p.Looks.Pages())
	p.streams = make(chan struct{}, maxStreams)
	return p
}

// Host returns the host that browsers know the server by.
func (p *Pages) Host() string { return p.host.Host }

// Routes adds the pages. They have one address each: what services allow in
// an address (bare paths, /api, extensions) does not lead here.
func (p *Pages) Routes(r *mux.Router) {
	own := r.MatcherFunc(ownAddress).Subrouter()
	email := p.prefix + "/email"
	own.Handle(email+"/changepassword", p.handle(p.showChange, p.postChange))
	own.Handle(email+"/changepassword/strength", p.handle(nil, p.strength))
	for _, a := range actions() {
		own.Handle(email+a.path, p.handle(a.show, a.act))
	}
	own.Handle(email+"/resetpassword", p.handle(p.showForgot, p.postForgot))
	own.Handle(email+"/assets/{hash}/{file}", p.handle(p.showAsset, nil))
	own.Handle(email+"/{group}/resetpassword", p.handle(p.showForgot, p.postForgot))
	own.PathPrefix(email + "/").Handler(p.handle(p.notFound, p.notFound))
	own.Handle("/.well-known/change-password", p.handle(p.wellKnown, nil))
	if p.Desk != nil {
		p.deskRoutes(own)
	}
	if p.Inbox != nil {
		p.devRoutes(own)
	}
}

func ownAddress(r *http.Request, _ *mux.RouteMatch) bool {
	a := request.AddressOf(r.Context())
	return a.Shown == a.Service || a.Shown == a.Service+".json"
}

// Owns reports whether a request that never got to a page wanted one.
func (p *Pages) Owns(a request.Address) bool {
	return strings.HasPrefix(a.Shown, p.prefix+"/email/") ||
		p.Desk != nil && (a.Shown == p.prefix+"/admin" || strings.HasPrefix(a.Shown, p.prefix+"/admin/")) ||
		p.Inbox != nil && (a.Shown == "/" || strings.HasPrefix(a.Shown, "/dev/mail"))
}

// wellKnown leads password managers to where a password is changed (W3C, A
// Well-Known URL for Changing Passwords).
func (p *Pages) wellKnown(*pageRequest) (*reply, error) {
	return redirect(p.base + "/resetpassword"), nil
}

func (p *Pages) notFound(*pageRequest) (*reply, error) {
	return nil, errcodes.New(errcodes.NoSuchService)
}

// handle adapts a page to HTTP: one function to look, one to act, nil where
// there is nothing of the kind.
func (p *Pages) handle(get, post page) http.Handler {
	methods := map[string]page{}
	if get != nil {
		methods[http.MethodGet], methods[http.MethodHead] = get, get
	}
	if post != nil {
		methods[http.MethodPost] = post
	}
	return p.handleMethods(methods)
}

func (p *Pages) handleMethods(methods map[string]page) http.Handler {
	var names []string
	for name := range methods {
		names = append(names, name)
	}
	slices.Sort(names)
	allow := strings.Join(names, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request.SetRoute(r)
		v := p.newPageRequest(r)
		a, err := v.run(methods[r.Method])
		if err != nil {
			a = v.problem(err)
		}
		if a.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allow)
		}
		a.write(w)
	})
}

// run runs a page. Nothing is done for a request that another site's page sent.
func (v *pageRequest) run(f page) (*reply, error) {
	switch {
	case f == nil:
		return nil, &errcodes.Error{Code: errcodes.WrongMethod, Status: http.StatusMethodNotAllowed}
	case !request.AddressOf(v.Context()).Valid:
		return nil, request.Malformed(nil)
	case v.Method != http.MethodGet && v.Method != http.MethodHead && v.pages.foreign(v.Request):
		return nil, errcodes.New(errcodes.Forbidden)
	}
	return f(v)
}

// foreign reports whether a page of another origin sent the request. A null
// origin alone is nothing to hold against it: the reset pages send no referrer,
// and so their forms' Origin is null.
func (p *Pages) foreign(r *http.Request) bool {
	return (r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "null") && request.ByForeignPage(r, p.host.Host)
}

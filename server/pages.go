package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"reseed/errcodes"
	"reseed/groups"
	"reseed/members"
	"reseed/password"
	"reseed/templates"
)

// PageMembers is what the pages need of the use cases.
type PageMembers interface {
	DescribeLink(ctx context.Context, l members.Link) (members.LinkDetail, error)
	CompleteLink(ctx context.Context, l members.Link, pw string) (members.LinkDetail, error)
	JudgePassword(ctx context.Context, l members.Link, pw string) (members.Judgement, error)
	FindGroup(ctx context.Context, name string) (groups.Group, error)
	AllGroups(ctx context.Context) ([]groups.Group, error)
}

// PageConfig is what the pages are made of. Inbox and Stopping may be left out.
type PageConfig struct {
	Members  PageMembers
	Looks    *templates.Pages
	HostURL  string // as browsers know it: scheme, host and site prefix
	SiteName string
	Policy   password.PolicyConfig
	// Inbox shows captured mails under /dev/mail, and the start page with it.
	Inbox Inbox
	// InboxEverywhere lets other machines see the inbox, too.
	InboxEverywhere bool
	// Stopping ends when the server is about to stop; streams end with it.
	Stopping context.Context
}

// pages serves HTML: the reset pages, and where mails are captured the inbox
// and the start page.
type pages struct {
	*server
	PageConfig
	host    *url.URL
	base    string // path of the reset pages, as browsers know it
	markup  markup
	assets  assets
	streams chan struct{} // places for live updates

	problems problemPages
}

// page is one of the pages: a visit in, a reply or an error out. It never sees
// the ResponseWriter.
type page func(*visit) (*reply, error)

// newPages returns nil where there are none.
func newPages(s *server) *pages {
	if s.Pages == nil {
		return nil
	}
	host, err := url.Parse(s.Pages.HostURL)
	if err != nil { // the configuration was validated
		panic("server: host URL: " + err.Error())
	}
	p := &pages{server: s, PageConfig: *s.Pages, host: host, base: host.EscapedPath() + "/email"}
	if p.Stopping == nil {
		p.Stopping = context.Background()
	}
	p.markup = parseMarkup()
	p.assets = newAssets(p.Looks.Looks())
	p.streams = make(chan struct{}, maxStreams)
	return p
}

// routes lists the pages. They have one address each: what services allow in
// an address (bare paths, /api, extensions) does not lead here.
func (p *pages) routes(r *mux.Router) {
	if p == nil {
		return
	}
	own := r.MatcherFunc(ownAddress).Subrouter()
	email := p.SitePrefix + "/email"
	own.Handle(email+"/changepassword", p.handle(p.showChange, p.postChange))
	own.Handle(email+"/changepassword/strength", p.handle(nil, p.strength))
	own.Handle(email+"/resetpassword", p.handle(p.showForgot, p.postForgot))
	own.Handle(email+"/assets/{hash}/{file}", p.handle(p.showAsset, nil))
	own.Handle(email+"/{group}/resetpassword", p.handle(p.showForgot, p.postForgot))
	own.PathPrefix(email + "/").Handler(p.handle(p.notFound, p.notFound))
	if p.Inbox != nil {
		p.devRoutes(own)
	}
}

func ownAddress(r *http.Request, _ *mux.RouteMatch) bool {
	a := addressOf(r.Context())
	return a.shown == a.service || a.shown == a.service+".json"
}

// owns reports whether a request that never got to a page wanted one.
func (p *pages) owns(a address) bool {
	return p != nil && (strings.HasPrefix(a.shown, p.SitePrefix+"/email/") ||
		p.Inbox != nil && (a.shown == "/" || strings.HasPrefix(a.shown, "/dev/mail")))
}

func (p *pages) notFound(*visit) (*reply, error) {
	return nil, errcodes.New(errcodes.NoSuchService)
}

// handle adapts a page to HTTP: one function to look, one to act, nil where
// there is nothing of the kind.
func (p *pages) handle(get, post page) http.Handler {
	methods := map[string]page{}
	if get != nil {
		methods[http.MethodGet], methods[http.MethodHead] = get, get
	}
	if post != nil {
		methods[http.MethodPost] = post
	}
	return p.handleMethods(methods)
}

func (p *pages) handleMethods(methods map[string]page) http.Handler {
	var names []string
	for name := range methods {
		names = append(names, name)
	}
	slices.Sort(names)
	allow := strings.Join(names, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noteRoute(r)
		v := p.newVisit(r)
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
func (v *visit) run(f page) (*reply, error) {
	switch {
	case f == nil:
		return nil, &errcodes.Error{Code: errcodes.WrongMethod, Status: http.StatusMethodNotAllowed}
	case !addressOf(v.Context()).valid:
		return nil, malformed(nil)
	case v.Method != http.MethodGet && v.Method != http.MethodHead && v.pages.foreign(v.Request):
		return nil, errcodes.New(errcodes.Forbidden)
	}
	return f(v)
}

// foreign reports whether a page of another origin sent the request. A null
// origin alone is nothing to hold against it: the reset pages send no referrer,
// and so their forms' Origin is null.
func (p *pages) foreign(r *http.Request) bool {
	return (r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "null") && p.byForeignPage(r)
}

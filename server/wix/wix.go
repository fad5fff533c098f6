// Package wix is the HTTP surface of the Wix services (contract 2).
package wix

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
)

// Members is what the Wix services need of the use cases.
type Members interface {
	AuthorizeSite(ctx context.Context, key, siteID string) (members.WixSite, error)
	IdentifySite(ctx context.Context, credentials, siteID string) (members.SiteCaller, error)
	ValidEmail(address string) bool
	SendSetPassword(ctx context.Context, site members.WixSite, r members.SetPasswordRequest) error
	SendRecovery(ctx context.Context, r members.RecoveryRequest) error
	SendActivation(ctx context.Context, site members.WixSite, member int64, o members.Options) error
	Recover(ctx context.Context, site members.WixSite, token, password string) error

	ClientSite(ctx context.Context, client string) (members.WixSite, error)
	GrantVisitor(ctx context.Context, site members.WixSite) (members.GrantedTokens, error)
	GrantMember(ctx context.Context, site members.WixSite, member int64) (members.GrantedTokens, error)
	RenewAccess(ctx context.Context, site members.WixSite, refresh string) (members.GrantedTokens, error)
	Exchange(ctx context.Context, site members.WixSite, code, verifier, redirect string) (members.GrantedTokens, error)
	Authorize(ctx context.Context, site members.WixSite, r members.AuthorizeRequest) (code string, err error)
	SignOut(ctx context.Context, c members.SiteCaller) error

	SiteLogin(ctx context.Context, site members.WixSite, email, password string) (session string, m members.Member, err error)
	Register(ctx context.Context, site members.WixSite, r members.Registration) (session string, m members.Member, err error)
	ChangeOwnPassword(ctx context.Context, c members.SiteCaller, password string) error
	SiteMember(ctx context.Context, site members.WixSite, id int64) (members.Member, error)
	QueryMembers(ctx context.Context, site members.WixSite, q members.MemberQuery) ([]members.Member, int, error)
}

// service is one of the services: a request in, an answer to encode or
// an error out. An answer that is a responder writes itself.
type service func(*http.Request) (any, error)

// Route is a service of the vendor's that is served here, alike on all of its
// paths (contract 2.1 and 2.2).
type Route struct {
	Name   string // the method of the vendor's SDK, or what it is
	Method string
	Paths  []string // {id} stands for a segment
	serve  func(services) service
	spec   spec
}

// The places where the vendor's SDK looks for services: at its default host, at
// a host of one's own, and in site runtimes.
var (
	iam            = []string{"/_api/iam", "/_iam", "/iam"}
	memberRoots    = []string{"/members/v1/members", "/_api/members/v1/members"}
	redirectRoots  = []string{"/_api/redirects-api/v1", "/headless/v1", "/redirect-session/v1"}
	setPasswordTop = []string{
		"/wix-sm/api/v1/auth/v1", // doubled, in truth
		"/wix-sm/api/v1", "/members/v1", "/identity/members/v1", "/_api/wix-sm-webapp/members/v1",
	}
)

const (
	authorizePath = "/_api/oauth2/authorize"
	logoutPath    = "/_api/iam/authentication/v1/logout"
)

func under(roots []string, tail string) []string {
	paths := make([]string, len(roots))
	for i, root := range roots {
		paths[i] = root + tail
	}
	return paths
}

// Routes lists the services that are served. A member's own record comes before
// those by id.
func Routes() []Route {
	const get, post = http.MethodGet, http.MethodPost
	return []Route{
		{"sendSetPasswordEmail", post, under(setPasswordTop, "/auth/members/send-set-password-email"), func(s services) service { return s.sendSetPassword }, spec{"Mails a link to set a password", body("email!:email", "hideIgnoreMessage:boolean", "requestedByMember:boolean"), acceptedAnswer{}, byKey}},
		{"sendRecoveryEmail", post, under(iam, "/recovery/v1/send-email"), func(s services) service { return s.sendRecovery }, spec{"Mails a link to recover an account", body("email!:email", "language", "redirect.url", "redirect.clientId"), none{}, byAnybody}},
		{"sendActivationEmail", post, under(iam, "/recovery/v1/activation-email"), func(s services) service { return s.sendActivation }, spec{"Mails a member the link that activates the account", body("identityId!:uuid", "emailOptions.language", "emailOptions.redirect.url"), none{}, byKey}},
		{"recover", post, under(iam, "/recovery/v1/recover"), func(s services) service { return s.recoverPassword }, spec{"Sets a password by the token of a mail", body("recoveryToken!", "password!:password"), stateAnswer{}, byAnybody}},
		{"loginV2", post, under(iam, "/authentication/v2/login"), func(s services) service { return s.login }, spec{"Signs a member in", body("loginId!.email!:email", "password!:password"), stateAnswer{}, byToken}},
		{"registerV2", post, under(iam, "/authentication/v2/register"), func(s services) service { return s.register }, spec{"Makes an account", body("loginId!.email!:email", "password!:password", "profile.firstName", "profile.lastName", "profile.language"), stateAnswer{}, byToken}},
		{"changePassword", post, under(iam, "/authentication/v2/change-password"), func(s services) service { return s.changePassword }, spec{"Changes the password of the member who is signed in", body("newPassword!:password"), none{}, byToken}},
		{"logout", get, under(iam, "/authentication/v1/logout"), func(s services) service { return s.logout }, spec{"Ends the caller's tokens, or leads a browser back", query("clientId", "postLogoutRedirectUri"), none{}, byAnybody}},
		{"tokens", post, []string{"/oauth2/token"}, func(s services) service { return s.token }, spec{"Access tokens of visitors and members", body("grantType!:anonymous|refresh_token|authorization_code|authorized_client", "clientId", "refreshToken", "code", "codeVerifier", "redirectUri", "memberId:uuid"), tokensAnswer{}, byAnybody}},
		{"createRedirectSession", post, under(redirectRoots, "/redirect-session"), func(s services) service { return s.redirectSession }, spec{"Where to go for an authorization code, or to sign out", body("auth.authRequest.redirectUri", "auth.authRequest.clientId", "auth.authRequest.codeChallenge", "auth.authRequest.codeChallengeMethod", "auth.authRequest.responseMode", "auth.authRequest.responseType", "auth.authRequest.scope", "auth.authRequest.state", "auth.authRequest.sessionToken", "auth.prompt", "logout.clientId", "callbacks.postFlowUrl"), redirectAnswer{}, byToken}},
		{"authorize", get, []string{authorizePath}, func(s services) service { return s.authorize }, spec{"Hands an authorization code over to the site", query("client_id!", "code", "error", "state", "response_mode", "response_type", "redirect_uri", "scope", "prompt", "sessionToken", "code_challenge", "code_challenge_method"), nil, byAnybody}},
		{"queryMembers", post, under(memberRoots, "/query"), func(s services) service { return s.queryMembers }, spec{"Members that a filter finds", body("query.filter:object", "query.paging.limit:integer", "query.paging.offset:integer", "query.sort:array", "query.sorting:array", "fieldsets:strings"), membersAnswer{}, byKey}},
		{"getCurrentMember", get, under(memberRoots, "/my"), func(s services) service { return s.currentMember }, spec{"The member who is signed in", query("fieldsets:strings"), memberAnswer{}, byToken}},
		{"getMember", get, under(memberRoots, "/{id}"), func(s services) service { return s.getMember }, spec{"A member", query("fieldsets:strings"), memberAnswer{}, byToken}},
	}
}

// roots are where services of the vendor's lie, those that are not served among
// them. None of PageSeeder's lies there.
var roots = []string{
	"/_api", "/_iam", "/iam", "/oauth2", "/wix-sm", "/identity", "/headless", "/redirect-session", "/api/v1/auth",
	"/members/v1/auth", "/members/v1/members", "/members/v1/wix-sm-webapp-proxy",
}

// Owns reports whether a request is for the vendor's services, by its path or
// its host: clients look for the vendor's errors and for the request id in each
// answer.
func Owns(r *http.Request) bool {
	host := strings.ToLower((&url.URL{Host: r.Host}).Hostname())
	return host == "wixapis.com" || strings.HasSuffix(host, ".wixapis.com") ||
		slices.ContainsFunc(roots, func(root string) bool {
			tail, ok := strings.CutPrefix(r.URL.Path, root)
			return ok && (tail == "" || tail[0] == '/')
		})
}

// FromSDK reports whether the vendor's SDK says that it sent the request.
func FromSDK(r *http.Request) bool {
	return r.Header.Get("X-Wix-Bi-Gateway") != "" || r.Header.Get("Wix-Site-Id") != ""
}

// services answers requests by the use cases.
type services struct {
	Members
	origin string // of this server, as browsers know it
}

// New returns the handler of the Wix services, which stand at the root.
// hostURL starts with the origin that browsers know this server by.
func New(m Members, hostURL string) http.Handler {
	s := services{Members: m}
	if u, err := url.Parse(hostURL); err == nil {
		s.origin = u.Scheme + "://" + u.Host
	}
	r := mux.NewRouter().SkipClean(true)
	for _, route := range Routes() {
		for _, path := range route.Paths {
			r.Handle(path, handle(only(route.Method, route.serve(s))))
		}
	}
	r.NotFoundHandler = handle(func(*http.Request) (any, error) { return nil, errcodes.New(errcodes.NoSuchService) })
	return r
}

func only(method string, f service) service {
	return func(r *http.Request) (any, error) {
		if r.Method != method {
			return nil, &shownError{status: http.StatusMethodNotAllowed, Message: "Method not allowed", allow: method}
		}
		return f(r)
	}
}

// object returns the fields of a request's body.
func (s services) object(r *http.Request) (fields, error) {
	body, err := request.Body(r.Context())
	if err != nil {
		return fields{}, err
	}
	return readFields(body, s.ValidEmail)
}

// caller returns who calls.
func (s services) caller(r *http.Request) (members.SiteCaller, error) {
	if _, err := request.Body(r.Context()); err != nil {
		return members.SiteCaller{}, err
	}
	return s.IdentifySite(r.Context(), credentials(r.Header), onlyValue(r.Header, "wix-site-id"))
}

// visitor returns who calls a service that anybody may call, with or without
// credentials. An API key is not asked for, and counts for nothing.
func (s services) visitor(r *http.Request) (members.SiteCaller, error) {
	given := credentials(r.Header)
	if !members.IsSiteToken(given) {
		return members.SiteCaller{}, nil
	}
	return s.IdentifySite(r.Context(), given, "")
}

// atSite returns who calls a service that needs to know the site.
func (s services) atSite(r *http.Request) (members.SiteCaller, error) {
	c, err := s.caller(r)
	if err == nil && c.Site.Zero() {
		err = errUnauthenticated()
	}
	return c, err
}

// manager returns the site of a caller with an API key that may manage members.
func (s services) manager(r *http.Request) (members.WixSite, error) {
	if _, err := request.Body(r.Context()); err != nil {
		return members.WixSite{}, err
	}
	given, site := credentials(r.Header), onlyValue(r.Header, "wix-site-id")
	if !members.IsSiteToken(given) {
		return s.AuthorizeSite(r.Context(), given, site)
	}
	if _, err := s.IdentifySite(r.Context(), given, site); err != nil {
		return members.WixSite{}, err
	}
	return members.WixSite{}, application(http.StatusForbidden, "PERMISSION_DENIED", "This takes an API key that may manage members")
}

// credentials returns a raw API key or access token, which may come with the
// scheme Bearer; "" if it isn't given exactly once.
func credentials(h http.Header) string {
	key := onlyValue(h, "Authorization")
	if scheme, rest, ok := strings.Cut(key, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest)
	}
	return key
}

// onlyValue returns a header's value; one that is given twice is no value at all.
func onlyValue(h http.Header, name string) string {
	if values := h.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

package server

import (
	"slices"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/openapi"
)

// endpoint is a service under one method and one path behind the prefix, and
// what /openapi.json says about it.
type endpoint struct {
	method, path string
	serve        service
	id, about    string
	params       []string        // as openapi.Object reads them
	answer       *openapi.Schema // of status 200
	errors       []errcodes.Code // beside those that every service has
	who          []string        // names of security schemes
}

// Who may call, as security schemes.
var (
	byAnybody     = []string{"", "basic", "session", "bearer"}
	bySignedIn    = []string{"basic", "session", "bearer"}
	withoutCaller = []string{""} // the caller is not looked up
)

// Errors that several services have.
var (
	resetErrors = []errcodes.Code{
		errcodes.IdentifierRequired, errcodes.InvalidEmail, errcodes.DifferentMembers, errcodes.NoSuchMember, errcodes.APIAccount,
		errcodes.AccountLocked, errcodes.NoEmail, errcodes.InvalidToken, errcodes.WeakPassword, errcodes.PasswordIsUsername,
		errcodes.MissingParameter, errcodes.MailFailed,
	}
	groupErrors = append([]errcodes.Code{errcodes.MissingGroup}, resetErrors...)
	noMember    = []errcodes.Code{errcodes.MemberNotFound}
)

var (
	resetParams = []string{"email:email", "member-username", "token", "key", "member-password:password", "notify-async:boolean"}
	forceParams = []string{"email:email", "member-username", "member-password:password", "notify-async:boolean"}
	pageParams  = []string{"page:integer", "pagesize:integer"}
)

// endpoints lists the PageSeeder services of contract 1.3 to 1.10, by their path
// behind the prefix. What stands first is found first.
func (s *server) endpoints() []endpoint {
	return slices.Concat(unserved(), s.resetEndpoints(), s.registrationEndpoints(), s.memberEndpoints(), s.groupEndpoints(),
		s.sessionEndpoints(), s.tokenEndpoints())
}

// unserved are services of the vendor's that are not served, and no member.
func unserved() []endpoint {
	return []endpoint{
		{path: "/members/find", serve: noService}, {path: "/members/import", serve: noService},
		{path: "/groups/{group}/members/invite", serve: noService}, {path: "/groups/{group}/members/inviteself", serve: noService},
	}
}

// routes registers the services, each path once with all its methods. Those
// that are not a form by POST the token service refuses in words of its own.
func (s *server) routes(r *mux.Router) {
	byPath := map[string]methods{}
	for _, e := range s.endpoints() {
		if m, ok := byPath[e.path]; ok {
			m[e.method] = e.serve
			continue
		}
		m := methods{e.method: e.serve}
		byPath[e.path] = m
		serve := m.one
		if e.isToken() || e.method == "" {
			serve = e.serve
		}
		route := r.Handle(e.path, s.handle(serve))
		if e.method != "" {
			route.Name(e.path)
		}
	}
}

package server

import (
	"net/http"

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
	const get, post, patch = http.MethodGet, http.MethodPost, http.MethodPatch
	logout, servlet := s.authenticating(s.servletLogout), s.SitePrefix+"/servlet/com.pageseeder.Login"
	list := []endpoint{
		{post, "/members/resetpassword", s.anybody(s.resetPassword), "resetPassword", "Mails a reset token (step 1), or sets a password by one (step 2)", resetParams, resetDoc(), resetErrors, byAnybody},
		{post, "/groups/{group}/members/resetpassword", s.anybody(s.resetPassword), "resetPasswordInGroup", "The same with the mail templates of a group", resetParams, resetDoc(), groupErrors, byAnybody},
		{post, "/members/forceresetpassword", s.signedIn(s.forceResetPassword), "forceResetPassword", "An administrator has a token mailed, or sets a password", forceParams, resetDoc(), resetErrors, bySignedIn},
		{post, "/groups/{group}/members/forceresetpassword", s.signedIn(s.forceResetPassword), "forceResetPasswordInGroup", "The same with the mail templates of a group", forceParams, resetDoc(), groupErrors, bySignedIn},
		// Services of the vendor's that are not served, and no member.
		{path: "/members/find", serve: noService}, {path: "/members/import", serve: noService},
		{path: "/groups/{group}/members/invite", serve: noService}, {path: "/groups/{group}/members/inviteself", serve: noService},
		{post, "/members/{member}/unlock", s.signedIn(s.unlock), "unlockMember", "Ends the locks of a member", nil, unlockDoc(), []errcodes.Code{errcodes.MissingMember}, bySignedIn},
		{post, "/members/register", s.anybody(s.register), "registerMember", "Makes an account, and mails a link that activates it",
			[]string{"email:email", "member-username", "firstname", "surname", "member-password:password", "notify-async:boolean"},
			openapi.Object().With("member", memberDoc()).Element("member-creation"),
			[]errcodes.Code{errcodes.InvalidEmail, errcodes.InvalidUsername, errcodes.IdentifierTaken, errcodes.WeakPassword, errcodes.PasswordIsUsername, errcodes.MissingParameter, errcodes.MailFailed}, byAnybody},
		{get, "/members/sendactivation", s.anybody(s.sendActivation), "sendActivation", "Mails the link that activates an account again",
			[]string{"email:email", "member-username", "notify-async:boolean"}, openapi.Attributes("member-activation", "email!:email"),
			append([]errcodes.Code{errcodes.AlreadyActivated}, resetErrors...), byAnybody},
		{get, "/members/{member}/activate", s.anybody(s.activate), "activateMember", "Activates an account by the token of its mail", []string{"token", "key"}, activationDoc(),
			[]errcodes.Code{errcodes.TokenRequired, errcodes.InvalidToken, errcodes.MissingMember, errcodes.AccountLocked, errcodes.APIAccount, errcodes.MemberNotFound}, byAnybody},
		{post, "/members/{member}/activate", s.signedIn(s.activateByAdmin), "activateMemberByAdministrator", "An administrator activates an account", nil, activationDoc(),
			[]errcodes.Code{errcodes.MissingMember, errcodes.AccountLocked, errcodes.APIAccount, errcodes.MemberNotFound}, bySignedIn},
		{get, "/members/{member}", s.anybody(s.member), "getMember", "A member; also for those with a valid token of the member, which stays good", []string{"token"}, memberDoc(), noMember, byAnybody},
		{patch, "/members/{member}", s.signedIn(s.changeMember), "changeMember", "Changes a member's names, address or password",
			[]string{"firstname", "surname", "member-username", "email:email", "member-password:password", "current-password:password", "force-email-change:boolean", "notify-async:boolean"},
			memberDoc(), append([]errcodes.Code{errcodes.MissingMember, errcodes.MemberNotFound, errcodes.InvalidUsername, errcodes.IdentifierTaken}, resetErrors...), bySignedIn},
		{get, "/self", s.opening(s.self), "getSelf", "The member who calls; with Basic it opens a session", signInParams(), memberDoc(), noMember, bySignedIn},
		{get, "/self/memberships", s.opening(s.memberships), "getOwnMemberships", "The caller's memberships; with Basic it opens a session", signInParams(), membershipsDoc(), noMember, bySignedIn},
		{get, "/members/{member}/memberships", s.opening(s.memberships), "getMemberships", "A member's memberships; with Basic it opens a session", signInParams(), membershipsDoc(), []errcodes.Code{errcodes.MissingMember, errcodes.MemberNotFound}, bySignedIn},
		{get, "/groups/{group}", s.signedIn(s.group), "getGroup", "A group or project", nil, groupDoc(), []errcodes.Code{errcodes.MissingGroup}, bySignedIn},
		{get, "/groups/{group}/members/find", s.signedIn(s.findMembers), "findMembers", "Memberships of a group whose members match exactly, but for letter case",
			append([]string{"email", "member-username", "firstname", "surname", "member-role"}, pageParams...), groupMembershipsDoc(), []errcodes.Code{errcodes.MissingGroup}, bySignedIn},
		{get, "/groups/{group}/members/alldetails", s.signedIn(s.membersDetails), "listMembers", "All memberships of a group", pageParams, groupMembershipsDoc(), []errcodes.Code{errcodes.MissingGroup}, bySignedIn},
		{get, "/groups/{group}/members/{member}", s.signedIn(s.membership), "getMembership", "A membership", nil, membershipDoc(),
			[]errcodes.Code{errcodes.GroupNotFound, errcodes.MissingGroup, errcodes.MemberNotFound, errcodes.NotInGroup}, bySignedIn},
		{post, "/password/meter", s.anybody(s.passwordMeter), "measurePassword", "How strong a password is", []string{"member-password:password"},
			openapi.Attributes("password-meter", "level!:WEAK|MEDIUM|GOOD|STRONG", "score!:integer"), []errcodes.Code{errcodes.MissingParameter}, byAnybody},
		{get, "/version", s.anybody(s.version), "getVersion", "The version that the server tells clients", nil,
			openapi.Attributes("version", "major!:integer", "build!:integer", "string!"), nil, byAnybody},

		{get, "/authenticate", s.authenticating(s.authenticateByGet), "authenticateByGet", "Ends a session", []string{"action:login|logout"}, authenticateDoc(), []errcodes.Code{errcodes.MissingParameter}, withoutCaller},
		{post, "/authenticate", s.authenticating(s.authenticate), "authenticate", "Opens or ends a session", []string{"action:login|logout", "username", "password:password"},
			authenticateDoc(), []errcodes.Code{errcodes.MissingParameter}, withoutCaller},
		{post, "/resetsession", s.signedIn(s.resetSession), "resetSession", "A new id for the same session", nil, authenticateDoc(), nil, bySignedIn},
		{get, servlet, logout, "servletLogout", "Ends a session (the bridge client's address)", []string{"action:logout", "xformat"}, authenticateDoc(), []errcodes.Code{errcodes.MissingParameter}, withoutCaller},
		{post, servlet, logout, "servletLogoutByPost", "Ends a session (the bridge client's address)", []string{"action:logout", "xformat"}, authenticateDoc(), []errcodes.Code{errcodes.MissingParameter}, withoutCaller},

		{post, "/oauth/token", s.token, "token", "An OAuth 2.0 access token (RFC 6749)", tokenParams(), nil, nil, []string{"", "client"}},
	}
	if s.SitePrefix != "" { // the one service that stands right behind the prefix
		list = append(list, endpoint{post, s.SitePrefix + "/oauth/token", s.token, "tokenBehindPrefix", "An OAuth 2.0 access token (RFC 6749)", tokenParams(), nil, nil, []string{"", "client"}})
	}
	return list
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

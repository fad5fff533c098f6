package server

import (
	"errors"
	"net/http"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/xmlresp"
)

// sessionEndpoints are the services that open and end sessions.
func (s *server) sessionEndpoints() []endpoint {
	logout, servlet := s.authenticating(s.servletLogout), s.SitePrefix+"/servlet/com.pageseeder.Login"
	return []endpoint{
		{http.MethodGet, "/authenticate", s.authenticating(s.authenticateByGet), "authenticateByGet", "Ends a session", []string{"action:login|logout"}, authenticateDoc(), []errcodes.Code{errcodes.MissingParameter}, withoutCaller},
		{http.MethodPost, "/authenticate", s.authenticating(s.authenticate), "authenticate", "Opens or ends a session", []string{"action:login|logout", "username", "password:password"},
			authenticateDoc(), []errcodes.Code{errcodes.MissingParameter}, withoutCaller},
		{http.MethodPost, "/resetsession", s.signedIn(s.resetSession), "resetSession", "A new id for the same session", nil, authenticateDoc(), nil, bySignedIn},
		{http.MethodGet, servlet, logout, "servletLogout", "Ends a session (the bridge client's address)", []string{"action:logout", "xformat"}, authenticateDoc(), []errcodes.Code{errcodes.MissingParameter}, withoutCaller},
		{http.MethodPost, servlet, logout, "servletLogoutByPost", "Ends a session (the bridge client's address)", []string{"action:logout", "xformat"}, authenticateDoc(), []errcodes.Code{errcodes.MissingParameter}, withoutCaller},
	}
}

// authenticate opens or ends a session (contract 1.5). It goes by its own
// parameters: a session that came along and has ended is no reason to refuse a
// new one. Logging out always succeeds, as the vendor documents. Errors: 0201
// for a missing parameter, F006 for an unknown action, 401 0101, F004.
func (s *server) authenticate(c *call) (xmlresp.Document, error) {
	switch action := c.params.Get("action"); action {
	case "":
		return nil, errcodes.Missing("action")
	case "login":
		return s.login(c)
	case "logout":
		return s.logout(c)
	default:
		return nil, request.Malformed(errors.New("no such action"))
	}
}

// authenticateByGet ends a session; passwords don't belong in addresses, so that
// login by GET is 405 (contract 1.5).
func (s *server) authenticateByGet(c *call) (xmlresp.Document, error) {
	if c.params.Get("action") == "login" {
		return nil, &errcodes.Error{Code: errcodes.WrongMethod, Status: http.StatusMethodNotAllowed}
	}
	return s.authenticate(c)
}

// servletLogout answers the older address of logging out, which the bridge
// client uses (contract 1.5). Errors as authenticate.
func (s *server) servletLogout(c *call) (xmlresp.Document, error) {
	if c.params.Get("action") == "login" {
		return nil, request.Malformed(errors.New("the servlet only logs out"))
	}
	return s.authenticate(c)
}

func (s *server) login(c *call) (xmlresp.Document, error) {
	name, password := c.params.Get("username"), c.params.Get("password")
	if name == "" {
		return nil, errcodes.Missing("username")
	}
	if password == "" {
		return nil, errcodes.Missing("password")
	}
	old := sessionIDs(c.Request)
	replaced := ""
	if len(old) > 0 && len(old[0]) <= maxCredential {
		replaced = old[0]
	}
	id, m, err := s.Sessions.Login(c.Context(), name, password, replaced)
	if err != nil {
		return nil, err
	}
	shown := xmlresp.MemberDoc{Member: m, Admin: m.Admin, Zone: s.Zone}
	return s.withCookie(xmlresp.Authenticate{Status: xmlresp.LoggedIn, Member: &shown}, id, 0), nil
}

func (s *server) logout(c *call) (xmlresp.Document, error) {
	for _, id := range sessionIDs(c.Request) {
		if len(id) > maxCredential {
			continue
		}
		if err := s.Sessions.Logout(c.Context(), id); err != nil {
			return nil, err
		}
	}
	return s.withCookie(xmlresp.Authenticate{Status: xmlresp.LoggedOut}, "", -1), nil
}

// withCookie answers with the session's cookie. It lasts as long as the
// browser does: the server knows when the session ends.
func (s *server) withCookie(doc xmlresp.Document, id string, maxAge int) docReply {
	path := s.SitePrefix
	if path == "" {
		path = "/"
	}
	cookie := http.Cookie{ //nolint:gosec // Secure wherever members come by HTTPS
		Name: sessionCookie, Value: id, Path: path, MaxAge: maxAge,
		HttpOnly: true, Secure: s.SecureCookies, SameSite: http.SameSiteLaxMode,
	}
	return docReply{Document: doc, header: http.Header{"Set-Cookie": {cookie.String()}}}
}

package server

import (
	"errors"
	"net/http"
	"strings"

	"reseed/errcodes"
	"reseed/xmlresp"
)

// authenticate opens or ends a session (contract 1.5). It goes by its own
// parameters: a session that came along and has ended is no reason to refuse a
// new one. Logging out always succeeds, as the vendor documents. Errors: 0201
// for a missing parameter, F006 for an unknown action, 401 0101, F004.
func (s *server) authenticate(c *call) (xmlresp.Document, error) {
	switch action := c.params.get("action"); action {
	case "":
		return nil, errcodes.Missing("action")
	case "login":
		return s.login(c)
	case "logout":
		return s.logout(c)
	default:
		return nil, malformed(errors.New("no such action"))
	}
}

func (s *server) login(c *call) (xmlresp.Document, error) {
	name, password := c.params.get("username"), c.params.get("password")
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
		HttpOnly: true, Secure: s.Secure, SameSite: http.SameSiteLaxMode,
	}
	return docReply{Document: doc, header: http.Header{"Set-Cookie": {cookie.String()}}}
}

// formPost reports whether a request is a form without a query: what OAuth
// demands, so that no secret stands in an address.
func formPost(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return r.Method == http.MethodPost && r.URL.RawQuery == "" &&
		strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

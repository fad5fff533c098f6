package wix

import (
	"net/http"

	"github.com/reseed-project/reseed/members"
)

// login answers loginV2 (contract 2.2). Who has no account is refused like a
// wrong password.
func (s services) login(r *http.Request) (any, error) {
	c, err := s.atSite(r)
	if err != nil {
		return nil, err
	}
	f, err := s.object(r)
	if err != nil {
		return nil, err
	}
	email, password := f.object("loginId").email("email"), f.existingPassword("password")
	if err := f.fault(); err != nil {
		return nil, err
	}
	session, m, err := s.SiteLogin(r.Context(), c.Site, email, password)
	if err != nil {
		return nil, signInError(err)
	}
	return stateAnswer{success, session, newIdentity(m)}, nil
}

// register answers registerV2 (contract 2.2).
func (s services) register(r *http.Request) (any, error) {
	c, err := s.atSite(r)
	if err != nil {
		return nil, err
	}
	f, err := s.object(r)
	if err != nil {
		return nil, err
	}
	profile := f.object("profile")
	wanted := members.Registration{
		Email: f.object("loginId").email("email"), Password: f.password("password"),
		Firstname: profile.name("firstName"), Surname: profile.name("lastName"), Language: profile.language("language"),
	}
	if err := f.fault(); err != nil {
		return nil, err
	}
	session, m, err := s.Register(r.Context(), c.Site, wanted)
	if err != nil {
		return nil, err
	}
	return stateAnswer{success, session, newIdentity(m)}, nil
}

// changePassword answers changePassword for the member who is signed in
// (contract 2.2).
func (s services) changePassword(r *http.Request) (any, error) {
	c, err := s.member(r)
	if err != nil {
		return nil, err
	}
	f, err := s.object(r)
	if err != nil {
		return nil, err
	}
	password := f.password("newPassword")
	if err := f.fault(); err != nil {
		return nil, err
	}
	return struct{}{}, s.ChangeOwnPassword(r.Context(), c, password)
}

// member returns a caller who is a member.
func (s services) member(r *http.Request) (members.SiteCaller, error) {
	c, err := s.atSite(r)
	if err == nil && c.Token.Member.Zero() {
		err = application(http.StatusForbidden, "PERMISSION_DENIED", "This takes a member's access token")
	}
	return c, err
}

// logout ends the caller's tokens. A browser that was sent here goes on to where
// the site says it may.
func (s services) logout(r *http.Request) (any, error) {
	if r.Header.Get("Authorization") != "" {
		c, err := s.caller(r)
		if err != nil {
			return nil, err
		}
		return struct{}{}, s.SignOut(r.Context(), c)
	}
	q := r.URL.Query()
	return s.back(r, q.Get("clientId"), q.Get("postLogoutRedirectUri"))
}

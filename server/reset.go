package server

import (
	"net/http"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/xmlresp"
)

// resetEndpoints are the services that mail and take reset tokens.
func (s *server) resetEndpoints() []endpoint {
	return []endpoint{
		{http.MethodPost, "/members/resetpassword", s.anybody(s.resetPassword), "resetPassword", "Mails a reset token (step 1), or sets a password by one (step 2)", resetParams, resetDoc(), resetErrors, byAnybody},
		{http.MethodPost, "/groups/{group}/members/resetpassword", s.anybody(s.resetPassword), "resetPasswordInGroup", "The same with the mail templates of a group", resetParams, resetDoc(), groupErrors, byAnybody},
		{http.MethodPost, "/members/forceresetpassword", s.signedIn(s.forceResetPassword), "forceResetPassword", "An administrator has a token mailed, or sets a password", forceParams, resetDoc(), resetErrors, bySignedIn},
		{http.MethodPost, "/groups/{group}/members/forceresetpassword", s.signedIn(s.forceResetPassword), "forceResetPasswordInGroup", "The same with the mail templates of a group", forceParams, resetDoc(), groupErrors, bySignedIn},
	}
}

// resetPassword answers both reset services (contract 1.3).
func (s *server) resetPassword(c *call) (xmlresp.Document, error) {
	r := members.ResetRequest{
		InGroup:  c.variable("group"),
		Email:    c.params.Get("email"),
		Username: c.params.Get("member-username"),
		Token:    c.params.Get("token"),
		Key:      c.params.Get("key"),
		Password: c.params.Get("member-password"),
		Async:    c.params.Is("notify-async"),
	}
	outcome, err := s.Members.Reset(c.Context(), c.caller, r)
	if err != nil {
		return nil, err
	}
	return resetAnswers[outcome], nil
}

var resetAnswers = map[members.Outcome]xmlresp.Document{
	members.Requested:    xmlresp.Constant(xmlresp.ResetPassword{Status: xmlresp.RequestSuccessful}),
	members.Changed:      xmlresp.Constant(xmlresp.ResetPassword{Status: xmlresp.PasswordChanged}),
	members.Pending:      xmlresp.Constant(xmlresp.ResetPassword{Status: xmlresp.Pending}),
	members.PendingAdmin: xmlresp.Constant(xmlresp.ResetPassword{Status: xmlresp.Pending, Admin: true}),
}

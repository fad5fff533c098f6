package server

import (
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/xmlresp"
)

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

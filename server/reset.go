package server

import (
	"reseed/members"
	"reseed/xmlresp"
)

// resetPassword answers both reset services (contract 1.3).
func (s *server) resetPassword(c *call) (xmlresp.Document, error) {
	r := members.ResetRequest{
		InGroup:  c.variable("group"),
		Email:    c.params.get("email"),
		Username: c.params.get("member-username"),
		Token:    c.params.get("token"),
		Key:      c.params.get("key"),
		Password: c.params.get("member-password"),
		Async:    c.params.is("notify-async"),
	}
	outcome, err := s.Members.Reset(c.Context(), c.caller, r)
	if err != nil {
		return nil, err
	}
	return resetAnswers[outcome], nil
}

var resetAnswers = map[members.Outcome]xmlresp.ResetPassword{
	members.Requested:    {Status: xmlresp.RequestSuccessful},
	members.Changed:      {Status: xmlresp.PasswordChanged},
	members.Pending:      {Status: xmlresp.Pending},
	members.PendingAdmin: {Status: xmlresp.Pending, Admin: true},
}

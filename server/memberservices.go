package server

import (
	"context"

	"reseed/members"
	"reseed/xmlresp"
)

// Profiles is what the services about one member need of the use cases.
type Profiles interface {
	Force(ctx context.Context, caller members.Caller, f members.ForceRequest) (members.Outcome, error)
	Profile(ctx context.Context, caller members.Caller, name, token string) (members.Profile, error)
	Self(ctx context.Context, caller members.Caller) (members.Profile, error)
	Unlock(ctx context.Context, caller members.Caller, name string) (members.Profile, error)
}

// forceResetPassword answers both services that force a reset (contract 1.4).
func (s *server) forceResetPassword(c *call) (xmlresp.Document, error) {
	_, given := c.params["member-password"]
	outcome, err := s.Profiles.Force(c.Context(), c.caller, members.ForceRequest{
		InGroup:     c.variable("group"),
		Email:       c.params.get("email"),
		Username:    c.params.get("member-username"),
		Password:    c.params.get("member-password"),
		HasPassword: given,
		Async:       c.params.is("notify-async"),
	})
	if err != nil {
		return nil, err
	}
	return resetAnswers[outcome], nil
}

// member answers GET /members/{member} (contract 1.5).
func (s *server) member(c *call) (xmlresp.Document, error) {
	p, err := s.Profiles.Profile(c.Context(), c.caller, c.variable("member"), c.params.get("token"))
	if err != nil {
		return nil, err
	}
	return s.memberDoc(p), nil
}

// self answers GET /self (contract 1.5).
func (s *server) self(c *call) (xmlresp.Document, error) {
	p, err := s.Profiles.Self(c.Context(), c.caller)
	if err != nil {
		return nil, err
	}
	return s.memberDoc(p), nil
}

// unlock answers POST /members/{member}/unlock (contract 1.5).
func (s *server) unlock(c *call) (xmlresp.Document, error) {
	p, err := s.Profiles.Unlock(c.Context(), c.caller, c.variable("member"))
	if err != nil {
		return nil, err
	}
	return xmlresp.MemberUnlock{Member: s.memberDoc(p)}, nil
}

func (s *server) memberDoc(p members.Profile) xmlresp.MemberDoc {
	return xmlresp.MemberDoc{Member: p.Member, Locked: p.Locked, Admin: p.ShowAdmin, Zone: s.Zone}
}

// version answers GET /version (contract 1.5).
func (s *server) version(*call) (xmlresp.Document, error) { return s.Version, nil }

package server

import (
	"context"
	"net/http"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/openapi"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/xmlresp"
)

// Profiles is what the services about one member need of the use cases.
type Profiles interface {
	Force(ctx context.Context, caller members.Caller, f members.ForceRequest) (members.Outcome, error)
	Profile(ctx context.Context, caller members.Caller, name, token string) (members.Profile, error)
	Self(ctx context.Context, caller members.Caller) (members.Profile, error)
	Unlock(ctx context.Context, caller members.Caller, name string) (members.Profile, error)
	Strength(ctx context.Context, pw string) (password.Score, error)
}

// memberEndpoints are the services about one member, about passwords and about the server.
func (s *server) memberEndpoints() []endpoint {
	return []endpoint{
		{http.MethodPost, "/members/{member}/unlock", s.signedIn(s.unlock), "unlockMember", "Ends the locks of a member", nil, unlockDoc(), []errcodes.Code{errcodes.MissingMember}, bySignedIn},
		{http.MethodGet, "/members/{member}", s.anybody(s.member), "getMember", "A member; also for those with a valid token of the member, which stays good", []string{"token"}, memberDoc(), noMember, byAnybody},
		{http.MethodPatch, "/members/{member}", s.signedIn(s.changeMember), "changeMember", "Changes a member's names, address or password",
			[]string{"firstname", "surname", "member-username", "email:email", "member-password:password", "current-password:password", "force-email-change:boolean", "notify-async:boolean"},
			memberDoc(), append([]errcodes.Code{errcodes.MissingMember, errcodes.MemberNotFound, errcodes.InvalidUsername, errcodes.IdentifierTaken}, resetErrors...), bySignedIn},
		{http.MethodGet, "/self", s.opening(s.self), "getSelf", "The member who calls; with Basic it opens a session", signInParams(), memberDoc(), noMember, bySignedIn},
		{http.MethodPost, "/password/meter", s.anybody(s.passwordMeter), "measurePassword", "How strong a password is", []string{"member-password:password"},
			openapi.Attributes("password-meter", "level!:WEAK|MEDIUM|GOOD|STRONG", "score!:integer"), []errcodes.Code{errcodes.MissingParameter}, byAnybody},
		{http.MethodGet, "/version", s.anybody(s.version), "getVersion", "The version that the server tells clients", nil,
			openapi.Attributes("version", "major!:integer", "build!:integer", "string!"), nil, byAnybody},
	}
}

// forceResetPassword answers both services that force a reset (contract 1.4).
func (s *server) forceResetPassword(c *call) (xmlresp.Document, error) {
	_, given := c.params["member-password"]
	outcome, err := s.Profiles.Force(c.Context(), c.caller, members.ForceRequest{
		InGroup:     c.variable("group"),
		Email:       c.params.Get("email"),
		Username:    c.params.Get("member-username"),
		Password:    c.params.Get("member-password"),
		HasPassword: given,
		Async:       c.params.Is("notify-async"),
	})
	if err != nil {
		return nil, err
	}
	return resetAnswers[outcome], nil
}

// member answers GET /members/{member} (contract 1.5).
func (s *server) member(c *call) (xmlresp.Document, error) {
	p, err := s.Profiles.Profile(c.Context(), c.caller, c.variable("member"), c.params.Get("token"))
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
	return xmlresp.MemberUnlock{Member: s.memberDoc(p), Account: s.Version.Before(5, 9300)}, nil
}

func (s *server) memberDoc(p members.Profile) xmlresp.MemberDoc {
	return xmlresp.MemberDoc{Member: p.Member, Locked: p.Locked, Admin: p.ShowAdmin, Zone: s.Zone}
}

// version answers GET /version (contract 1.5).
func (s *server) version(*call) (xmlresp.Document, error) { return s.Version, nil }

// passwordMeter answers POST /password/meter (contract 1.5). Error: 0201.
func (s *server) passwordMeter(c *call) (xmlresp.Document, error) {
	pw := c.params.Get("member-password")
	if pw == "" {
		return nil, errcodes.Missing("member-password")
	}
	score, err := s.Profiles.Strength(c.Context(), pw)
	if err != nil {
		return nil, err
	}
	return xmlresp.PasswordMeter{Level: meterLevels[score], Score: int64(score)}, nil
}

// meterLevels are the vendor's words for scores from 0 to 4.
var meterLevels = [...]string{"WEAK", "WEAK", "MEDIUM", "GOOD", "STRONG"}

package server

import (
	"context"
	"net/http"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/openapi"
	"github.com/reseed-project/reseed/xmlresp"
)

// Accounts is what the services that make and change accounts need of the use cases.
type Accounts interface {
	RegisterMember(ctx context.Context, caller members.Caller, r members.RegisterRequest) (members.Profile, error)
	MailActivation(ctx context.Context, caller members.Caller, r members.ActivationRequest) (email string, err error)
	Activate(ctx context.Context, caller members.Caller, name, token string) (p members.Profile, already bool, err error)
	ActivateByAdmin(ctx context.Context, caller members.Caller, name string) (p members.Profile, already bool, err error)
	Change(ctx context.Context, caller members.Caller, name string, r members.ChangeRequest) (members.Profile, error)
}

// registrationEndpoints are the services by which accounts come into being.
func (s *server) registrationEndpoints() []endpoint {
	return []endpoint{
		{http.MethodPost, "/members/register", s.anybody(s.register), "registerMember", "Makes an account, and mails a link that activates it",
			[]string{"email:email", "member-username", "firstname", "surname", "member-password:password", "notify-async:boolean"},
			openapi.Object().With("member", memberDoc()).Element("member-creation"),
			[]errcodes.Code{errcodes.InvalidEmail, errcodes.InvalidUsername, errcodes.IdentifierTaken, errcodes.WeakPassword, errcodes.PasswordIsUsername, errcodes.MissingParameter, errcodes.MailFailed}, byAnybody},
		{http.MethodGet, "/members/sendactivation", s.anybody(s.sendActivation), "sendActivation", "Mails the link that activates an account again",
			[]string{"email:email", "member-username", "notify-async:boolean"}, openapi.Attributes("member-activation", "email!:email"),
			append([]errcodes.Code{errcodes.AlreadyActivated}, resetErrors...), byAnybody},
		{http.MethodGet, "/members/{member}/activate", s.anybody(s.activate), "activateMember", "Activates an account by the token of its mail", []string{"token", "key"}, activationDoc(),
			[]errcodes.Code{errcodes.TokenRequired, errcodes.InvalidToken, errcodes.MissingMember, errcodes.AccountLocked, errcodes.APIAccount, errcodes.MemberNotFound}, byAnybody},
		{http.MethodPost, "/members/{member}/activate", s.signedIn(s.activateByAdmin), "activateMemberByAdministrator", "An administrator activates an account", nil, activationDoc(),
			[]errcodes.Code{errcodes.MissingMember, errcodes.AccountLocked, errcodes.APIAccount, errcodes.MemberNotFound}, bySignedIn},
	}
}

// register answers POST /members/register (contract 1.5).
func (s *server) register(c *call) (xmlresp.Document, error) {
	p, err := s.Accounts.RegisterMember(c.Context(), c.caller, members.RegisterRequest{
		Email:     c.params.Get("email"),
		Username:  c.params.Get("member-username"),
		Firstname: c.params.Get("firstname"),
		Surname:   c.params.Get("surname"),
		Password:  c.params.Get("member-password"),
		Async:     c.params.Is("notify-async"),
	})
	if err != nil {
		return nil, err
	}
	return xmlresp.MemberCreation{Member: s.memberDoc(p)}, nil
}

// sendActivation answers GET /members/sendactivation (contract 1.5).
func (s *server) sendActivation(c *call) (xmlresp.Document, error) {
	email, err := s.Accounts.MailActivation(c.Context(), c.caller, members.ActivationRequest{
		Email:    c.params.Get("email"),
		Username: c.params.Get("member-username"),
		Async:    c.params.Is("notify-async"),
	})
	if err != nil {
		return nil, err
	}
	return xmlresp.ActivationSent{Email: email}, nil
}

// activate answers GET /members/{member}/activate (contract 1.5). Version 5
// called the token a key.
func (s *server) activate(c *call) (xmlresp.Document, error) {
	token := c.params.Get("token")
	if token == "" {
		token = c.params.Get("key")
	}
	p, already, err := s.Accounts.Activate(c.Context(), c.caller, c.variable("member"), token)
	if err != nil {
		return nil, err
	}
	return xmlresp.MemberActivation{Member: s.memberDoc(p), Already: already}, nil
}

// activateByAdmin answers POST /members/{member}/activate (contract 1.5).
func (s *server) activateByAdmin(c *call) (xmlresp.Document, error) {
	p, already, err := s.Accounts.ActivateByAdmin(c.Context(), c.caller, c.variable("member"))
	if err != nil {
		return nil, err
	}
	return xmlresp.MemberActivation{Member: s.memberDoc(p), Already: already}, nil
}

// changeMember answers PATCH /members/{member} (contract 1.5).
func (s *server) changeMember(c *call) (xmlresp.Document, error) {
	p, err := s.Accounts.Change(c.Context(), c.caller, c.variable("member"), members.ChangeRequest{
		Firstname:       c.params.Get("firstname"),
		Surname:         c.params.Get("surname"),
		Username:        c.params.Get("member-username"),
		Email:           c.params.Get("email"),
		Password:        c.params.Get("member-password"),
		CurrentPassword: c.params.Get("current-password"),
		ForceEmail:      c.params.Is("force-email-change"),
		Async:           c.params.Is("notify-async"),
	})
	if err != nil {
		return nil, err
	}
	return s.memberDoc(p), nil
}

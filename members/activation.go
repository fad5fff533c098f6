package members

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// RegistrationSettings are the settings of registrations.
type RegistrationSettings struct {
	SelfRegister bool // anybody may register (contract 1.5)
}

// RegisterRequest asks for an account (contract 1.5). An empty value is an absent one.
type RegisterRequest struct {
	Email, Username, Firstname, Surname, Password string
	Async                                         bool // don't wait for the delivery attempt
}

// RegisterMember adds a member who is not activated yet, and mails the link that
// activates the account. An identifier that is taken is told to administrators
// alone: a stranger gets the same answer after the same work, and no mail goes
// out; the row that is written then is nobody's.
//
// Errors: 403 0101 unless the installation lets anybody register or the caller
// is an administrator; 0201, 1001, 1002, F006 for a name that is too long;
// 1015, 1016; 1004 to administrators; F004 when the server is too busy.
func (s *Service) RegisterMember(ctx context.Context, caller Caller, r RegisterRequest) (Profile, error) {
	p, err := s.registerMember(ctx, caller, r)
	e := Event{Kind: MemberAdded, MemberID: p.ID, Identifier: fold.ASCII(r.Email), Detail: "registered"}
	s.audit(ctx, caller, e, err)
	if p.taken && !caller.Admin() {
		err = nil
	}
	return p.Profile, err
}

// registered is the outcome of a registration.
type registered struct {
	Profile
	taken bool // an identifier is another member's
}

func (s *Service) registerMember(ctx context.Context, caller Caller, r RegisterRequest) (p registered, err error) {
	if !s.SelfRegister && !caller.Admin() {
		return p, errcodes.New(errcodes.Forbidden)
	}
	m := NewMember{Member: Member{
		Email: r.Email, Username: r.Username, Firstname: r.Firstname, Surname: r.Surname, Status: Unactivated, Created: s.Now(),
	}}
	if err := s.registrationFault(r, m); err != nil {
		return p, err
	}
	if p.taken, err = s.taken(ctx, r.Email, r.Username, 0); err != nil {
		return p, err
	}
	if m.Password, err = s.hashNew(ctx, s.Policy, r.Password, m.Member, groups.Group{}); err != nil {
		return p, err
	}
	if p.taken && caller.Admin() {
		return p, errcodes.New(errcodes.IdentifierTaken)
	}
	return s.addRegistered(ctx, caller, r, m, p.taken)
}

// addRegistered writes the member, or nobody, and the order of the mail.
func (s *Service) addRegistered(ctx context.Context, caller Caller, r RegisterRequest, m NewMember, taken bool) (registered, error) {
	order, err := s.newOrder(Order{Template: ActivateTemplate, Reason: "member"}, 0)
	if err != nil {
		return registered{}, err
	}
	id, err := s.Store.Register(ctx, m.Member, taken, func(id int64) Order {
		order.MemberID, order.Addressed, order.Stored = id, !taken, taken
		return s.withToken(order, password.Activation, s.TokenLife)
	})
	if known := (*TakenError)(nil); errors.As(err, &known) && !taken { // by another request, meanwhile
		if caller.Admin() {
			return registered{taken: true}, errcodes.New(errcodes.IdentifierTaken)
		}
		return s.addRegistered(ctx, caller, r, m, true)
	}
	if err != nil {
		return registered{}, err
	}
	m.ID = id
	if err := s.deliver(ctx, caller, r.Async, order.ID); err != nil {
		return registered{}, err
	}
	refusal := map[bool]error{true: errcodes.New(errcodes.IdentifierTaken)}
	return registered{Profile: s.profile(m.Member, true), taken: taken}, refusal[taken]
}

// registrationFault returns what is wrong with a registration: 0201, 1001, 1002, F006.
func (s *Service) registrationFault(r RegisterRequest, m NewMember) error {
	for _, required := range []struct{ name, value string }{
		{"email", r.Email}, {"firstname", r.Firstname}, {"surname", r.Surname}, {"member-password", r.Password},
	} {
		if required.value == "" {
			return errcodes.Missing(required.name)
		}
	}
	return s.identityFault(m.Member)
}

// identityFault returns what is wrong with names and identifiers: 1001, 1002, F006.
func (s *Service) identityFault(m Member) error {
	switch {
	case m.Username != "" && newUsernameFault(m.Username) != "":
		fault := newUsernameFault(m.Username)
		return &errcodes.Error{Code: errcodes.InvalidUsername, Text: "The username is invalid: it " + fault + "."}
	case emailFault(m.Email, s.SMTPUTF8) != "":
		return errcodes.Wrap(errcodes.InvalidEmail, errors.New("the address "+emailFault(m.Email, s.SMTPUTF8)))
	case nameFault(m.Firstname) != "" || nameFault(m.Surname) != "":
		return errcodes.Wrap(errcodes.MalformedRequest, errors.New("a name is too long or no text"))
	}
	return nil
}

// taken reports whether another member than own has one of the identifiers. It
// is two look-ups, whatever they find.
func (s *Service) taken(ctx context.Context, email, username string, own int64) (bool, error) {
	byEmail, err := s.Store.FindMember(ctx, Lookup{Email: email})
	if err != nil {
		return false, err
	}
	byUsername, err := s.Store.FindMember(ctx, Lookup{Username: username})
	other := func(m Member) bool { return !m.Zero() && m.ID != own }
	return other(byEmail.Member) || other(byUsername.Member), err
}

// ActivationRequest asks for the mail that activates an account (contract 1.5).
type ActivationRequest struct {
	Email, Username string
	Async           bool // don't wait for the delivery attempt
}

// MailActivation mails the link that activates an account, and returns the
// address that it goes to: to strangers what they gave, whether there is such a
// member or not.
//
// Errors: 1008, 1002; to administrators 101A, 100E, 1018, 1019, 100F, 1010, and
// 6001 if the mail they wait for can't be sent.
func (s *Service) MailActivation(ctx context.Context, caller Caller, a ActivationRequest) (email string, err error) {
	r := ResetRequest{Email: a.Email, Username: a.Username}
	found, refusal := s.find(ctx, caller, r)
	if !aboutMember(refusal) && refusal != nil {
		return "", refusal
	}
	refusal = cmp.Or(refusal, activationRefusal(found.Member))
	event := r.about(ResetRequested, found.Member)
	event.Detail = "activation"
	if refusal != nil && caller.Admin() {
		s.audit(ctx, caller, event, refusal)
		return "", refusal
	}
	order, err := s.newOrder(Order{
		Template: ActivateTemplate, Reason: "member", Purpose: password.Activation, MemberID: found.Member.ID, Addressed: refusal == nil,
	}, s.TokenLife)
	if err != nil {
		return "", err
	}
	if err := s.Store.AddOrder(ctx, order); err != nil {
		return "", err
	}
	s.audit(ctx, caller, event, refusal)
	if caller.Admin() {
		a.Email = found.Member.Email
	}
	return a.Email, s.deliver(ctx, caller, a.Async, order.ID)
}

// aboutMember reports whether an error tells something about a member.
func aboutMember(err error) bool {
	return slices.Contains([]errcodes.Code{
		errcodes.DifferentMembers, errcodes.NoSuchMember, errcodes.APIAccount, errcodes.AccountLocked,
	}, codeOf(err))
}

// wasActivated reports whether the account is activated, be it that the member
// has no password yet.
func (m Member) wasActivated() bool {
	return m.Status == Activated || m.Status == SetPassword && !m.Activated.IsZero()
}

func activationRefusal(m Member) error {
	switch {
	case m.Status == Activated:
		return errcodes.New(errcodes.AlreadyActivated)
	case m.Email == "":
		return errcodes.New(errcodes.NoEmail)
	default:
		return nil
	}
}

// Activate activates the member whose token it is; already tells that it was
// done before, which changes nothing. Errors: 0000 without a token, 102A; 0204
// to administrators.
func (s *Service) Activate(ctx context.Context, caller Caller, name, token string) (p Profile, already bool, err error) {
	m, err := s.named(ctx, name)
	if err != nil {
		return Profile{}, false, err
	}
	if token == "" {
		return Profile{}, false, errcodes.New(errcodes.TokenRequired)
	}
	if m.Zero() && caller.Admin() {
		return Profile{}, false, errcodes.New(errcodes.MissingMember)
	}
	return s.activateBy(ctx, caller, m, token)
}

// ActivateLink activates the member of a mail's link. Error: 102A.
func (s *Service) ActivateLink(ctx context.Context, l Link) (Profile, error) {
	found, err := s.Store.FindMember(ctx, Lookup{ID: l.MemberID})
	if err != nil {
		return Profile{}, err
	}
	p, _, err := s.activateBy(ctx, Caller{}, found.Member, l.Token)
	return p, err
}

func (s *Service) activateBy(ctx context.Context, caller Caller, m Member, token string) (p Profile, already bool, err error) {
	hash := password.HashToken(token)
	record, err := s.Store.FindToken(ctx, hash)
	if err != nil {
		return Profile{}, false, err
	}
	now := s.Now()
	issued := record.MemberID > 0 && record.MemberID == m.ID && record.Purpose == password.Activation && !m.Refused()
	if issued && record.Used && m.wasActivated() {
		return s.profile(m, true), true, nil
	}
	ok := issued && record.opens(m, groups.Group{}, password.Activation, now)
	if ok {
		ok, err = s.Store.Activate(ctx, m.ID, hash, now)
	}
	if err == nil && !ok {
		err = errcodes.New(errcodes.InvalidToken)
	}
	s.audit(ctx, caller, Event{Kind: MemberActivated, MemberID: m.ID}, err)
	if err != nil {
		return Profile{}, false, err
	}
	return s.activated(ctx, m.ID)
}

func (s *Service) activated(ctx context.Context, id int64) (Profile, bool, error) {
	found, err := s.Store.FindMember(ctx, Lookup{ID: id})
	return s.profile(found.Member, true), false, err
}

// ActivateByAdmin activates a member without a token. Errors: 403 0101 for
// anyone but administrators; 0204; 1019 for a disabled or locked account.
func (s *Service) ActivateByAdmin(ctx context.Context, caller Caller, name string) (p Profile, already bool, err error) {
	m, err := s.administered(ctx, caller, name)
	if err != nil {
		return Profile{}, false, err
	}
	if m.wasActivated() {
		return s.profile(m, true), true, nil
	}
	ok, err := s.Store.Activate(ctx, m.ID, password.TokenHash{}, s.Now())
	if err == nil && !ok {
		err = errcodes.New(errcodes.AccountLocked)
	}
	s.audit(ctx, caller, Event{Kind: MemberActivated, MemberID: m.ID}, err)
	if err != nil {
		return Profile{}, false, err
	}
	return s.activated(ctx, m.ID)
}

// withToken completes an order whose member was not known yet.
func (s *Service) withToken(o Order, p password.Purpose, life time.Duration) Order {
	o.Purpose, o.Expires = p, o.Created.Add(life)
	o.Token = password.HashToken(s.Keys.Token(p, o.ID, o.MemberID))
	return o
}

// deliver is dispatch for services that tell whether the mail was sent: 6001 to
// callers who waited for it.
func (s *Service) deliver(ctx context.Context, caller Caller, async bool, id mail.ID) error {
	if async || !caller.Admin() {
		s.Dispatcher.Wake()
		return nil
	}
	if err := s.Dispatcher.Deliver(ctx, id); err != nil {
		s.Log.WarnContext(ctx, "mail not delivered at once", "mail", id.String(), "err", err)
		return errcodes.Wrap(errcodes.MailFailed, err)
	}
	return nil
}

package members

import (
	"context"
	"errors"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/password"
)

// ChangeRequest changes a member's data (contract 1.5). An empty value leaves
// what is there.
type ChangeRequest struct {
	Firstname, Surname, Username, Email string
	Password                            string
	CurrentPassword                     string
	ForceEmail                          bool // an administrator's: at once, without a confirmation
	Async                               bool // don't wait for the delivery attempt
}

// sensitive reports whether the request changes how the member signs in, once it
// asks for what is new alone.
func (r ChangeRequest) sensitive() bool { return r.Password != "" || r.Email != "" || r.Username != "" }

// MemberChange is a change as the store makes it: all of it or nothing.
type MemberChange struct {
	MemberID   int64
	Edit       Edit
	Completion *Completion // of a new password; nil: none
	// EmailNotice tells the address that is replaced, if one is; it is stored with
	// that address. No notice if its ID is zero.
	EmailNotice Order
	Orders      []Order // queued with the change
}

// Change changes the data of the member that {member} names: for the member,
// who proves the current password to change a password, username or address,
// and for administrators. Another address is only used once a mail to it was
// answered. The new password passes by the rules of a reset, with its notice and
// revocations.
//
// Errors: 403 0101 for anyone else; 0204; 0201 without current-password, 401
// 0101 for a wrong one, which counts as a failed sign-in; 1001, 1002, 1004,
// F006; 1015, 1016; 1019 if the account was locked meanwhile; F004.
func (s *Service) Change(ctx context.Context, caller Caller, name string, r ChangeRequest) (Profile, error) {
	m, err := s.changeable(ctx, caller, name, r)
	if err == nil {
		r = r.besides(m)
		err = s.prove(ctx, caller, m, r)
	}
	if err == nil {
		err = s.change(ctx, caller, m, r)
	}
	kind := MemberChanged
	if r.Password != "" {
		kind = PasswordChanged
	}
	s.audit(ctx, caller, Event{Kind: kind, MemberID: m.ID, Identifier: fold.ASCII(name)}, err)
	if err != nil {
		return Profile{}, err
	}
	found, err := s.Store.FindMember(ctx, Lookup{ID: m.ID})
	return s.profile(found.Member, true), err
}

// changeable returns the member, if the caller may change what is asked for.
func (s *Service) changeable(ctx context.Context, caller Caller, name string, r ChangeRequest) (Member, error) {
	if caller.Member.Zero() {
		return Member{}, errcodes.New(errcodes.Forbidden)
	}
	m, err := s.named(ctx, name)
	if err != nil {
		return m, err
	}
	if !caller.Admin() && m.ID != caller.Member.ID || r.ForceEmail && !caller.Admin() {
		return m, errcodes.New(errcodes.Forbidden)
	}
	if m.Zero() {
		return m, errcodes.New(errcodes.MissingMember)
	}
	return m, nil
}

// prove checks the current password of callers who change how they sign in.
// Errors: 0201, 401 0101, F004.
func (s *Service) prove(ctx context.Context, caller Caller, m Member, r ChangeRequest) error {
	if !r.sensitive() || caller.Admin() && m.ID != caller.Member.ID {
		return nil
	}
	if r.CurrentPassword == "" {
		return errcodes.Missing("current-password")
	}
	_, err := s.SignIn(ctx, m.ShownUsername(), r.CurrentPassword)
	return err
}

// besides returns what the request asks for besides what is there or is shown
// in its place: clients read a member, and send back all of it (contract 1.6).
func (r ChangeRequest) besides(m Member) ChangeRequest {
	for _, field := range []struct {
		asked *string
		shown string
	}{
		{&r.Firstname, m.ShownFirstname()}, {&r.Surname, m.ShownSurname()}, {&r.Username, m.ShownUsername()}, {&r.Email, m.Email},
	} {
		if *field.asked == field.shown {
			*field.asked = ""
		}
	}
	return r
}

func (s *Service) change(ctx context.Context, caller Caller, m Member, r ChangeRequest) error {
	if err := s.identityFault(Member{Firstname: r.Firstname, Surname: r.Surname, Username: r.Username, Email: r.Email}); err != nil {
		return err
	}
	taken, err := s.taken(ctx, r.Email, r.Username, m.ID)
	if err != nil {
		return err
	}
	if taken {
		return errcodes.New(errcodes.IdentifierTaken)
	}
	c := MemberChange{MemberID: m.ID, Edit: Edit{Firstname: asked(r.Firstname), Surname: asked(r.Surname), Username: asked(r.Username)}}
	if r.Email != "" {
		if err := s.changeEmail(ctx, &c, r); err != nil {
			return err
		}
	}
	if r.Password != "" {
		if err := s.newPassword(ctx, &c, c.Edit.Applied(m, s.Now()), r.Password); err != nil {
			return err
		}
	}
	ok, err := s.Store.ChangeMember(ctx, c)
	if known := (*TakenError)(nil); errors.As(err, &known) {
		return errcodes.New(errcodes.IdentifierTaken)
	}
	if err == nil && !ok {
		err = errcodes.New(errcodes.AccountLocked)
	}
	if err != nil {
		return err
	}
	for _, o := range c.orders(m) {
		s.dispatch(ctx, caller, r.Async, o.ID)
	}
	return nil
}

// orders are all that the change queues, if the member is as it was read.
func (c MemberChange) orders(m Member) []Order {
	orders := c.Orders
	if c.Edit.Email != nil && m.Email != "" {
		orders = append(orders, c.EmailNotice)
	}
	if c.Completion != nil {
		orders = append(orders, c.Completion.Notice)
	}
	return orders
}

// asked is a value of an edit; "" is none.
func asked(value string) *string {
	if value == "" {
		return nil
	}
	return &value
}

// changeEmail orders the mail that confirms another address, or changes it at
// once and tells the old one.
func (s *Service) changeEmail(ctx context.Context, c *MemberChange, r ChangeRequest) (err error) {
	if r.ForceEmail {
		c.Edit.Email = &r.Email
		c.EmailNotice, err = s.emailNotice(ctx, c.MemberID)
		return err
	}
	order, err := s.newOrder(Order{
		Template: ConfirmEmailTemplate, Reason: "member", Purpose: password.EmailChange, MemberID: c.MemberID, Addressed: true,
		Options: Options{Address: r.Email},
	}, s.TokenLife)
	c.Orders = append(c.Orders, order)
	return err
}

// emailNotice is the order that tells the address a member has until then, which
// the store knows.
func (s *Service) emailNotice(ctx context.Context, member int64) (Order, error) {
	return s.newNotice(ctx, Order{Template: EmailChangedTemplate, MemberID: member, Addressed: true})
}

// newPassword checks and hashes a new password: 1015, 1016, F004.
func (s *Service) newPassword(ctx context.Context, c *MemberChange, m Member, pw string) error {
	hash, err := s.hashNew(ctx, s.Policy, pw, m, groups.Group{})
	if err != nil {
		return err
	}
	notice, err := s.newNotice(ctx, Order{Template: NoticeTemplate, MemberID: m.ID, Addressed: true})
	c.Completion = &Completion{MemberID: m.ID, Password: hash, Notice: notice, At: s.Now()}
	return err
}

// ConfirmEmail gives the member of a mail's link the address that the mail went
// to, and tells the old one. Everything that was given out before ends. Errors:
// 102A; 1004 if the address was taken meanwhile.
func (s *Service) ConfirmEmail(ctx context.Context, l Link) (Profile, error) {
	p, err := s.confirmEmail(ctx, l)
	s.audit(ctx, Caller{}, Event{Kind: MemberChanged, MemberID: l.MemberID, Detail: "email"}, err)
	return p, err
}

func (s *Service) confirmEmail(ctx context.Context, l Link) (Profile, error) {
	hash := password.HashToken(l.Token)
	record, err := s.Store.FindToken(ctx, hash)
	if err != nil {
		return Profile{}, err
	}
	found, err := s.Store.FindMember(ctx, Lookup{ID: l.MemberID})
	if err != nil {
		return Profile{}, err
	}
	m := found.Member
	now := s.Now()
	if m.Refused() || record.Options.Address == "" || !record.opens(m, groups.Group{}, password.EmailChange, now) {
		return Profile{}, errcodes.New(errcodes.InvalidToken)
	}
	notice, err := s.emailNotice(ctx, m.ID)
	if err != nil {
		return Profile{}, err
	}
	ok, err := s.Store.ConfirmEmail(ctx, EmailConfirmation{MemberID: m.ID, Token: hash, Email: record.Options.Address, At: now, Notice: notice})
	if known := (*TakenError)(nil); errors.As(err, &known) {
		return Profile{}, errcodes.New(errcodes.IdentifierTaken)
	}
	if err == nil && !ok {
		err = errcodes.New(errcodes.InvalidToken)
	}
	if err != nil {
		return Profile{}, err
	}
	s.Dispatcher.Wake()
	m.Email = record.Options.Address
	return s.profile(m, true), nil
}

// DescribeAction tells whether a link that activates an account or confirms an
// address is good, without spending it.
func (s *Service) DescribeAction(ctx context.Context, l Link, purpose password.Purpose) (LinkDetail, error) {
	record, err := s.Store.FindToken(ctx, password.HashToken(l.Token))
	if err != nil {
		return LinkDetail{}, err
	}
	found, err := s.Store.FindMember(ctx, Lookup{ID: l.MemberID})
	if err != nil || found.Member.Refused() || !record.opens(found.Member, groups.Group{}, purpose, s.Now()) {
		return LinkDetail{}, err
	}
	return LinkDetail{State: LinkGood, Member: found.Member, Language: found.Member.Language}, nil
}

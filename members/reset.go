package members

import (
	"cmp"
	"context"
	"errors"
	"time"

	"reseed/errcodes"
	"reseed/groups"
	"reseed/mail"
	"reseed/password"
)

// ResetRequest is a call of either reset service, both of its steps (contract
// 1.3). An empty value is an absent one.
type ResetRequest struct {
	InGroup  string // what {group} names; "": the service without a group
	Email    string
	Username string
	Token    string
	Key      string // version 5's name of the token; version 6 ignores it
	Password string
	Async    bool // don't wait for the delivery attempt

	group groups.Group // that InGroup names
}

// Outcome is how a reset went.
type Outcome int

// The outcomes: a token was mailed (or would have been), a password was set,
// or (version 5) the token is good and a password is awaited, an
// administrator's perhaps.
const (
	Requested Outcome = iota
	Changed
	Pending
	PendingAdmin
)

// Reset runs the step that the request asks for: contract 1.3's step table,
// which looks at the token and the password alone, before all else.
//
// Errors: 0201 for a token without a password (version 6), 0202; in step 1 1002, and 1008, 101A,
// 100E, 1018, 1019, 100F as far as the caller may see them; in step 2 1002,
// 102A, 1015, 1016, and the rest likewise; F004 when the server is too busy.
func (s *Service) Reset(ctx context.Context, caller Caller, r ResetRequest) (Outcome, error) {
	if r.Token == "" && s.CompatV5 {
		r.Token = r.Key
	}
	if r.Token == "" && r.Password != "" {
		return 0, errcodes.New(errcodes.InvalidToken)
	}
	if r.Token != "" && r.Password == "" && !s.CompatV5 {
		return 0, errcodes.Missing("member-password")
	}
	if r.InGroup != "" {
		var err error
		if r.group, err = s.FindGroup(ctx, r.InGroup); err != nil {
			return 0, err
		}
	}
	if r.Token == "" {
		return Requested, s.requestReset(ctx, caller, r)
	}
	if r.Password == "" {
		return s.pendingReset(ctx, caller, r)
	}
	return Changed, s.completeReset(ctx, caller, r)
}

func (s *Service) requestReset(ctx context.Context, caller Caller, r ResetRequest) error {
	found, err := s.find(ctx, caller, r)
	if err == nil && found.Member.Email == "" {
		err = errcodes.New(errcodes.NoEmail)
	}
	refusal := err
	if s.shows(caller, err) {
		s.audit(ctx, caller, r.about(ResetRequested, found.Member), err)
		return err
	}
	if r.namesNobody() {
		s.audit(ctx, caller, r.about(ResetRequested, found.Member), err)
		return nil
	}
	addressee := found.Row
	if err != nil {
		addressee = -found.Row // nobody, in that member's place
	}
	order, err := s.newOrder(Order{
		Template: ConfirmTemplate,
		Reason:   "member",
		Purpose:  password.Reset,
		MemberID: addressee,
		GroupID:  r.group.ID,
	}, s.TokenLife)
	if err != nil {
		return err
	}
	if err := s.Resets.AddOrder(ctx, order); err != nil {
		return err
	}
	s.audit(ctx, caller, r.about(ResetRequested, found.Member), refusal)
	s.dispatch(ctx, caller, r.Async, order.ID)
	return nil
}

func (s *Service) completeReset(ctx context.Context, caller Caller, r ResetRequest) error {
	if err := s.roomToHash(); err != nil {
		return err
	}
	invalid := errcodes.New(errcodes.InvalidToken)
	found, err := s.find(ctx, caller, r)
	if s.shows(caller, err) {
		s.audit(ctx, caller, r.about(PasswordChanged, found.Member), err)
		return err
	}
	token := password.HashToken(r.Token)
	record, errToken := s.Resets.FindToken(ctx, token)
	if errToken != nil {
		return errToken
	}
	now := s.Now()
	if err != nil || !record.opens(found.Member, r.group, password.Reset, now) {
		s.audit(ctx, caller, r.about(PasswordChanged, found.Member), cmp.Or[error](err, invalid))
		return invalid
	}
	err = s.changePassword(ctx, caller, change{
		member: found.Member, group: r.group, token: token, password: r.Password, async: r.Async,
	})
	s.audit(ctx, caller, r.about(PasswordChanged, found.Member), err)
	return err
}

// opens reports whether the token lets the member set a password here. A token
// of one group doesn't serve in another; the service without a group takes any.
func (t TokenRecord) opens(m Member, g groups.Group, p password.Purpose, now time.Time) bool {
	return t.MemberID != 0 && t.MemberID == m.ID && t.Purpose == p && !t.Used &&
		!now.After(t.Expires) && (g.Zero() || t.GroupID == 0 || t.GroupID == g.ID)
}

// change is a password change that has been found to be in order.
type change struct {
	member   Member
	group    groups.Group
	token    password.TokenHash // zero: an administrator's
	password string
	async    bool
}

// changePassword checks the new password, sets it and queues the notice: 1015,
// 1016, F004, and 102A where another request was faster with the same token.
func (s *Service) changePassword(ctx context.Context, caller Caller, c change) error {
	if err := s.checkPassword(c.password, c.member, c.group); err != nil {
		return err
	}
	return s.setPassword(ctx, caller, c)
}

// setPassword is changePassword for a password that was checked.
func (s *Service) setPassword(ctx context.Context, caller Caller, c change) error {
	notice, err := s.setInTurn(ctx, c)
	if err != nil {
		return err
	}
	s.dispatch(ctx, caller, c.async, notice.ID)
	return nil
}

// setInTurn sets the password while no rival for the token does, and returns the
// notice that it queued. The turn ends before anybody waits for a mail.
func (s *Service) setInTurn(ctx context.Context, c change) (notice Order, err error) {
	if c.token == (password.TokenHash{}) {
		return s.hashAndSet(ctx, c)
	}
	waited, leave, err := s.rivals.enter(ctx, c.token)
	if err != nil {
		return notice, hashingFault(err)
	}
	defer leave()
	if waited {
		record, err := s.Resets.FindToken(ctx, c.token)
		if err != nil {
			return notice, err
		}
		if record.Used {
			return notice, errcodes.New(errcodes.InvalidToken)
		}
	}
	return s.hashAndSet(ctx, c)
}

func (s *Service) hashAndSet(ctx context.Context, c change) (notice Order, err error) {
	hash, err := s.Hasher.Hash(ctx, c.password)
	if err != nil {
		return notice, hashingFault(err)
	}
	notice, err = s.newOrder(Order{Template: NoticeTemplate, MemberID: c.member.ID, GroupID: c.group.ID}, 0)
	if err != nil {
		return notice, err
	}
	won, err := s.Resets.Complete(ctx, Completion{
		MemberID: c.member.ID, Token: c.token, Password: hash, Notice: notice, At: s.Now(),
	})
	if err == nil && !won {
		err = errcodes.New(errcodes.InvalidToken)
	}
	return notice, err
}

// checkPassword returns 1015 or 1016, with the policy's reason as the cause.
func (s *Service) checkPassword(pw string, m Member, g groups.Group) error {
	return s.checkBy(s.Policy, pw, m, g)
}

func (s *Service) checkBy(p *password.Policy, pw string, m Member, g groups.Group) error {
	err := p.Check(pw, s.subject(m, g))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, password.ErrIsIdentity):
		return errcodes.Wrap(errcodes.PasswordIsUsername, err)
	default:
		return errcodes.Wrap(errcodes.WeakPassword, err)
	}
}

// roomToHash returns F004 where the new password could not be hashed soon: said
// before anything is looked up it costs little, and tells nothing.
func (s *Service) roomToHash() error {
	if s.Hasher.Busy() {
		return hashingFault(password.ErrBusy)
	}
	return nil
}

func hashingFault(err error) error {
	if errors.Is(err, password.ErrBusy) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errcodes.Wrap(errcodes.Unavailable, err)
	}
	return err
}

// newOrder completes an order: id and time, and where it has a purpose, the
// token's hash and how long it lives.
func (s *Service) newOrder(o Order, life time.Duration) (Order, error) {
	o.Created = s.Now()
	id, err := mail.NewID(o.Created, s.Random)
	if err != nil {
		return o, err
	}
	o.ID = id
	if o.Purpose != password.None {
		o.Expires = o.Created.Add(life)
		o.Token = password.HashToken(s.Keys.Token(o.Purpose, id, o.MemberID))
	}
	return o, nil
}

// dispatch gets an order going. Waiting for the attempt is an administrator's
// privilege, so that nobody learns from the time of an answer whether a mail
// was sent (contract 1.7). Where it takes longer than the request may, it goes
// on without the caller. A failed attempt is the worker's to repeat.
func (s *Service) dispatch(ctx context.Context, caller Caller, async bool, id mail.ID) {
	if async || !caller.Admin() && !s.SyncForAll {
		s.Courier.Wake()
		return
	}
	if err := s.Courier.Deliver(ctx, id); err != nil {
		s.Log.WarnContext(ctx, "mail not delivered at once", "mail", id.String(), "err", err)
	}
}

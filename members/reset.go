package members

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// ResetSettings are the settings of resets.
type ResetSettings struct {
	TokenLife time.Duration // of a PageSeeder token, at most 24 hours
	// SyncForAll lets public callers wait for delivery too. It tells members
	// from strangers by time, and is for closed test networks only.
	SyncForAll bool
	// CompatV5 answers as version 5 does if the versions differ (contract 1.3).
	CompatV5 bool
}

// ResetRequest is a call of either reset service, both of its steps (contract
// 1.3). An empty value is an absent one.
type ResetRequest struct {
	InGroup  string // what {group} names; "": the service without a group
	Email    string
	Username string
	Token    string
	Key      string // version 5's name of the token, which counts where there is no Token
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
	r.Token = cmp.Or(r.Token, r.Key)
	if r.Token == "" && r.Password != "" {
		return 0, errcodes.New(errcodes.InvalidToken)
	}
	if r.InGroup != "" {
		var err error
		if r.group, err = s.FindGroup(ctx, r.InGroup); err != nil {
			return 0, err
		}
	}
	if r.Token != "" && r.Password == "" && !s.CompatV5 {
		return 0, errcodes.Missing("member-password")
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
	if r.namesNoMember() {
		s.audit(ctx, caller, r.about(ResetRequested, found.Member), err)
		return nil
	}
	order, err := s.newOrder(Order{
		Template: ConfirmTemplate,
		Reason:   "member",
		Purpose:  password.Reset,
		MemberID: found.Member.ID, Addressed: err == nil,
		GroupID: r.group.ID,
	}, s.tokenLife(r.group))
	if err != nil {
		return err
	}
	if err := s.Store.AddOrder(ctx, order); err != nil {
		return err
	}
	s.audit(ctx, caller, r.about(ResetRequested, found.Member), refusal)
	s.dispatch(ctx, caller, r.Async, order.ID)
	return nil
}

func (s *Service) completeReset(ctx context.Context, caller Caller, r ResetRequest) error {
	c := change{group: r.group, token: password.HashToken(r.Token), password: r.Password, async: r.Async}
	err := s.beforeHashing(ctx, c.token, func() (err error) {
		c.member, err = s.checkToken(ctx, caller, r, c.token)
		return err
	})
	if err != nil {
		return err
	}
	err = s.changePassword(ctx, caller, c)
	s.audit(ctx, caller, r.about(PasswordChanged, c.member), err)
	return err
}

// checkToken returns the member who may set a password with the token. Errors:
// 102A, and those about the member that the caller may see.
func (s *Service) checkToken(ctx context.Context, caller Caller, r ResetRequest, token password.TokenHash) (Member, error) {
	invalid := errcodes.New(errcodes.InvalidToken)
	found, err := s.find(ctx, caller, r)
	if s.shows(caller, err) {
		s.audit(ctx, caller, r.about(PasswordChanged, found.Member), err)
		return Member{}, err
	}
	record, errToken := s.Store.FindToken(ctx, token)
	if errToken != nil {
		return Member{}, errToken
	}
	now := s.Now()
	if err != nil || !record.opens(found.Member, r.group, password.Reset, now) {
		s.audit(ctx, caller, r.about(PasswordChanged, found.Member), cmp.Or[error](err, invalid))
		return Member{}, invalid
	}
	return found.Member, nil
}

// opens reports whether the token lets the member set a password here. A token
// of one group doesn't serve in another; the service without a group takes any.
func (t FoundToken) opens(m Member, g groups.Group, p password.Purpose, now time.Time) bool {
	return t.MemberID != 0 && t.MemberID == m.ID && t.Purpose == p && !t.Used &&
		!now.After(t.Expires) && (g.Zero() || t.GroupID == 0 || t.GroupID == g.ID)
}

// change is a password change that has been found to be in order.
type change struct {
	member    Member
	group     groups.Group
	token     password.TokenHash // zero: an administrator's
	password  string
	async     bool
	untold    bool             // no notice is mailed
	keepGrant int64            // see Completion
	policy    *password.Policy // nil: the service's
}

// changePassword checks the new password, sets it and queues the notice: 1015,
// 1016, F004, and 102A if another request was faster with the same token.
func (s *Service) changePassword(ctx context.Context, caller Caller, c change) error {
	notice, err := s.changeAlone(asMember(ctx, c.member), c)
	if err != nil || c.untold {
		return err
	}
	s.dispatch(ctx, caller, c.async, notice.ID)
	return nil
}

// changeAlone changes the password while no other request uses the token, and
// returns the notice that it queued. The lock ends before anybody waits for a mail.
func (s *Service) changeAlone(ctx context.Context, c change) (notice Order, err error) {
	if c.token == (password.TokenHash{}) {
		return s.hashAndSet(ctx, c)
	}
	waited, unlock, err := s.tokenLocks.lock(ctx, c.token)
	if err != nil {
		return notice, hashingFault(err)
	}
	defer unlock()
	if waited {
		record, err := s.Store.FindToken(ctx, c.token)
		if err != nil {
			return notice, err
		}
		if record.Used {
			return notice, errcodes.New(errcodes.InvalidToken)
		}
	}
	return s.hashAndSet(ctx, c)
}

// hashNew returns the hash of a password that is about to be set, wherever that
// is, if there is nothing wrong with it: by the policy, then known from a breach.
// Errors: 1015, 1016, F004.
func (s *Service) hashNew(ctx context.Context, p *password.Policy, pw string, m Member, g groups.Group) (password.Hash, error) {
	breached := s.checkBreaches(ctx, pw)
	hash, err := s.Hasher.HashChecked(ctx, pw, func() error {
		return cmp.Or(policyFault(p.Check(pw, s.subject(m, g))), breached)
	})
	return hash, hashingFault(err)
}

// checkBreaches returns 1015 for a password that is known from a breach. That
// the service can't be asked is no reason to refuse a password.
func (s *Service) checkBreaches(ctx context.Context, pw string) error {
	if s.Breaches == nil {
		return nil
	}
	known, err := s.Breaches.Known(ctx, pw)
	if err != nil {
		s.Log.WarnContext(ctx, "password not checked against breaches", "err", err)
	}
	if known {
		return errcodes.Wrap(errcodes.WeakPassword, &password.TooWeakError{Reason: password.Common})
	}
	return nil
}

func (s *Service) hashAndSet(ctx context.Context, c change) (notice Order, err error) {
	hash, err := s.hashNew(ctx, cmp.Or(c.policy, s.Policy), c.password, c.member, c.group)
	if err != nil {
		return notice, err
	}
	if !c.untold {
		notice, err = s.newNotice(ctx, Order{Template: NoticeTemplate, MemberID: c.member.ID, Addressed: true, GroupID: c.group.ID})
	}
	if err != nil {
		return notice, err
	}
	won, err := s.Store.Complete(ctx, Completion{
		MemberID: c.member.ID, Token: c.token, Password: hash, Notice: notice, At: s.Now(), KeepGrant: c.keepGrant,
	})
	if err == nil && !won {
		err = errcodes.New(errcodes.InvalidToken)
	}
	return notice, err
}

// checkPassword returns 1015 or 1016, with the policy's reason as the cause, or
// F004: judging a long password takes about as long as a hash and waits with
// the hashes for its turn.
func (s *Service) checkPassword(ctx context.Context, pw string, m Member, g groups.Group) error {
	var err error
	if errRoom := s.Hasher.Run(ctx, func() { err = s.Policy.Check(pw, s.subject(m, g)) }); errRoom != nil {
		return hashingFault(errRoom)
	}
	return policyFault(err)
}

// policyFault is what the services answer to what the policy found.
func policyFault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, password.ErrIsIdentity):
		return errcodes.Wrap(errcodes.PasswordIsUsername, err)
	default:
		return errcodes.Wrap(errcodes.WeakPassword, err)
	}
}

func hashingFault(err error) error {
	if errors.Is(err, password.ErrBusy) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errcodes.Wrap(errcodes.Unavailable, err)
	}
	return err
}

// tokenLife is how long a link of PageSeeder's services works: as a group's
// settings say, or else as the program's do.
func (s *Service) tokenLife(g groups.Group) time.Duration {
	if own := s.Templates.OwnSettings(g.Chain()).TokenLife; own != 0 {
		return time.Duration(own)
	}
	return s.TokenLife
}

// newOrder completes an order: id and time, and if it has a purpose, the
// token's hash and how long it lives.
func (s *Service) newOrder(o Order, life time.Duration) (Order, error) {
	return s.newOrderAt(s.Now(), o, life)
}

// newOrderAt completes an order that is due at a time.
func (s *Service) newOrderAt(at time.Time, o Order, life time.Duration) (Order, error) {
	o.Created = at
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
		s.Dispatcher.Wake()
		return
	}
	if err := s.Dispatcher.Deliver(ctx, id); err != nil {
		s.Log.WarnContext(ctx, "mail not delivered at once", "mail", id.String(), "err", err)
	}
}

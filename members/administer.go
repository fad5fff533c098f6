package members

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
)

// AdminStore keeps what administrators alone change.
type AdminStore interface {
	// SetMember edits a member; its tokens and sessions end if EndsAccess says so.
	// MissingMember, *TakenError, ErrUnidentified.
	SetMember(ctx context.Context, member int64, e Edit) error
	// RemoveMember erases a member and everything about it, security events that
	// hold one of the identifiers included.
	RemoveMember(ctx context.Context, member int64, identifiers []string) error
	SetGroup(ctx context.Context, g groups.Group) error
	RemoveGroup(ctx context.Context, group int64) error
}

// AddMember adds a member as an administrator sets it up, with a password unless
// it is "", and returns its id. A member that names no status is activated if it
// has a password, else it is to set one.
//
// Errors: 403 0101 for anyone but administrators; F006 with all that is wrong
// with the member, 1004 with a *TakenError, 1015, 1016, F004.
func (s *Service) AddMember(ctx context.Context, caller Caller, m NewMember, pw string) (int64, error) {
	var id int64
	err := s.asAdmin(caller, func() (err error) {
		id, err = s.addMember(ctx, m, pw)
		return err
	})
	s.audit(ctx, caller, Event{Kind: MemberAdded, MemberID: id}, err)
	return id, err
}

func (s *Service) addMember(ctx context.Context, m NewMember, pw string) (int64, error) {
	m.Created, m.Email = s.Now(), ASCIIAddress(m.Email)
	m.Status = cmp.Or(m.Status, DefaultStatus(pw != ""))
	if err := Validate(m, s.SMTPUTF8); err != nil {
		return 0, errcodes.Wrap(errcodes.MalformedRequest, err)
	}
	if m.Status == Activated {
		m.Activated = m.Created
	}
	if pw != "" {
		var err error
		if m.Password, err = s.hashNew(ctx, s.Policy, pw, m.Member, groups.Group{}); err != nil {
			return 0, err
		}
		m.LastPasswordChange = m.Created
	}
	ids, err := s.Store.AddMembers(ctx, []NewMember{m})
	if err != nil {
		return 0, takenFault(err)
	}
	return ids[0], nil
}

// DefaultStatus is the status of a new member that names none.
func DefaultStatus(hasPassword bool) Status {
	if hasPassword {
		return Activated
	}
	return SetPassword
}

// takenFault returns 1004 for an identifier or name that is taken.
func takenFault(err error) error {
	if taken := (*TakenError)(nil); errors.As(err, &taken) {
		return errcodes.Wrap(errcodes.IdentifierTaken, taken)
	}
	return err
}

// SetMember changes a member's names, identifiers, status, language and rights
// to what an administrator wants. A new identifier, a lost right and a disabled
// account end its tokens and sessions.
//
// Errors: 403 0101 for anyone but administrators; F006 with all that would be
// wrong with the member, 1004 with a *TakenError; 0204.
func (s *Service) SetMember(ctx context.Context, caller Caller, m Member, e Edit) error {
	err := s.asAdmin(caller, func() error { return s.setMember(ctx, m, e) })
	s.audit(ctx, caller, Event{Kind: MemberChanged, MemberID: m.ID}, err)
	return err
}

func (s *Service) setMember(ctx context.Context, m Member, e Edit) error {
	if e.Email != nil {
		email := ASCIIAddress(*e.Email)
		e.Email = &email
	}
	err := Validate(NewMember{Member: e.Applied(m, s.Now())}, s.SMTPUTF8)
	if err != nil {
		return errcodes.Wrap(errcodes.MalformedRequest, err)
	}
	err = s.Store.SetMember(ctx, m.ID, e)
	if errors.Is(err, ErrUnidentified) {
		return errcodes.Wrap(errcodes.MalformedRequest, err)
	}
	return takenFault(err)
}

// RemoveMember erases a member and everything about it, also the security events
// that hold one of the identifiers as events show them. The event of it names the
// member's number alone. Errors: 403 0101 for anyone but administrators; 0204.
func (s *Service) RemoveMember(ctx context.Context, caller Caller, member int64, identifiers []string) error {
	err := s.asAdmin(caller, func() error { return s.Store.RemoveMember(ctx, member, identifiers) })
	s.audit(ctx, caller, Event{Kind: MemberRemoved, Detail: fmt.Sprintf("member %d", member)}, err)
	return err
}

// SetPassword sets a member's password, with all that contract 1.3 has follow,
// but mails the notice of it only if notify is set: 100F then for a member
// without an address.
//
// Errors: 403 0101 for anyone but administrators; 1015, 1016; 1019 for a locked
// or disabled account; F004.
func (s *Service) SetPassword(ctx context.Context, caller Caller, m Member, pw string, notify bool) error {
	err := s.asAdmin(caller, func() error {
		if notify && m.Email == "" {
			return errcodes.New(errcodes.NoEmail)
		}
		return s.forceChange(ctx, caller, change{member: m, password: pw, untold: !notify})
	})
	s.audit(ctx, caller, Event{Kind: PasswordSet, MemberID: m.ID}, err)
	return err
}

// AddGroup adds a group and returns its id. Errors: 403 0101 for anyone but
// administrators; F006 with what is wrong with the group, 1004 with a *TakenError.
func (s *Service) AddGroup(ctx context.Context, caller Caller, g groups.Group) (id int64, err error) {
	err = s.asAdmin(caller, func() error {
		if err := groupFault(g); err != nil {
			return err
		}
		id, err = s.Store.AddGroup(ctx, g)
		return takenFault(err)
	})
	s.audit(ctx, caller, Event{Kind: GroupAdded, GroupID: id, Detail: g.Name}, err)
	return id, err
}

// SetGroup changes a group's title and description. Its name stays: templates
// and links have it. Errors: 403 0101 for anyone but administrators; F006 with
// what would be wrong with the group; 0202.
func (s *Service) SetGroup(ctx context.Context, caller Caller, g groups.Group) error {
	err := s.asAdmin(caller, func() error {
		if err := groupFault(g); err != nil {
			return err
		}
		return s.Store.SetGroup(ctx, g)
	})
	s.audit(ctx, caller, Event{Kind: GroupChanged, GroupID: g.ID, Detail: "changed " + g.Name}, err)
	return err
}

func groupFault(g groups.Group) error {
	if err := groups.Validate(g); err != nil {
		return errcodes.Wrap(errcodes.MalformedRequest, fmt.Errorf("group %q: %w", g.Name, err))
	}
	return nil
}

// RemoveGroup removes a group and its memberships; the members stay. Errors: 403
// 0101 for anyone but administrators; 0202; the store's for a group of Wix sites.
func (s *Service) RemoveGroup(ctx context.Context, caller Caller, g groups.Group) error {
	err := s.asAdmin(caller, func() error { return s.Store.RemoveGroup(ctx, g.ID) })
	s.audit(ctx, caller, Event{Kind: GroupChanged, GroupID: g.ID, Detail: "removed " + g.Name}, err)
	return err
}

// Join makes a member belong to a group, or changes the membership, and reports
// whether that changed anything. Error: 403 0101 for anyone but administrators.
func (s *Service) Join(ctx context.Context, caller Caller, m Membership) (bool, error) {
	return s.changeIf(ctx, caller, m.event("joined"), func() (bool, error) { return s.Store.Join(ctx, m) })
}

// Leave takes a member out of a group, and reports whether it belonged to it.
// Error: 403 0101 for anyone but administrators.
func (s *Service) Leave(ctx context.Context, caller Caller, m Membership) (bool, error) {
	return s.changeIf(ctx, caller, m.event("left"), func() (bool, error) {
		return s.Store.SetMembership(ctx, m.Group.ID, m.Member.ID, false)
	})
}

func (m Membership) event(done string) Event {
	return Event{Kind: MembershipChanged, MemberID: m.Member.ID, GroupID: m.Group.ID, Detail: done}
}

// changeIf makes a change that administrators alone may make, 403 0101, and
// reports whether that changed anything. If not, there is no event of it.
func (s *Service) changeIf(ctx context.Context, caller Caller, e Event, change func() (bool, error)) (changed bool, err error) {
	err = s.asAdmin(caller, func() error {
		changed, err = change()
		return err
	})
	if changed || err != nil {
		s.audit(ctx, caller, e, err)
	}
	return changed, err
}

// asAdmin runs what administrators alone may do: 403 0101.
func (s *Service) asAdmin(caller Caller, act func() error) error {
	if !caller.Admin() {
		return errcodes.New(errcodes.Forbidden)
	}
	return act()
}

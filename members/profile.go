package members

import (
	"context"
	"strings"

	"reseed/errcodes"
	"reseed/groups"
	"reseed/password"
)

// Profile is what a caller gets to see of a member.
type Profile struct {
	Member
	Locked    bool // by an administrator or, at this moment, after failed sign-ins
	ShowAdmin bool // say that the member is an administrator, if it is one
}

// Self returns the caller. Errors: 403 0101 for anybody.
func (s *Service) Self(_ context.Context, caller Caller) (Profile, error) {
	if caller.Member.Zero() {
		return Profile{}, errcodes.New(errcodes.Forbidden)
	}
	return s.profile(caller.Member, true), nil
}

// Profile returns the member that {member} names: to that member, to an
// administrator, or to whoever has a reset token of that member, which stays
// unused (contract 1.5). A token that is given and not good is refused whoever
// the caller is.
//
// Errors: 403 0101. 0106 goes to callers who are signed in, or, where the
// operator conceals accounts, to administrators alone: a stranger must not
// learn who has an account.
func (s *Service) Profile(ctx context.Context, caller Caller, name, token string) (Profile, error) {
	m, err := s.named(ctx, name)
	if err != nil {
		return Profile{}, err
	}
	allowed := caller.Admin() || !m.Zero() && caller.Member.ID == m.ID
	if token != "" {
		record, err := s.Resets.FindToken(ctx, password.HashToken(token))
		if err != nil {
			return Profile{}, err
		}
		if !record.shows(m, s) {
			refusal := errcodes.Wrap(errcodes.Forbidden, errcodes.New(errcodes.InvalidToken))
			s.audit(ctx, caller, Event{Kind: ChangeRefused, MemberID: m.ID, Identifier: Fold(name), Detail: "look at the member"}, refusal)
			return Profile{}, refusal
		}
		allowed = true
	}
	if m.Zero() && s.hearsOfMembers(caller) {
		return Profile{}, errcodes.New(errcodes.MemberNotFound)
	}
	if m.Zero() || !allowed {
		return Profile{}, errcodes.New(errcodes.Forbidden)
	}
	return s.profile(m, token != ""), nil
}

// shows reports whether a token lets its holder see the member.
func (t TokenRecord) shows(m Member, s *Service) bool {
	return !m.Refused() && t.opens(m, groups.Group{}, password.Reset, s.Now())
}

// hearsOfMembers reports whether the caller may know that there is no such member.
func (s *Service) hearsOfMembers(caller Caller) bool {
	return caller.Admin() || !caller.Member.Zero() && s.Disclosure == Documented
}

// Unlock lifts both kinds of lock, if there are any (contract 1.5). Errors:
// 403 0101 for anyone but administrators; 0204.
func (s *Service) Unlock(ctx context.Context, caller Caller, name string) (Profile, error) {
	m, err := s.unlock(ctx, caller, name)
	s.audit(ctx, caller, Event{Kind: MemberUnlocked, MemberID: m.ID, Identifier: Fold(name)}, err)
	if err != nil {
		return Profile{}, err
	}
	return s.profile(m, true), nil
}

func (s *Service) unlock(ctx context.Context, caller Caller, name string) (Member, error) {
	if !caller.Admin() {
		return Member{}, errcodes.New(errcodes.Forbidden)
	}
	m, err := s.named(ctx, name)
	if err != nil {
		return Member{}, err
	}
	if m.Zero() {
		return Member{}, errcodes.New(errcodes.MissingMember)
	}
	if err := s.Registry.SetLocked(ctx, m.ID, false); err != nil {
		return m, err
	}
	found, err := s.Resets.FindMember(ctx, Lookup{ID: m.ID})
	return found.Member, err
}

// named returns whom {member} names: a numeric id, a username or an email
// address (contract 1.1); the zero Member where there is none.
func (s *Service) named(ctx context.Context, name string) (Member, error) {
	l := Lookup{Username: name}
	if id, isID := ParseID(name); isID {
		l = Lookup{ID: id}
	} else if strings.Contains(name, "@") {
		l = Lookup{Email: name}
	}
	found, err := s.Resets.FindMember(ctx, l)
	return found.Member, err
}

func (s *Service) profile(m Member, showAdmin bool) Profile {
	return Profile{
		Member:    m,
		Locked:    m.Locked || s.Now().Before(m.LockedUntil),
		ShowAdmin: showAdmin && m.Admin,
	}
}

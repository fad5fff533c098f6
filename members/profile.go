package members

import (
	"context"
	"slices"
	"strings"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/password"
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
// administrator, or to anyone who has a reset token of that member, which stays
// unused (contract 1.5). A token that is given and not good is refused whoever
// the caller is.
//
// Errors: 403 0101. 0106 goes to callers who are signed in, or, if the
// operator conceals accounts, to administrators alone: a stranger must not
// learn who has an account.
func (s *Service) Profile(ctx context.Context, caller Caller, name, token string) (Profile, error) {
	m, err := s.named(ctx, name)
	if err != nil {
		return Profile{}, err
	}
	allowed := caller.Admin() || !m.Zero() && caller.Member.ID == m.ID
	if token != "" {
		record, err := s.Store.FindToken(ctx, password.HashToken(token))
		if err != nil {
			return Profile{}, err
		}
		if !record.shows(m, s) {
			refusal := errcodes.Wrap(errcodes.Forbidden, errcodes.New(errcodes.InvalidToken))
			s.audit(ctx, caller, Event{Kind: ChangeRefused, MemberID: m.ID, Identifier: fold.ASCII(name), Detail: "look at the member"}, refusal)
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
func (t FoundToken) shows(m Member, s *Service) bool {
	return !m.Refused() && (t.opens(m, groups.Group{}, password.Reset, s.Now()) || t.opens(m, groups.Group{}, password.Activation, s.Now()))
}

// hearsOfMembers reports whether the caller may know that there is no such member.
func (s *Service) hearsOfMembers(caller Caller) bool {
	return caller.Admin() || !caller.Member.Zero() && s.Disclosure == Documented
}

// Unlock lifts both kinds of lock, if there are any (contract 1.5). Errors:
// 403 0101 for anyone but administrators; 0204.
func (s *Service) Unlock(ctx context.Context, caller Caller, name string) (Profile, error) {
	m, err := s.unlock(ctx, caller, name)
	s.audit(ctx, caller, Event{Kind: MemberUnlocked, MemberID: m.ID, Identifier: fold.ASCII(name)}, err)
	if err != nil {
		return Profile{}, err
	}
	return s.profile(m, true), nil
}

func (s *Service) unlock(ctx context.Context, caller Caller, name string) (Member, error) {
	m, err := s.administered(ctx, caller, name)
	if err != nil {
		return m, err
	}
	if err := s.Store.SetLocked(ctx, m.ID, false); err != nil {
		return m, err
	}
	found, err := s.Store.FindMember(ctx, Lookup{ID: m.ID})
	return found.Member, err
}

// named returns whom {member} names, the zero Member if there is none.
func (s *Service) named(ctx context.Context, name string) (Member, error) {
	return Named(ctx, s.Store, name)
}

// Named returns whom people and clients mean by a name: a numeric id, a username
// or an email address, or ~ and one of the latter two (contract 1.1); the zero
// Member if there is none. Whatever the name, it is one look-up.
func Named(ctx context.Context, store MemberFinder, name string) (Member, error) {
	found, err := store.FindMember(ctx, byPath(name))
	if found.Member.Username == "" && found.Member.Email == "" {
		return Member{}, err // the row of a registration that came to nothing
	}
	return found.Member, err
}

// fixedWords are services under /members, and never a member.
var fixedWords = []string{"find", "import", "register", "sendactivation", "resetpassword", "forceresetpassword"}

func byPath(name string) Lookup {
	exact, tilde := strings.CutPrefix(name, "~")
	if tilde {
		return byName(exact)
	}
	if id, isID := ParseID(name); isID {
		return Lookup{ID: id}
	}
	if slices.Contains(fixedWords, name) {
		return Lookup{}
	}
	return byName(name)
}

func (s *Service) profile(m Member, showAdmin bool) Profile {
	return Profile{
		Member:    m,
		Locked:    m.Locked || s.Now().Before(m.LockedUntil),
		ShowAdmin: showAdmin && m.Admin,
	}
}

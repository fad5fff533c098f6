package members

import (
	"context"
	"errors"
	"strings"
)

// errSignIn is the cause of every refused sign-in: the log is told no more than the caller.
var errSignIn = errors.New("sign-in refused")

// SignIn returns the member with that username or email and password. Whoever
// is refused, and why, costs the same time. Errors: 401 0101, F004.
func (s *Service) SignIn(ctx context.Context, name, pw string) (Member, error) {
	found, err := s.Resets.FindMember(ctx, byName(name))
	if err != nil {
		return Member{}, err
	}
	m := found.Member
	if m.Zero() || m.Password == "" {
		if err := s.Hasher.VerifyNobody(ctx, pw); err != nil {
			return Member{}, hashingFault(err)
		}
		return Member{}, s.refuseSignIn(ctx, name, m)
	}
	ok, outdated, err := s.Hasher.Verify(ctx, m.Password, pw)
	if err != nil {
		return Member{}, hashingFault(err)
	}
	if !ok || m.Refused() || m.Status != Activated || s.Now().Before(m.LockedUntil) {
		return Member{}, s.refuseSignIn(ctx, name, m)
	}
	if outdated {
		s.rehash(ctx, m, pw)
	}
	return m, nil
}

// rehash replaces an imported or outdated hash; that it failed is no reason to
// refuse the sign-in.
func (s *Service) rehash(ctx context.Context, m Member, pw string) {
	hash, err := s.Hasher.Hash(ctx, pw)
	if err == nil {
		err = s.Registry.Rehash(ctx, m.ID, m.Password, hash)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "password hash not renewed", "member", m.ID, "err", err)
	}
}

// byName reads a sign-in name: usernames have no '@', addresses always do.
func byName(name string) Lookup {
	if strings.Contains(name, "@") {
		return Lookup{Email: name}
	}
	return Lookup{Username: name}
}

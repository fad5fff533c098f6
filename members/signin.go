package members

import (
	"context"
	"errors"
	"strings"
	"time"

	"reseed/errcodes"
	"reseed/password"
)

// errSignIn is the cause of every refused sign-in: the log is told no more than the caller.
var errSignIn = errors.New("sign-in refused")

// lastLoginStep is how exactly LastLogin is kept for callers who sign in with
// every request.
const lastLoginStep = time.Minute

// SignIn returns the member with that username or email and password. Whoever
// is refused, and why, costs the same time and the same statements. Failures
// lock the account for a while (contract 1.3); during that, the right password
// is refused like a wrong one. Errors: 401 0101, F004.
func (s *Service) SignIn(ctx context.Context, name, pw string) (Member, error) {
	return s.enter(ctx, name, pw, Session{}, password.TokenHash{})
}

// enter verifies a sign-in and records it, with the session it opens and the
// one that ends, if any. Where the member changed while the hash was computed
// (another sign-in may have renewed it), it starts over, once.
func (s *Service) enter(ctx context.Context, name, pw string, opened Session, replaced password.TokenHash) (Member, error) {
	for range 2 {
		m, err := s.verify(ctx, name, pw)
		if err != nil {
			return Member{}, err
		}
		now := s.Now()
		if opened.ID == (password.TokenHash{}) && m.justSignedIn(now) {
			return m, nil
		}
		ok, err := s.Sessions.SignedIn(ctx, GoodSignIn{
			MemberID: m.ID, Password: m.Password, At: now, Session: opened, Replaces: replaced,
		})
		if err != nil {
			return Member{}, err
		}
		if ok {
			m.LastLogin, m.LockedUntil, m.FailedSignIns, m.LockThreshold = now, time.Time{}, 0, 0
			return m, nil
		}
	}
	return Member{}, errcodes.BadCredentials(errSignIn)
}

// justSignedIn reports whether there is nothing to record about one more sign-in.
func (m Member) justSignedIn(now time.Time) bool {
	return m.FailedSignIns == 0 && m.LockedUntil.IsZero() && now.Sub(m.LastLogin) < lastLoginStep
}

// verify returns the member whose name and password these are, if that member may sign in.
func (s *Service) verify(ctx context.Context, name, pw string) (Member, error) {
	found, err := s.Resets.FindMember(ctx, byName(name))
	if err != nil {
		return Member{}, err
	}
	hash, err := s.hashOf(ctx, name, found)
	if err != nil {
		return Member{}, err
	}
	ok, outdated, err := s.verifyHash(ctx, hash, pw)
	if err != nil {
		return Member{}, err
	}
	m, now := found.Member, s.Now()
	if !ok || m.Password == "" || m.Refused() || m.Status != Activated || now.Before(m.LockedUntil) {
		return Member{}, s.signInFailed(ctx, name, m, now)
	}
	if outdated {
		m.Password = s.rehash(ctx, m, pw)
	}
	return m, nil
}

// verifyHash does a verification's work also where there is nothing to verify,
// or nothing that can be read.
func (s *Service) verifyHash(ctx context.Context, h password.Hash, pw string) (ok, outdated bool, err error) {
	if h != "" {
		ok, outdated, err = s.Hasher.Verify(ctx, h, pw)
	}
	damaged := errors.Is(err, password.ErrBadHash)
	if damaged {
		s.Log.WarnContext(ctx, "a password hash in the database can't be read: nobody can sign in with it")
	}
	if damaged || h == "" {
		err = s.Hasher.VerifyNobody(ctx, pw)
	}
	if err != nil {
		return false, false, hashingFault(err)
	}
	return ok, outdated, nil
}

// rehash replaces an imported or outdated hash and returns the one that is
// stored now; that it failed is no reason to refuse the sign-in.
func (s *Service) rehash(ctx context.Context, m Member, pw string) password.Hash {
	hash, err := s.Hasher.Hash(ctx, pw)
	if err == nil {
		err = s.Registry.Rehash(ctx, m.ID, m.Password, hash)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "password hash not renewed", "member", m.ID, "err", err)
		return m.Password
	}
	return hash
}

// byName reads a sign-in name: usernames have no '@', addresses always do.
func byName(name string) Lookup {
	if strings.Contains(name, "@") {
		return Lookup{Email: name}
	}
	return Lookup{Username: name}
}

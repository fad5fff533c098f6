package members

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/password"
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
	return s.enter(ctx, signIn{name: name, password: pw})
}

// signIn is a sign-in and what it gives out.
type signIn struct {
	name     string
	password string
	group    int64              // whose members may sign in; 0: everyone
	admins   bool               // administrators alone may
	opened   Session            // none if its ID is zero
	replaced password.TokenHash // the session that ends; zero: none
	token    SiteToken          // none if its Hash is zero
}

// opens reports whether the sign-in gives something out.
func (n signIn) opens() bool {
	return n.opened.ID != (password.TokenHash{}) || n.token.Hash != (password.TokenHash{})
}

// enter verifies a sign-in and records it, with the session it opens and the
// one that ends, if any. Where the member changed while the hash was computed
// (another sign-in may have renewed it), it starts over, once.
func (s *Service) enter(ctx context.Context, n signIn) (Member, error) {
	n.name = CleanIdentifier(n.name)
	for range 2 {
		m, err := s.verify(ctx, n)
		if err != nil {
			return Member{}, err
		}
		now := s.Now()
		if !n.opens() && m.justSignedIn(now) {
			return m, nil
		}
		ok, err := s.signedIn(ctx, n, m, now)
		if err != nil {
			return Member{}, err
		}
		if ok {
			m.LastLogin, m.LockedUntil = now, time.Time{}
			m.FailedSignIns, m.LockThreshold, m.BadSignIns, m.FailClient, m.LockClient = 0, 0, 0, "", ""
			return m, nil
		}
	}
	return Member{}, errcodes.BadCredentials(errSignIn)
}

// signedIn records a good sign-in. It reports false if the member changed.
func (s *Service) signedIn(ctx context.Context, n signIn, m Member, now time.Time) (bool, error) {
	_, unlock, err := s.signInLocks.lock(ctx, nameKey(n.name))
	if err != nil {
		return false, errcodes.Wrap(errcodes.Unavailable, err)
	}
	defer unlock()
	return s.Store.SignedIn(ctx, GoodSignIn{
		MemberID: m.ID, Password: m.Password, At: now, Client: s.failingClient(ctx), LockEnds: now.Add(s.Access.MaxLockout),
		Session: n.opened, Replaces: n.replaced, Token: n.token,
	})
}

// justSignedIn reports whether there is nothing to record about one more sign-in.
func (m Member) justSignedIn(now time.Time) bool {
	return m.FailedSignIns == 0 && m.BadSignIns == 0 && m.LockedUntil.IsZero() && now.Sub(m.LastLogin) < lastLoginStep
}

// verify returns the member whose name and password these are, if that member may sign in.
func (s *Service) verify(ctx context.Context, n signIn) (Member, error) {
	lookup := byName(n.name)
	lookup.Group = n.group
	found, err := s.Store.FindMember(ctx, lookup)
	if err != nil {
		return Member{}, err
	}
	if n.group != 0 && !found.InGroup || n.admins && !found.Member.Admin {
		found.Member = Member{}
	}
	hash, err := s.hashOf(ctx, n.name, found)
	if err != nil {
		return Member{}, err
	}
	verdict, err := s.verifyHash(asClient(ctx), hash, n.password)
	if err != nil {
		return Member{}, err
	}
	m, now := found.Member, s.Now()
	if !verdict.OK || m.Password == "" || m.Refused() || m.Status != Activated || m.lockedFor(s.failingClient(ctx), now) {
		s.Hasher.EvenOut(ctx, verdict.Took)
		return Member{}, s.signInFailed(ctx, n.name, found, now)
	}
	if verdict.Outdated {
		m.Password = s.rehash(ctx, m, n.password)
	}
	return m, nil
}

// verifyHash does a verification's work also if there is nothing to verify,
// or nothing that can be read.
func (s *Service) verifyHash(ctx context.Context, h password.Hash, pw string) (v password.Verdict, err error) {
	if h != "" {
		v, err = s.Hasher.Verify(ctx, h, pw)
	}
	damaged := errors.Is(err, password.ErrBadHash)
	if damaged {
		s.Log.WarnContext(ctx, "a password hash in the database can't be read: nobody can sign in with it")
	}
	if damaged || h == "" {
		v, err = s.Hasher.VerifyDecoy(ctx, pw)
		v.OK = false
	}
	if err != nil {
		return password.Verdict{}, hashingFault(err)
	}
	return v, nil
}

// rehash replaces an imported or outdated hash and returns the one that is
// stored now; that it failed is no reason to refuse the sign-in.
func (s *Service) rehash(ctx context.Context, m Member, pw string) password.Hash {
	hash, err := s.Hasher.Hash(asMember(ctx, m), pw)
	if err == nil {
		err = s.Store.Rehash(ctx, m.ID, m.Password, hash)
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
		return Lookup{Email: ASCIIAddress(name)}
	}
	return Lookup{Username: name}
}

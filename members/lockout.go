package members

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"
)

// Access limits signing in and being signed in. The vendor keeps to itself how
// many failures lock an account and for how long, so both are drawn at random
// between a minimum and a maximum, bounds included.
type Access struct {
	MinBadSignIns int
	MaxBadSignIns int
	MinLockout    time.Duration
	MaxLockout    time.Duration
	SessionIdle   time.Duration // without use
	SessionLife   time.Duration // whatever the use
	TokenLife     time.Duration // of an OAuth access token
}

// signInFailed counts a failure for the member, or for nobody at the same
// cost, and returns 401 0101.
func (s *Service) signInFailed(ctx context.Context, name string, m Member, now time.Time) error {
	threshold, err := s.draw(int64(s.Access.MinBadSignIns), int64(s.Access.MaxBadSignIns))
	if err != nil {
		return err
	}
	// Whole seconds: nothing finer shows anywhere.
	seconds, err := s.draw(int64(s.Access.MinLockout/time.Second), int64(s.Access.MaxLockout/time.Second))
	if err != nil {
		return err
	}
	err = s.Sessions.SignInFailed(ctx, BadSignIn{
		MemberID: m.ID, Threshold: int(threshold), At: now, Until: now.Add(time.Duration(seconds) * time.Second),
	})
	if err != nil {
		return err
	}
	if m.locksNow(int(threshold), now) {
		s.audit(ctx, Caller{}, Event{Kind: MemberLocked, MemberID: m.ID, Detail: "failed sign-ins"}, nil)
	}
	return s.refuseSignIn(ctx, name, m)
}

// locksNow reports whether one more failure locks the member, by what was known
// when the sign-in began.
func (m Member) locksNow(drawn int, now time.Time) bool {
	return !m.Zero() && !now.Before(m.LockedUntil) && max(m.FailedSignIns, 0)+1 >= cmp.Or(m.LockThreshold, drawn)
}

// draw returns a random number from low to high, both included.
func (s *Service) draw(low, high int64) (int64, error) {
	source := s.Random
	if source == nil {
		source = rand.Reader
	}
	n, err := rand.Int(source, big.NewInt(high-low+1))
	if err != nil {
		return 0, fmt.Errorf("draw a number: %w", err)
	}
	return low + n.Int64(), nil
}

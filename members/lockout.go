package members

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
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

// maxBadSignIns is how many failures in a row, through all locks, a password
// stands (LOD-8): then it opens nothing until it is set anew or an administrator
// lifts the lock. One client alone has one less, so that the last one is left to
// others, whom its failures have not locked out.
const maxBadSignIns = 100

// severalClients stands for a client where there were more than one.
const severalClients = "*"

// untilReset is the end of a lock that has none.
var untilReset = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// LockedForGood reports whether failed sign-ins locked the account until somebody
// unlocks it or its password is set anew.
func (m Member) LockedForGood() bool { return !m.LockedUntil.Before(untilReset) }

// lockedFor reports whether failed sign-ins keep a client from signing in.
func (m Member) lockedFor(client string, now time.Time) bool {
	return now.Before(m.LockedUntil) && (m.LockClient == "" || m.LockClient == client)
}

// failure is a failed sign-in: whose, and what is drawn for the lock.
type failure struct {
	client    string
	threshold int // where none is drawn for the member yet
	now       time.Time
	until     time.Time // end of the lock, should this be the failure that locks
}

// failed returns the member after a failure, and whether that locks. A lock is
// for one client if all failures since the last one are that client's, and for
// everybody if there are several, or others are locked out already. During its lock a
// client's failures are no guesses, and count below zero.
func (m Member) failed(f failure) (after Member, locks bool) {
	after = m
	if m.lockedFor(f.client, f.now) {
		return m.failedLocked(), false
	}
	after.LockThreshold = cmp.Or(m.LockThreshold, f.threshold)
	after.FailedSignIns, after.BadSignIns = max(m.FailedSignIns, 0)+1, m.BadSignIns+1
	if m.FailedSignIns > 0 && m.FailClient != f.client {
		f.client = severalClients
	}
	after.FailClient = f.client
	last := after.BadSignIns >= maxBadSignIns || after.BadSignIns == maxBadSignIns-1 && f.client != severalClients
	if after.FailedSignIns < after.LockThreshold && !last {
		return after, false
	}
	after.LockClient = f.client
	if f.client == severalClients || f.now.Before(m.LockedUntil) || after.BadSignIns >= maxBadSignIns {
		after.LockClient = ""
	}
	after.LockedUntil = f.until
	if last {
		after.LockedUntil = untilReset
	}
	after.FailedSignIns, after.LockThreshold, after.FailClient = 0, 0, ""
	return after, true
}

// failedLocked returns the member after a failure that a lock made one. Something
// changes each time; what others have failed meanwhile stays.
func (m Member) failedLocked() Member {
	if m.FailedSignIns > 0 {
		m.LockedUntil = m.LockedUntil.Add(time.Microsecond)
		return m
	}
	m.FailedSignIns, m.LockThreshold = m.FailedSignIns-1, 0
	return m
}

// signInFailed counts a failure for the member, or for an unknown name at the
// same cost, and returns 401 0101.
func (s *Service) signInFailed(ctx context.Context, name string, found Found, now time.Time) error {
	m := found.Member
	f, err := s.failure(ctx, now)
	if err != nil {
		return err
	}
	locks, final, err := s.countFailure(ctx, name, found, f)
	if err != nil {
		return err
	}
	if locks { // a name that nobody has, too: it takes as long, and shows who guesses
		s.audit(ctx, Caller{}, Event{Kind: MemberLocked, MemberID: m.ID, Identifier: fold.ASCII(name), Detail: "failed sign-ins"}, nil)
	}
	if final {
		if err := s.tellOfLock(ctx, m); err != nil {
			return err
		}
	}
	return s.refuseSignIn(ctx, name, m)
}

// failure draws what a failure needs.
func (s *Service) failure(ctx context.Context, now time.Time) (failure, error) {
	threshold, err := s.draw(int64(s.Access.MinBadSignIns), int64(s.Access.MaxBadSignIns))
	if err != nil {
		return failure{}, err
	}
	// Whole seconds: nothing finer shows anywhere.
	seconds, err := s.draw(int64(s.Access.MinLockout/time.Second), int64(s.Access.MaxLockout/time.Second))
	if err != nil {
		return failure{}, err
	}
	return failure{
		client: s.failingClient(ctx), threshold: int(threshold),
		now: now, until: now.Add(time.Duration(seconds) * time.Second),
	}, nil
}

// failingClient is the network that a request came from, as it is stored with
// failures: a keyed hash.
func (s *Service) failingClient(ctx context.Context) string {
	mac := hmac.New(sha256.New, s.Keys.Derive("failing clients"))
	mac.Write([]byte(clientOf(OriginOf(ctx).Client)))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// maxCounts is how often a failure is counted anew that others got in the way of.
const maxCounts = 50

var errManyFailures = errors.New("too many sign-ins of one member fail at once")

// countFailure records a failure. It reports whether that locks, and whether the
// member is to hear of it: of the first lock of a row of failures, and of the
// one that lasts.
func (s *Service) countFailure(ctx context.Context, name string, found Found, f failure) (locks, tell bool, err error) {
	_, unlock, err := s.signInLocks.lock(ctx, nameKey(name))
	if err != nil {
		return false, false, errcodes.Wrap(errcodes.Unavailable, err)
	}
	defer unlock()
	for range maxCounts {
		was, unknown := found.Member, found.Member.Zero()
		if unknown {
			was = s.unknown.get(name)
		}
		is, locks := was.failed(f)
		tell := locks && (was.BadSignIns == max(was.FailedSignIns, 0) || is.LockedUntil.Equal(untilReset))
		if unknown {
			s.unknown.set(name, is)
		}
		touch, err := s.draw(1<<24, 1<<30) // of one length on SQLite
		if err != nil {
			return false, false, err
		}
		counted, err := s.Store.SignInFailed(ctx, BadSignIn{Was: was, Is: is, Row: found.Row, Touch: touch})
		if err != nil || counted || unknown {
			return locks, tell, err
		}
		found, err = s.Store.FindMember(ctx, Lookup{ID: found.Member.ID})
		if err != nil || found.Member.Zero() {
			return false, false, err
		}
	}
	return false, false, errcodes.Wrap(errcodes.Unavailable, errManyFailures)
}

// tellOfLock orders the mail that tells a member of failed sign-ins. For nobody,
// and for those who can't sign in anyway, it places the same order, which is dropped.
func (s *Service) tellOfLock(ctx context.Context, m Member) error {
	order, err := s.newNotice(ctx, Order{
		Template: SignInLockedTemplate, MemberID: m.ID, Addressed: !m.Zero() && !m.Refused() && m.Status == Activated,
	})
	if err != nil {
		return err
	}
	if err := s.Store.AddOrder(ctx, order); err != nil {
		return err
	}
	s.Dispatcher.Wake()
	return nil
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

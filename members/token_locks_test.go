package members

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/password"
)

const uses = 8 // of one token at once

// raced is a store whose first looks at the token wait for each other, and whose
// first change of a password waits for the token's other uses.
type raced struct {
	oneToken
	service   *Service
	looks     *atomic.Int32
	looked    chan struct{} // closed after the first ones
	spent     *atomic.Bool
	completed *atomic.Int32
}

func (r raced) FindToken(ctx context.Context, t password.TokenHash) (FoundToken, error) {
	found, err := r.oneToken.FindToken(ctx, t)
	if r.spent.Load() {
		found.Used = true
		return found, err
	}
	if r.looks.Add(1) == uses {
		close(r.looked)
	}
	<-r.looked
	return found, err
}

func (r raced) Complete(_ context.Context, c Completion) (bool, error) {
	r.completed.Add(1)
	for deadline := time.Now().Add(time.Second); !r.spent.Load() && r.atToken(c.Token) < uses && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	return r.spent.CompareAndSwap(false, true), nil
}

// atToken is how many uses of a token have its lock or wait for it.
func (r raced) atToken(t password.TokenHash) int {
	locks := &r.service.tokenLocks
	locks.mu.Lock()
	defer locks.mu.Unlock()
	if lock := locks.locks[t]; lock != nil {
		return lock.users
	}
	return 0
}

// TestOneOfATokensUsesIsHashed holds that of several uses at once, all of which
// found the token good, one alone gets a password hashed: the others are told
// that the token is spent.
func TestOneOfATokensUsesIsHashed(t *testing.T) {
	s, token, _, release := floodedService(t, 0)
	release()
	store := raced{s.Store.(oneToken), s, &atomic.Int32{}, make(chan struct{}), &atomic.Bool{}, &atomic.Int32{}}
	s.Store = store
	results := make(chan error, uses)
	for range uses {
		go func() {
			_, err := s.Reset(t.Context(), Caller{}, ResetRequest{Email: "ann@example.org", Token: token, Password: "purple Otter 42"})
			results <- err
		}()
	}
	won := 0
	for range uses {
		if err := <-results; err == nil {
			won++
		} else if !errors.Is(err, errcodes.New(errcodes.InvalidToken)) {
			t.Errorf("a loser got %v", err)
		}
	}
	if hashed := store.completed.Load(); won != 1 || hashed != 1 {
		t.Errorf("%d won, %d passwords were hashed", won, hashed)
	}
}

package members

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reseed-project/reseed/password"
)

func TestUsesOfOneTokenWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l keyedLocks[password.TokenHash]
		token, other := password.HashToken("a"), password.HashToken("b")
		waited, unlock, err := l.lock(t.Context(), token)
		if err != nil || waited {
			t.Fatalf("the first one: waited %v, %v", waited, err)
		}
		if waited, unlockOther, err := l.lock(t.Context(), other); err != nil || waited {
			t.Fatalf("with another token: waited %v, %v", waited, err)
		} else {
			unlockOther()
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := l.lock(impatient, token); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("whose time ends gets %v", err)
		}
		locked := make(chan bool)
		go func() {
			waited, unlock, err := l.lock(t.Context(), token)
			locked <- waited && err == nil
			unlock()
		}()
		synctest.Wait()
		select {
		case <-locked:
			t.Error("two have the lock")
		default:
		}
		unlock()
		if !<-locked {
			t.Error("the second one did not wait, or failed")
		}
		synctest.Wait()
		if len(l.locks) != 0 {
			t.Errorf("%d locks are kept", len(l.locks))
		}
	})
}

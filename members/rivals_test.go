package members

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"reseed/password"
)

func TestRivalsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rivals
		token, other := password.HashToken("a"), password.HashToken("b")
		waited, leave, err := r.enter(t.Context(), token)
		if err != nil || waited {
			t.Fatalf("the first one: waited %v, %v", waited, err)
		}
		if waited, leaveOther, err := r.enter(t.Context(), other); err != nil || waited {
			t.Fatalf("with another token: waited %v, %v", waited, err)
		} else {
			leaveOther()
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := r.enter(impatient, token); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("whose time ends gets %v", err)
		}
		entered := make(chan bool)
		go func() {
			waited, leave, err := r.enter(t.Context(), token)
			entered <- waited && err == nil
			leave()
		}()
		synctest.Wait()
		select {
		case <-entered:
			t.Error("two have the turn")
		default:
		}
		leave()
		if !<-entered {
			t.Error("the second one did not wait, or failed")
		}
		synctest.Wait()
		if len(r.turns) != 0 {
			t.Errorf("%d turns are kept", len(r.turns))
		}
	})
}

package store_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store"
)

// If a request's time is over within a transaction, at whatever statement,
// that is F004 and nothing is changed: database/sql rolls back by itself then,
// and has a name of its own for it (LOD-1).
func TestTimeOverInATransaction(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		var step, end atomic.Int64
		var giveUp atomic.Pointer[context.CancelFunc]
		c := e.config
		c.Trace = func(q string) {
			if q == "ROLLBACK" || step.Add(1) != end.Load() {
				return
			}
			(*giveUp.Load())()
			<-time.After(5 * time.Millisecond) // database/sql rolls back meanwhile, mostly
		}
		s := must(store.Open(t.Context(), c))(t)
		defer s.Close()
		m := e.member("a", "")
		for at := int64(1); ; at++ {
			o := e.order(m.ID)
			change := completion(o)
			change.Notice = e.newOrder(m.ID)
			change.Notice.Token = password.TokenHash{}
			ctx, cancel := context.WithCancel(t.Context())
			giveUp.Store(&cancel)
			step.Store(0)
			end.Store(at)
			ok, err := s.Complete(ctx, change)
			cancel()
			if step.Load() < at {
				if !ok || err != nil || at < 4 {
					t.Fatalf("in time after %d statements: %v, error %v", step.Load(), ok, err)
				}
				return
			}
			if ok || !errors.Is(err, errcodes.New(errcodes.Unavailable)) || strings.Contains(err.Error(), "committed or rolled back") {
				t.Errorf("time over at statement %d: %v, error %v", at, ok, err)
			}
			if e.used(o) || e.get(m.ID).Password != "$old" {
				t.Errorf("time over at statement %d: the token is used (%t) or the password changed", at, e.used(o))
			}
		}
	})
}

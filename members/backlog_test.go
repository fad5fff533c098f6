package members

import (
	"errors"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
)

// behind is a dispatcher that is so far behind.
type behind struct {
	Dispatcher
	by time.Duration
}

func (b behind) Backlog() time.Duration { return b.by }

// More orders than are sorted in ten seconds are refused, with the time to come
// back, before anything is looked up: the store of this service is nil (LOD-1).
func TestRequestsBeyondTheBacklogAreRefused(t *testing.T) {
	s := NewService(Config{Dispatcher: behind{by: 13 * time.Second}})
	for name, ask := range map[string]func() error{
		"reset": func() error {
			_, err := s.Reset(t.Context(), Caller{}, ResetRequest{Email: "ann@example.org"})
			return err
		},
		"set password": func() error { return s.SendSetPassword(t.Context(), WixSite{}, SetPasswordRequest{}) },
		"recovery":     func() error { return s.SendRecovery(t.Context(), RecoveryRequest{}) },
	} {
		var e *errcodes.Error
		if err := ask(); !errors.As(err, &e) || e.Code != errcodes.Unavailable || e.RetryAfter != 4 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := NewService(Config{Dispatcher: behind{by: 10 * time.Second}}).roomToOrder(); err != nil {
		t.Errorf("at the bound: %v", err)
	}
}

package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

// Reading, writing and transactions all wait for their turn, no longer than
// their context lasts, and not at all while the store is held; afterwards all
// turns are there again.
func TestCallsWaitForTheirTurn(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "")
		o := e.order(m.ID)
		calls := map[string]func(context.Context) error{
			"read":        func(ctx context.Context) error { _, err := e.FindMember(ctx, members.Lookup{ID: m.ID}); return err },
			"write":       func(ctx context.Context) error { return e.AddOrder(ctx, e.newOrder(m.ID)) },
			"transaction": func(ctx context.Context) error { _, err := e.Complete(ctx, completion(o)); return err },
			"claim": func(ctx context.Context) error {
				_, err := e.Round(ctx, mail.Round{Worker: "w", Now: noon, Lease: time.Minute, Latest: farAhead, Claim: 1})
				return err
			},
		}
		for name, call := range calls {
			leave, err := e.TakeAllConnections(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			if err := call(ctx); !errors.Is(err, unavailable) {
				t.Errorf("%s did not wait: %v", name, err)
			}
			cancel()
			e.Block()
			if err := call(t.Context()); !errors.Is(err, unavailable) {
				t.Errorf("%s while held: %v", name, err)
			}
			e.Unblock()
			leave()
			for range 100 {
				if _, err := e.FindMember(t.Context(), members.Lookup{ID: m.ID}); err != nil {
					t.Fatal(err)
				}
			}
			if err := call(t.Context()); err != nil {
				t.Errorf("%s after its turn came: %v", name, err)
			}
		}
	})
}

package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

var unavailable = errcodes.New(errcodes.Unavailable)

// A blocked store refuses calls without asking the database; what
// prepares the database goes through.
func TestBlock(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "")
		e.Block()
		asked := e.asked(func() {
			_, err := e.FindMember(t.Context(), members.Lookup{ID: m.ID})
			if !errors.Is(err, unavailable) {
				t.Errorf("find member: %v", err)
			}
			if err := e.AddOrder(t.Context(), e.newOrder(m.ID)); !errors.Is(err, unavailable) {
				t.Errorf("add order: %v", err)
			}
			if _, err := e.Round(t.Context(), mail.Round{Worker: "w", Now: noon, Lease: time.Minute, Latest: farAhead, Claim: 1}); !errors.Is(err, unavailable) {
				t.Errorf("claim: %v", err)
			}
		})
		for _, q := range asked {
			if q != "BEGIN" && len(asked) > 1 {
				t.Errorf("asked all the same: %q", asked)
				break
			}
		}
		if err := errors.Join(e.Migrate(t.Context()), e.CheckSchema(t.Context()), e.Ping(t.Context())); err != nil {
			t.Errorf("what prepares the database: %v", err)
		}
		if _, err := e.Check(t.Context()); err != nil {
			t.Errorf("check: %v", err)
		}
		e.Unblock()
		if e.get(m.ID).ID != m.ID {
			t.Error("released, and the member is not found")
		}
	})
}

// When the server goes, callers learn it at once; when it is back, they are
// served again soon, without a restart (FLT-3).
func TestWatch(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2"})
	e := newEnv(t, store.Config{DSN: server.NewDatabase(t)})
	m := e.member("anna", "")
	changes := make(chan error, 10)
	ctx, stop := context.WithCancel(t.Context())
	watched := make(chan error)
	go func() { watched <- e.Watch(ctx, func(err error) { changes <- err }) }()
	find := func() error {
		_, err := e.FindMember(t.Context(), members.Lookup{ID: m.ID})
		return err
	}
	for range 3 {
		if err := find(); err != nil {
			t.Fatal(err)
		}
		server.Kill()
		if err := find(); !errors.Is(err, unavailable) {
			t.Fatalf("without a server: %v", err)
		}
		if err := <-changes; !errors.Is(err, unavailable) {
			t.Fatalf("reported: %v", err)
		}
		server.Restart(t)
		back := time.Now()
		if err := <-changes; err != nil {
			t.Fatalf("reported: %v, want nil", err)
		}
		if took := time.Since(back); took > 20*time.Second {
			t.Errorf("noticed after %v", took)
		}
	}
	if err := find(); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-watched; err != nil {
		t.Error(err)
	}
}

func TestWatchSQLite(t *testing.T) {
	e := newEnv(t, store.Config{Path: t.TempDir() + "/x.db"})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := e.Watch(ctx, func(err error) { t.Errorf("reported %v", err) }); err != nil {
		t.Error(err)
	}
}

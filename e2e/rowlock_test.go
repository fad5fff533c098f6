package e2e

import (
	"sync"
	"testing"
	"time"
)

// While another process holds the lock of one member's row, sign-ins of that
// member wait, each for the one before it: they take no more than one connection
// to the database, and others sign in as ever.
func TestHeldRowLockSlowsNobodyElse(t *testing.T) {
	site := startSite(t, siteConfig{dsn: testDSN(t), state: "identity", settings: "request-timeout = \"8s\"\n", realTime: true})
	holder, err := site.open(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback() }()
	if _, err := holder.ExecContext(t.Context(), "SELECT id FROM members WHERE id = ? FOR UPDATE", site.find(t, "ann").ID); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() { _, _ = site.Members.SignIn(t.Context(), "ann", "wrong") })
	}
	time.Sleep(300 * time.Millisecond) // until they wait
	for range 5 {
		begun := time.Now()
		if _, err := site.Members.SignIn(t.Context(), "carl", "old-Kettle-56-spoon"); err != nil {
			t.Errorf("another member: %v", err)
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("another member's sign-in took %v", took)
		}
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if m := site.find(t, "ann"); m.LockedUntil.IsZero() {
		t.Errorf("the failures were not counted: %+v", m)
	}
}

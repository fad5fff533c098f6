package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
)

// What a round does to orders by their ids is found by the ids: by the state it
// would read the whole backlog for each hundred of them. SQLite knows nothing of
// how many orders there are in a state.
func TestRoundsFindOrdersByTheirIDs(t *testing.T) {
	s := openTraced(t, nil)
	for name, b := range map[string]bySize{
		"settle": {settleOne, settleSome, settleMany}, "renew": {renewOne, renewSome, renewMany},
		"rescue": {rescueOne, rescueSome, rescueMany}, "redate": {redateOne, redateSome, redateMany},
		"announce": {announceOne, announceSome, announceMany}, "claim": {claimOne, claimSome, claimMany},
		"tell": {tellRequestedOne, tellRequestedSome, tellRequestedMany},
		"read": {mailInputOneSQLite, mailInputSomeSQLite, mailInputManySQLite},
	} {
		for _, q := range []statement{b.one, b.some, b.many} {
			if plan := planOf(t.Context(), t, s, q); !strings.Contains(plan, "(id=?)") || strings.Contains(plan, "(state=?)") {
				t.Errorf("%s, %d values: %s", name, strings.Count(string(q), "?"), plan)
			}
		}
	}
}

// openTraced opens a migrated store in a file of its own, whose statements the
// trace is told of unless it is nil.
func openTraced(t *testing.T, trace func(string)) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: t.TempDir() + "/reseed.db", Now: time.Now, Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func planOf(ctx context.Context, t *testing.T, s *Store, q statement) string {
	t.Helper()
	args := make([]any, strings.Count(string(q), "?"))
	for i := range args {
		args[i] = 1
	}
	rows, err := s.query(ctx, "EXPLAIN QUERY PLAN "+q, args...)
	if err != nil {
		t.Fatal(err)
	}
	type step struct{ id, parent, unused, detail string }
	steps, err := collect(rows, func(s *step) []any { return []any{&s.id, &s.parent, &s.unused, &s.detail} })
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(steps)
}

// What a round settles alike is one statement, whenever each mail was ordered.
func TestSettledAlikeTogether(t *testing.T) {
	settled := 0
	s := openTraced(t, func(q string) {
		if strings.HasPrefix(q, settleMails) {
			settled++
		}
	})
	now := time.Now()
	r := mail.Round{Worker: "w", Now: now, Lease: time.Minute}
	for i := range mostIDs {
		r.Settle = append(r.Settle, mail.Settlement{ID: mail.ID{byte(i)}, State: mail.Sent, Attempted: true,
			Due: now.Add(time.Duration(i)), Ordered: now.Add(-time.Duration(i) * time.Second)})
	}
	if _, err := s.Round(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if settled != 1 {
		t.Errorf("%d mails were settled by %d statements, want 1", mostIDs, settled)
	}
}

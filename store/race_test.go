package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

// Of 64 uses of one token at once, by two processes' stores, one wins (TOK-3).
func TestOneTokenHasOneWinner(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		// If a token could be spent twice, three rounds in four show it.
		rounds := 25
		if testing.Short() {
			rounds = 3
		}
		m := e.member("a", "")
		stores := []*store.Store{e.Store, e.open()}
		for round := range rounds {
			o := e.order(m.ID)
			winners, password := race(t, stores, o)
			if winners != 1 {
				t.Fatalf("round %d: %d winners", round, winners)
			}
			if got := e.get(m.ID).Password; got != password {
				t.Fatalf("round %d: the hash is %q, the winner's %q", round, string(got), string(password))
			}
		}
	})
}

// race completes o 64 times at once and returns how many won, and the hash of
// the last one that did.
func race(t *testing.T, stores []*store.Store, o members.Order) (int64, password.Hash) {
	t.Helper()
	var winners atomic.Int64
	var won atomic.Value
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range 64 {
		c := completion(o)
		c.Password = password.Hash(fmt.Sprintf("$new%d", i))
		all.Go(func() {
			<-start
			ok, err := stores[i%len(stores)].Complete(context.Background(), c)
			if err != nil {
				t.Error(err)
			}
			if ok {
				winners.Add(1)
				won.Store(c.Password)
			}
		})
	}
	close(start)
	all.Wait()
	hash, _ := won.Load().(password.Hash)
	return winners.Load(), hash
}

// Tokens of one member, used at once: one voids all the others (TOK-8).
func TestManyTokensOfOneMemberHaveOneWinner(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		for range 5 {
			var orders []members.Order
			for range 16 {
				orders = append(orders, e.order(m.ID))
			}
			var winners atomic.Int64
			var all sync.WaitGroup
			for _, o := range orders {
				all.Go(func() {
					ok, err := e.Complete(context.Background(), completion(o))
					if err != nil {
						t.Error(err)
					}
					if ok {
						winners.Add(1)
					}
				})
			}
			all.Wait()
			if winners.Load() != 1 {
				t.Fatalf("%d winners", winners.Load())
			}
		}
	})
}

// A lock that was answered leaves no way through, whichever comes first.
func TestLockAndCompleteAtOnce(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for i := range 20 {
			m := e.member(named(i))
			first, second := e.order(m.ID), e.order(m.ID)
			var all sync.WaitGroup
			all.Go(func() {
				if err := e.SetLocked(context.Background(), m.ID, true); err != nil {
					t.Error(err)
				}
				if e.complete(completion(second)) {
					t.Error("completed after the lock")
				}
			})
			all.Go(func() { e.complete(completion(first)) })
			all.Wait()
			if !e.get(m.ID).Locked || !e.used(first) || !e.used(second) {
				t.Fatalf("locked %v, tokens void %v %v", e.get(m.ID).Locked, e.used(first), e.used(second))
			}
		}
	})
}

// A connection that dies between any two statements leaves all or nothing
// (FLT-6, PWD-9).
func TestKilledConnectionLeavesNothingHalfDone(t *testing.T) {
	server := mariadbtest.Start(t)
	var victim atomic.Pointer[func(string)]
	c := store.Config{Now: time.Now, DSN: server.NewDatabase(t), MaxConns: 1}
	e := newEnv(t, c)
	c.Now = e.config.Now
	c.Trace = func(q string) {
		if kill := victim.Load(); kill != nil {
			(*kill)(q)
		}
	}
	s := must(store.Open(t.Context(), c))(t)
	defer s.Close()
	m := e.member("a", "")
	commit := 0 // its step; BEGIN is step 0
	count := func(q string) {
		if q != "COMMIT" {
			commit++
		}
	}
	withNotice := func(o members.Order) members.Completion {
		change := completion(o)
		change.Notice = e.newOrder(m.ID)
		change.Notice.Token = password.TokenHash{}
		return change
	}
	victim.Store(&count)
	if ok, err := s.Complete(t.Context(), withNotice(e.order(m.ID))); !ok || err != nil || commit < 4 {
		t.Fatalf("unharmed: %v, error %v, %d statements", ok, err, commit)
	}
	unharmed := commit + 1
	for step := 1; step <= unharmed; step++ {
		o := e.order(m.ID)
		change := withNotice(o)
		change.Password = password.Hash(fmt.Sprintf("$step%d", step))
		before := e.get(m.ID).Password
		kill := killAt(t, server.Admin(), step)
		victim.Store(&kill)
		ok, err := s.Complete(t.Context(), change)
		victim.Store(nil)
		if done := step == unharmed; ok != done || (err == nil) != done {
			t.Fatalf("step %d: completed %v, error %v", step, ok, err)
		}
		if err != nil && !errors.Is(err, errcodes.New(errcodes.Unavailable)) || errors.Is(err, store.ErrAmbiguous) != (step == commit) {
			t.Errorf("step %d: error %v", step, err)
		}
		_, noticed, _ := e.Mail(t.Context(), change.Notice.ID)
		if e.used(o) != ok || noticed != ok || (e.get(m.ID).Password != before) != ok {
			t.Errorf("step %d: used %v, notice %v, hash %q", step, e.used(o), noticed, string(e.get(m.ID).Password))
		}
	}
}

// killAt returns a trace that ends every connection to the tests' databases
// before the step-th statement after BEGIN.
func killAt(t *testing.T, admin *sql.DB, step int) func(string) {
	seen := 0
	return func(string) {
		if seen == step {
			killConnections(t, admin)
		}
		seen++
	}
}

func killConnections(t *testing.T, admin *sql.DB) {
	t.Helper()
	rows, err := admin.Query(`SELECT id FROM information_schema.processlist WHERE db LIKE 'test%'`)
	if err != nil {
		t.Error(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Error(err)
			return
		}
		if _, err := admin.Exec(fmt.Sprintf("KILL CONNECTION %d", id)); err != nil {
			t.Logf("kill %d: %v", id, err) // it ended by itself
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}

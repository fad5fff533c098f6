package store_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
)

// addAll adds orders at the same time, after all of them wait, and returns each one's error.
func addAll(t *testing.T, e *env, orders []members.Order, contexts map[int]context.Context) []error {
	t.Helper()
	release, err := e.TakeAllConnections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, len(orders))
	var all sync.WaitGroup
	for i, o := range orders {
		ctx := t.Context()
		if c, ok := contexts[i]; ok {
			ctx = c
		}
		all.Go(func() { errs[i] = e.AddOrder(ctx, o) })
	}
	e.AwaitOrders(len(orders) - len(contexts))
	release()
	all.Wait()
	return errs
}

// Orders that are added at the same time share commits; one that is refused, or
// whose caller leaves, takes no other along.
func TestOrdersShareACommit(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "")
		const n = 40
		orders := make([]members.Order, n)
		for i := range orders {
			orders[i] = e.newOrder(m.ID)
		}
		orders[7].Token = orders[6].Token            // one of both is refused
		orders[9].Template = strings.Repeat("x", 51) // does not fit
		orders[11] = e.order(m.ID)                   // is there already, which is no error
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // the caller of 13 has left
		var errs []error
		asked := e.asked(func() { errs = addAll(t, e, orders, map[int]context.Context{13: ctx}) })
		refused := 0
		for i, err := range errs {
			switch i {
			case 6, 7:
				if err != nil {
					refused++
				}
			case 9:
				if err == nil || errors.Is(err, unavailable) {
					t.Errorf("a template that does not fit: %v", err)
				}
			case 13:
				if !errors.Is(err, unavailable) {
					t.Errorf("a caller who left: %v", err)
				}
			default:
				if err != nil {
					t.Errorf("order %d: %v", i, err)
				}
			}
			if _, there, _ := e.Mail(t.Context(), orders[i].ID); there != (err == nil) {
				t.Errorf("order %d: in the table %v, error %v", i, there, err)
			}
		}
		if refused != 1 {
			t.Errorf("of two orders with one token %d were refused", refused)
		}
		if commits(asked) > n {
			t.Errorf("%d commits for %d orders", commits(asked), n)
		}
	})
}

// Without a refusal, many orders take few commits.
func TestManyOrdersTakeFewCommits(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "")
		orders := make([]members.Order, 33)
		for i := range orders {
			orders[i] = e.newOrder(m.ID)
		}
		asked := e.asked(func() {
			for i, err := range addAll(t, e, orders, nil) {
				if err != nil {
					t.Errorf("order %d: %v", i, err)
				}
			}
		})
		if n := commits(asked); n > 4 {
			t.Errorf("%d commits for %d orders", n, len(orders))
		}
	})
}

// commits counts transactions: explicit ones, and statements that are one.
func commits(asked []string) int {
	n, open := 0, false
	for _, q := range asked {
		switch {
		case q == "BEGIN":
			open = true
		case q == "COMMIT" || q == "ROLLBACK":
			open = false
			n++
		case !open && strings.Contains(q, "INSERT"):
			n++
		}
	}
	return n
}

// Another process that holds SQLite's write lock delays no call beyond its own
// deadline, and none is lost afterwards (issue: first answer after 19.8 s).
func TestLockOfAnotherProcessIsWaitedForNoLongerThanTheDeadline(t *testing.T) {
	e := newEnv(t, store.Config{Path: t.TempDir() + "/x.db"})
	m := e.member("anna", "")
	o := e.order(m.ID)
	other, err := sql.Open("sqlite", "file:"+e.config.Path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(context.Context) error{
		"order":    func(ctx context.Context) error { return e.AddOrder(ctx, e.newOrder(m.ID)) },
		"complete": func(ctx context.Context) error { _, err := e.Complete(ctx, completion(o)); return err },
		"failed": func(ctx context.Context) error {
			_, err := e.SignInFailed(ctx, members.BadSignIn{Was: m, Is: m, Row: m.ID, Touch: 1 << 25})
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		begin := time.Now()
		if err := call(ctx); !errors.Is(err, unavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		cancel()
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := e.AddOrder(t.Context(), e.newOrder(m.ID)); err != nil {
		t.Error(err)
	}
}

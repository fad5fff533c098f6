package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

func TestMain(m *testing.M) { os.Exit(mariadbtest.Main(m)) }

// noon is when the tests take place.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func clock() time.Time { return noon }

// env is a store with a fresh schema and what it was asked.
type env struct {
	*store.Store
	t      testing.TB
	config store.Config

	mu         sync.Mutex
	statements []string
	serial     int
}

// both runs a test on SQLite and on MariaDB, there with the least rights. It runs
// beside others, since each has a database of its own.
func both(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		test(t, newEnv(t, store.Config{Path: freshFile(t)}))
	})
	t.Run("mariadb", func(t *testing.T) {
		test(t, newEnv(t, store.Config{DSN: freshDSN(t), MaxConns: 70}))
	})
}

func newEnv(t testing.TB, c store.Config) *env {
	t.Helper()
	e := &env{t: t}
	c.Now = clock
	c.Trace = e.note
	e.config = c
	e.Store = e.open()
	if err := e.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	must(e.RefreshWebhooks(t.Context()))(t) // as programs do
	return e
}

// open opens the same database once more, as another process would.
func (e *env) open() *store.Store {
	e.t.Helper()
	s, err := store.Open(e.t.Context(), e.config)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { s.Close() })
	return s
}

func (e *env) note(q string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.statements = append(e.statements, q)
}

// asked returns the statements that do runs.
func (e *env) asked(do func()) []string {
	e.mu.Lock()
	e.statements = nil
	e.mu.Unlock()
	do()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.statements
}

// member adds one with the given identifiers and returns it as stored.
func (e *env) member(username, email string) members.Member {
	e.t.Helper()
	return e.add(members.Member{Username: username, Email: email, Status: members.Activated, Password: "$old"})
}

func (e *env) add(m members.Member, groups ...int64) members.Member {
	e.t.Helper()
	ids, err := e.AddMembers(context.Background(), []members.NewMember{{Member: m, Groups: groups}})
	if err != nil {
		e.t.Fatalf("add %+v: %v", m, err)
	}
	return e.get(ids[0])
}

func (e *env) get(id int64) members.Member {
	e.t.Helper()
	f, err := e.FindMember(context.Background(), members.Lookup{ID: id})
	if err != nil {
		e.t.Fatal(err)
	}
	return f.Member
}

// order adds a reset order with a token of its own, created at noon and valid for an hour.
func (e *env) order(member int64, change ...func(*members.Order)) members.Order {
	e.t.Helper()
	o := e.newOrder(member)
	for _, c := range change {
		c(&o)
	}
	if err := e.AddOrder(context.Background(), o); err != nil {
		e.t.Fatal(err)
	}
	return o
}

func (e *env) newOrder(member int64) members.Order {
	e.t.Helper()
	e.mu.Lock()
	e.serial++
	serial := e.serial
	e.mu.Unlock()
	id, err := mail.NewID(noon.Add(time.Duration(serial)*time.Millisecond), nil)
	if err != nil {
		e.t.Fatal(err)
	}
	return members.Order{ID: id, Template: "reset-password-confirm", Reason: "member",
		Purpose: password.Reset, MemberID: member, Addressed: member > 0, Token: sha256.Sum256(id[:]),
		Created: noon, Expires: noon.Add(time.Hour)}
}

// used reports whether the order's token is spent or voided.
func (e *env) used(o members.Order) bool {
	e.t.Helper()
	r, err := e.FindToken(context.Background(), o.Token)
	if err != nil || r.ID != o.ID {
		e.t.Fatalf("token of %s: record %+v, error %v", o.ID, r, err)
	}
	return r.Used
}

func (e *env) complete(c members.Completion) bool {
	e.t.Helper()
	ok, err := e.Complete(context.Background(), c)
	if err != nil {
		e.t.Fatal(err)
	}
	return ok
}

// completion spends the order's token.
func completion(o members.Order) members.Completion {
	return members.Completion{MemberID: o.MemberID, Token: o.Token, Password: "$new", At: noon}
}

func (e *env) state(id mail.ID) members.OrderStatus {
	e.t.Helper()
	r, ok, err := e.Mail(context.Background(), id)
	if err != nil || !ok {
		e.t.Fatalf("mail %s: there %v, error %v", id, ok, err)
	}
	return r
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func named(i int) (username, email string) {
	return fmt.Sprintf("user%d", i), fmt.Sprintf("user%d@example.org", i)
}

type filter = members.MailFilter

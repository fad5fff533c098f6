package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

func isUnavailable(err error) bool { return errors.Is(err, errcodes.New(errcodes.Unavailable)) }

// A crash of the server is 503 while it lasts; nothing that was answered is
// lost, and the first try afterwards succeeds (FLT-3).
func TestServerCrashAndReturn(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{Networking: true})
	e := newEnv(t, store.Config{Now: time.Now, DSN: server.TCP(server.NewDatabase(t))})
	o := e.order(e.member("a", "").ID)
	server.Kill()
	for name, do := range map[string]func() error{
		"ping":     func() error { return e.Ping(t.Context()) },
		"find":     func() error { _, err := e.FindMember(t.Context(), members.Lookup{ID: 1}); return err },
		"add":      func() error { return e.AddOrder(t.Context(), e.newOrder(1)) },
		"complete": func() error { _, err := e.Complete(t.Context(), completion(o)); return err },
		"claim":    func() error { _, err := e.Round(t.Context(), claim("w", noon)); return err },
		"migrate":  func() error { return e.Migrate(t.Context()) },
	} {
		if err := do(); !isUnavailable(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	server.Restart(t)
	if !e.complete(completion(o)) {
		t.Error("not completed after the return")
	}
}

// A store whose server went first is closed without an error, so that its
// program ends well.
func TestCloseAfterTheServer(t *testing.T) {
	for name, networking := range map[string]bool{"socket": false, "port": true} {
		t.Run(name, func(t *testing.T) {
			server := mariadbtest.Launch(t, mariadbtest.Options{Networking: networking})
			dsn := server.NewDatabase(t)
			if networking {
				dsn = server.TCP(dsn)
			}
			s := must(store.Open(t.Context(), store.Config{Now: time.Now, DSN: dsn}))(t)
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			server.Kill()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// FLT-7.
func TestReadOnlyServerIsUnavailable(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{})
	dsn := server.NewDatabase(t)
	newEnv(t, store.Config{Now: time.Now, DSN: dsn})
	for _, q := range []string{
		`CREATE USER 'plain'@'localhost' IDENTIFIED BY 'x'`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON *.* TO 'plain'@'localhost'`,
		`SET GLOBAL read_only = 1`,
	} {
		if _, err := server.Admin().Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	s := must(store.Open(t.Context(), store.Config{Now: time.Now, DSN: strings.Replace(dsn, "root@", "plain:x@", 1)}))(t)
	defer s.Close()
	e := &env{Store: s, t: t}
	if err := s.AddOrder(t.Context(), e.newOrder(1)); !isUnavailable(err) {
		t.Errorf("add: %v", err)
	}
	if _, err := s.FindMember(t.Context(), members.Lookup{ID: 1}); err != nil {
		t.Errorf("reading: %v", err)
	}
}

// FLT-7.
func TestTooManyConnectionsIsUnavailable(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{Args: []string{"--max-connections=10"}})
	dsn := server.NewDatabase(t)
	var held []interface{ Close() error }
	for range 20 {
		conn, err := server.Admin().Conn(t.Context())
		if err != nil {
			break
		}
		held = append(held, conn)
	}
	s := must(store.Open(t.Context(), store.Config{Now: time.Now, DSN: dsn}))(t)
	defer s.Close()
	if err := s.Ping(t.Context()); !isUnavailable(err) {
		t.Errorf("ping: %v", err)
	}
	for _, c := range held {
		c.Close()
	}
}

func TestEndedContextIsUnavailable(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := e.AddOrder(ctx, e.newOrder(1)); !isUnavailable(err) || !errors.Is(err, context.Canceled) {
			t.Errorf("add: %v", err)
		}
		if got := must(e.Mails(t.Context(), filter{}))(t); len(got) != 0 {
			t.Error("the order is there")
		}
	})
}

// Another process that holds SQLite's one writing place makes us wait, then 503.
func TestBusyFileIsUnavailable(t *testing.T) {
	c := store.Config{Now: time.Now, Path: filepath.Join(t.TempDir(), "r.db")}
	e := newEnv(t, c)
	conn := must(raw(t, c).Conn(t.Context()))(t)
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := e.AddOrder(ctx, e.newOrder(1)); !isUnavailable(err) {
		t.Errorf("add: %v", err)
	}
	if _, err := e.FindMember(t.Context(), members.Lookup{ID: 1}); err != nil {
		t.Errorf("reading beside a writer: %v", err)
	}
}

// Two transactions that take two members' rows in opposite order: the one that
// is rolled back is run again (FLT-5).
func TestDeadlockIsRunAgain(t *testing.T) {
	server := mariadbtest.Start(t)
	e := newEnv(t, store.Config{Now: time.Now, DSN: server.NewDatabase(t)})
	m := e.member("a", "")
	o := e.order(m.ID)
	db := raw(t, e.config)
	tx := must(db.Begin())(t)
	defer tx.Rollback()
	// The other transaction holds the order, which Complete wants second, and weighs more,
	// so that InnoDB rolls Complete back.
	for _, q := range []string{
		`INSERT INTO member_groups (name_key, name) SELECT seq, seq FROM seq_1_to_200`,
		fmt.Sprintf(`UPDATE mails SET outcome = 'x' WHERE member_id = %d`, m.ID),
	} {
		if _, err := tx.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	var ok bool
	var err error
	asked := e.asked(func() {
		var all sync.WaitGroup
		all.Go(func() { ok, err = e.Complete(context.Background(), completion(o)) })
		waitForLock(t, server)
		if _, err := tx.Exec(`UPDATE members SET surname = 'x' WHERE id = ?`, m.ID); err != nil {
			t.Error(err)
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
		all.Wait()
	})
	if !ok || err != nil {
		t.Errorf("completed %v, error %v", ok, err)
	}
	if n := strings.Count(strings.Join(asked, "\n"), "BEGIN"); n != 2 {
		t.Errorf("%d transactions, want the one that met a deadlock and another", n)
	}
}

// waitForLock returns when a transaction waits for a row. The server shows a
// picture of its transactions that it renews when it was not asked for 0.1 s.
func waitForLock(t *testing.T, server *mariadbtest.Server) {
	t.Helper()
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for range 60 {
		var n int
		err := server.Admin().QueryRow(`SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		<-tick.C
	}
	t.Fatal("nobody waits")
}

// No error repeats what a statement held: a server quotes values of a duplicate.
func TestErrorsHoldNoValues(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		o := e.newOrder(1)
		for i := range o.Token {
			o.Token[i] = 0xFE // which MariaDB would show as \xFE
		}
		if err := e.AddOrder(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		twin := o
		twin.ID[15]++
		long := e.newOrder(1)
		long.Template = strings.Repeat("canary", 100)
		for _, err := range []error{
			e.AddOrder(t.Context(), twin),
			e.AddOrder(t.Context(), long),
		} {
			if err == nil {
				t.Fatal("no error")
			}
			text := fmt.Sprintf("%v %+v %#v", err, err, err)
			if strings.Contains(text, string(o.Token[:4])) || strings.Contains(text, `\xFE`) || strings.Contains(text, "canary") || isUnavailable(err) {
				t.Errorf("error %q", text)
			}
		}
	})
}

func TestOpenNamesNoSecret(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []store.Config{
		{},
		{Path: filepath.Join(blocked, "r.db")},
		{DSN: "mysql://u:hunter2@h:port/name"},
		{DSN: "mysql://u:hunter2%zz@h/name"},
		{DSN: "mysql://u:hunter2@h/"},
		{DSN: "mysql://u:hunter2@h/name?tls=hunter2"},
		{DSN: "mysql://u:hunter2@h/name?readTimeout=hunter2"},
		{DSN: "mysql://u:hunter2@h/name?%zz=hunter2"},
		{DSN: "u:hunter2@tcp(h/name"},
		{DSN: "u:hunter2@hunter2(h)/name"},
		{DSN: "u:hunter2@tcp(h)/name?parseTime=hunter2"},
		{DSN: "u:hunter2@tcp(h)/"},
		{DSN: "hunter2"},
	} {
		s, err := store.Open(t.Context(), c)
		if err == nil {
			t.Errorf("%+v was opened", c)
			s.Close()
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %q", err)
		}
	}
}

func TestUnreachableServerIsUnavailableAndNamesNoSecret(t *testing.T) {
	s := must(store.Open(t.Context(), store.Config{Now: time.Now, DSN: "mysql://u:hunter2@127.0.0.1:1/name?timeout=2s"}))(t)
	defer s.Close()
	_, err := s.Round(t.Context(), claim("w", noon))
	if !isUnavailable(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

package store_test

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

// A database as the migrations make it gives no cause for complaint, whatever
// the server's defaults are (F4, F14).
func TestCheckOfAFreshDatabase(t *testing.T) {
	e := newEnv(t, store.Config{Path: t.TempDir() + "/x.db"})
	if w := must(e.Check(t.Context()))(t); len(w) > 0 {
		t.Errorf("SQLite: %q", w)
	}
	server := mariadbtest.Launch(t, mariadbtest.Options{})
	e = newEnv(t, store.Config{DSN: server.NewDatabase(t)})
	w := must(e.Check(t.Context()))(t)
	// The tests' clock stands at a noon of its own.
	if len(w) != 1 || !strings.Contains(w[0], "clock") {
		t.Errorf("MariaDB: %q, want the clock alone", w)
	}
}

func TestCheckFindsWhatWasConverted(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2"})
	dsn := server.NewDatabase(t)
	e := newEnv(t, store.Config{DSN: dsn})
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []string{
		"ALTER TABLE mails MODIFY outcome VARCHAR(1000) CHARACTER SET latin1 NOT NULL",
		"ALTER TABLE members MODIFY email_key VARCHAR(400) COLLATE utf8mb4_bin",
		"ALTER TABLE events ENGINE = Aria",
		"CREATE TABLE somebody_elses (x_key VARCHAR(10) CHARACTER SET latin1) ENGINE = Aria",
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	w := must(e.Check(t.Context()))(t)
	for _, want := range []string{"mails.outcome has collation latin1", "members.email_key has type varchar", "events has engine Aria", "innodb_flush_log_at_trx_commit is 2"} {
		if !slices.ContainsFunc(w, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("no warning %q in %q", want, w)
		}
	}
	if len(w) != 5 { // and the clock
		t.Errorf("%d warnings: %q", len(w), w)
	}
}

// Reads of a Galera node wait for what others committed, unless the DSN says otherwise.
func TestReadsAreCausal(t *testing.T) {
	dsn := mariadbtest.Start(t).NewDatabase(t)
	for suffix, want := range map[string]bool{"": true, "?wsrep_sync_wait=0": false} {
		e := newEnv(t, store.Config{DSN: dsn + suffix})
		if got := must(e.CausalReads(t.Context()))(t); got != want {
			t.Errorf("%q: causal reads %v, want %v", suffix, got, want)
		}
	}
}

// A server whose sessions don't commit by themselves loses nothing that was
// answered: a session of ours does.
func TestNothingIsLeftUncommitted(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2"})
	if _, err := server.Admin().ExecContext(t.Context(), "SET GLOBAL autocommit = 0"); err != nil {
		t.Fatal(err)
	}
	dsn := server.NewDatabase(t)
	e := newEnv(t, store.Config{DSN: dsn})
	o := e.order(1)
	if _, found, err := e.open().Mail(t.Context(), o.ID); err != nil || !found {
		t.Errorf("another connection finds the order: %v, %v", found, err)
	}
}

// A server that takes no changes since it logs statements says so: 503, and a
// word at the start.
func TestStatementLogIsToldOf(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2", Args: []string{"--log-bin=changes", "--server-id=1"}})
	e := newEnv(t, store.Config{DSN: server.NewDatabase(t)})
	o := e.newOrder(1)
	if _, err := server.Admin().ExecContext(t.Context(), "SET GLOBAL binlog_format = 'STATEMENT'"); err != nil {
		t.Fatal(err)
	}
	fresh := e.open() // a session has the format of when it began
	if err := fresh.AddOrder(t.Context(), o); !errors.Is(err, errcodes.New(errcodes.Unavailable)) {
		t.Errorf("adding an order: %v", err)
	}
	if w := strings.Join(must(fresh.Check(t.Context()))(t), "\n"); !strings.Contains(w, "ROW or MIXED") {
		t.Errorf("warnings:\n%s", w)
	}
}

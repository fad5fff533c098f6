package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

// clerk makes a user who may change rows and nothing else, whom read_only
// stops, and returns its DSN.
func clerk(t *testing.T, db *mariadbtest.Server, dsn string) string {
	t.Helper()
	fill(t, dsn)
	sqlExec(t, db,
		"CREATE USER clerk@localhost IDENTIFIED BY 'secret'",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON "+dsn[strings.LastIndex(dsn, "/")+1:]+".* TO clerk@localhost")
	return strings.Replace(dsn, "root@", "clerk:secret@", 1)
}

// fill migrates a database and brings the basic state.
func fill(t *testing.T, dsn string) {
	t.Helper()
	err := inStore(store.Config{DSN: dsn}, func(ctx context.Context, s *store.Store) error { return s.Migrate(ctx) })
	if err != nil {
		t.Fatal(err)
	}
	startSite(t, siteConfig{dsn: dsn})
}

func sqlExec(t *testing.T, db *mariadbtest.Server, statements ...string) {
	t.Helper()
	for _, q := range statements {
		if _, err := db.Admin().ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// answers asks for a token until the status comes, and wants no other one than
// 200 and F004 on the way.
func (s *served) answers(t *testing.T, want int) {
	t.Helper()
	eventually(t, time.Minute, func() (bool, string) {
		status, body := post(t, http.DefaultClient, s.base, "email=ann@example.org")
		if status != 200 && (status != 503 || !strings.Contains(body, `id="F004"`)) {
			t.Fatalf("%d %s\n%s", status, body, s.log)
		}
		return status == want, fmt.Sprintf("answered %d, want %d", status, want)
	})
}

// What a fail-over, a crowded or an impatient database server does: 503 with
// F004 while it lasts, and service again without a restart of ours (FLT-7).
func TestServeThroughFailOver(t *testing.T) {
	db := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2"})
	s := serveApp(t, siteConfig{dsn: clerk(t, db, db.NewDatabase(t)), settings: "mails-per-hour = 1000\n"})
	s.until(t, 200, time.Minute)
	s.answers(t, 200)

	t.Run("read-only and back", func(t *testing.T) {
		sqlExec(t, db, "SET GLOBAL read_only = 1")
		s.answers(t, 503)
		for range 5 {
			if status, body := post(t, http.DefaultClient, s.base, "email=ann@example.org"); status != 503 {
				t.Errorf("on a read-only server: %d %s", status, body)
			}
		}
		sqlExec(t, db, "SET GLOBAL read_only = 0")
		s.answers(t, 200)
	})
	t.Run("too many connections", func(t *testing.T) {
		crowd := s.crowdOut(t, db)
		s.answers(t, 503)
		crowd()
		s.answers(t, 200)
	})
	t.Run("connections that end when idle", func(t *testing.T) { // as wait_timeout does it
		for range 3 {
			s.answers(t, 200)
			endConnections(t, db)
			if status, body := post(t, http.DefaultClient, s.base, "email=ann@example.org"); status != 200 {
				t.Errorf("on a pool of ended connections: %d %s", status, body)
			}
		}
	})
	t.Run("restart", func(t *testing.T) {
		sqlExec(t, db, "SHUTDOWN")
		s.until(t, 503, time.Minute)
		s.answers(t, 503)
		db.Restart(t)
		s.answers(t, 200)
	})
	s.end(t)
}

// crowdOut leaves the app no connection: others hold all that the server has.
// What it returns lets them go.
func (s *served) crowdOut(t *testing.T, db *mariadbtest.Server) func() {
	t.Helper()
	sqlExec(t, db, "CREATE USER crowd@localhost", "SET GLOBAL max_connections = 10") // 10 is the least
	others, err := sql.Open("mysql", "crowd@unix("+db.Socket()+")/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { others.Close() })
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := others.Conn(t.Context())
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			continue
		}
		if len(connections(t, db)) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the app keeps %d connections, others have %d", len(connections(t, db)), others.Stats().OpenConnections)
		}
		endConnections(t, db)
	}
	return func() { sqlExec(t, db, "SET GLOBAL max_connections = 200") }
}

// endConnections ends the app's connections at the server, and returns when
// they are gone.
func endConnections(t *testing.T, db *mariadbtest.Server) {
	t.Helper()
	for _, id := range connections(t, db) {
		_, _ = db.Admin().ExecContext(context.Background(), fmt.Sprintf("KILL CONNECTION %d", id)) // it may be gone
		for deadline := time.Now().Add(time.Minute); slices.Contains(connections(t, db), id); {
			if time.Now().After(deadline) {
				t.Fatalf("connection %d stays", id)
			}
		}
	}
}

// connections are the ids of the app's.
func connections(t *testing.T, db *mariadbtest.Server) (all []int64) {
	t.Helper()
	rows, err := db.Admin().QueryContext(t.Context(), "SELECT id FROM information_schema.processlist WHERE user = 'clerk'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		all = append(all, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A start on a server whose settings endanger what is promised says what to
// change, and goes on (FLT-16).
func TestServeWarnsOfALaxServer(t *testing.T) {
	t.Parallel()
	db := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2", Args: []string{
		"--log-bin", "--sync-binlog=0", "--skip-innodb-doublewrite",
	}})
	dsn := db.NewDatabase(t)
	fill(t, dsn)
	name := dsn[strings.LastIndex(dsn, "/")+1:]
	sqlExec(t, db, "ALTER TABLE "+name+".events ENGINE = Aria",
		"ALTER TABLE "+name+".mails MODIFY outcome VARCHAR(1000) CHARACTER SET latin1 NOT NULL DEFAULT ''")
	s := serveApp(t, siteConfig{dsn: dsn})
	s.until(t, 200, time.Minute)
	log := s.log.String()
	for _, want := range []string{
		"innodb_flush_log_at_trx_commit is 2: a crash loses requests that were answered; set it to 1",
		"sync_binlog is 0: a crash may part the binary log from the data; set it to 1",
		"innodb_doublewrite is OFF: a crash may tear pages, unless the file system prevents that; set it to ON",
		"table events has engine Aria: ALTER TABLE events ENGINE = InnoDB",
		"column mails.outcome has collation latin1_swedish_ci: ALTER TABLE mails CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no warning %q in\n%s", want, log)
		}
	}
	s.answers(t, 200)
	s.end(t)
}

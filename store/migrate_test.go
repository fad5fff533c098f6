package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

// Four programs that start at once on an empty database migrate it once (FLT-15).
func TestMigrateAtOnce(t *testing.T) {
	for name, c := range map[string]store.Config{
		"sqlite":  {Now: time.Now, Path: filepath.Join(t.TempDir(), "r.db")},
		"mariadb": {Now: time.Now, DSN: mariadbtest.Start(t).NewDatabase(t)},
	} {
		t.Run(name, func(t *testing.T) {
			var stores []*store.Store
			for range 4 {
				s := must(store.Open(t.Context(), c))(t)
				defer s.Close()
				stores = append(stores, s)
			}
			if err := stores[0].CheckSchema(t.Context()); !errors.Is(err, store.ErrOldSchema) {
				t.Errorf("empty database: %v", err)
			}
			start := make(chan struct{})
			var all sync.WaitGroup
			for _, s := range stores {
				all.Go(func() {
					<-start
					if err := s.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			close(start)
			all.Wait()
			if err := stores[1].CheckSchema(t.Context()); err != nil {
				t.Error(err)
			}
			if n := applied(t, c); n != 1 {
				t.Errorf("the first migration was applied %d times", n)
			}
		})
	}
}

// A program waits while another one holds the lock, whose place and name all
// versions of the program agree on, and does the work when it is free.
func TestMigrateWaitsForTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	onFile, onServer := store.Config{Now: time.Now, Path: path}, store.Config{Now: time.Now, DSN: mariadbtest.Start(t).NewDatabase(t)}
	for name, c := range map[string]struct{ migrated, locked store.Config }{
		"sqlite":  {onFile, store.Config{Path: path + "-migrating"}},
		"mariadb": {onServer, onServer},
	} {
		t.Run(name, func(t *testing.T) {
			s := must(store.Open(t.Context(), c.migrated))(t)
			defer s.Close()
			other := must(raw(t, c.locked).Conn(t.Context()))(t)
			lock := "BEGIN EXCLUSIVE"
			if c.locked.DSN != "" {
				lock = "SELECT GET_LOCK(CONCAT('reseed.', SHA1(DATABASE())), 10)"
			}
			must(other.ExecContext(t.Context(), lock))(t)
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := s.Migrate(short); err == nil {
				t.Error("migrated beside the lock's holder")
			}
			if err := s.CheckSchema(t.Context()); !errors.Is(err, store.ErrOldSchema) {
				t.Errorf("while the lock was held: %v", err)
			}
			_ = other.Raw(func(any) error { return driver.ErrBadConn }) // the lock ends with its connection
			if err := s.Migrate(t.Context()); err != nil {
				t.Errorf("when the lock was free: %v", err)
			}
		})
	}
}

// The lease that stands for the lock on a Galera cluster has one holder, and
// ends with its time or by its holder's hand.
func TestClusterLease(t *testing.T) {
	db := raw(t, store.Config{DSN: mariadbtest.Start(t).NewDatabase(t)})
	take := func(ctx context.Context, holder string) (func(context.Context) error, error) {
		conn := must(db.Conn(t.Context()))(t)
		t.Cleanup(func() { conn.Close() })
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		return store.Lease(ctx, conn, holder)
	}
	held := func() bool {
		short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		end, err := take(short, "passer-by")
		return err != nil || end(t.Context()) != nil
	}
	end := must(take(t.Context(), "first"))(t)
	if !held() {
		t.Error("two hold the lease")
	}
	if err := end(t.Context()); err != nil || held() {
		t.Errorf("given back: %v, and held by somebody", err)
	}
	dead := must(take(t.Context(), "dead"))(t)
	must(db.ExecContext(t.Context(), "UPDATE reseed_lease SET until = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND"))(t)
	must(take(t.Context(), "heir"))(t)
	if err := dead(t.Context()); err != nil || !held() {
		t.Errorf("who lost the lease ended it: %v", err)
	}
}

// raw opens the database without the store.
func raw(t *testing.T, c store.Config) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", "file:"+(&url.URL{Path: c.Path}).EscapedPath()
	if c.DSN != "" {
		driver, dsn = "mysql", c.DSN
	}
	db := must(sql.Open(driver, dsn))(t)
	t.Cleanup(func() { db.Close() })
	return db
}

func applied(t *testing.T, c store.Config) (n int) {
	t.Helper()
	if err := raw(t, c).QueryRow(`SELECT COUNT(*) FROM reseed_schema WHERE version_id = 1`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMigrateAgainChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		if err := e.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e.get(m.ID) != m || m.ID != 1 {
			t.Errorf("member %+v; the first has id 1", e.get(m.ID))
		}
	})
}

// A server of this version runs on the schema of the next one.
func TestNewerSchemaIsLeftAlone(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		if _, err := raw(t, e.config).Exec(`INSERT INTO reseed_schema (version_id, is_applied) VALUES (99999, 1)`); err != nil {
			t.Fatal(err)
		}
		have, want, err := e.SchemaVersion(t.Context())
		if have != 99999 || want < 1 || want == have || err != nil {
			t.Errorf("version %d of %d, error %v", have, want, err)
		}
		if err := errors.Join(e.CheckSchema(t.Context()), e.Migrate(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// MySQL commits each CREATE: a crash in the middle leaves some tables and no version.
func TestHalfMigrationIsFinished(t *testing.T) {
	c := store.Config{Now: time.Now, DSN: mariadbtest.Start(t).NewDatabase(t)}
	newEnv(t, c)
	for _, q := range []string{`DROP TABLE mails`, `DELETE FROM reseed_schema WHERE version_id >= 1`} {
		if _, err := raw(t, c).Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	e := newEnv(t, c)
	e.order(1)
	if f := must(e.FindMember(t.Context(), members.Lookup{ID: 1}))(t); !f.Member.Zero() {
		t.Error("there is a member already")
	}
}

// A crash between the table of versions and its first row.
func TestEmptyTableOfVersionsIsFilled(t *testing.T) {
	c := store.Config{Now: time.Now, DSN: mariadbtest.Start(t).NewDatabase(t)}
	newEnv(t, c)
	for _, q := range []string{`DROP TABLE mails`, `DELETE FROM reseed_schema`} {
		if _, err := raw(t, c).Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	newEnv(t, c).order(1)
}

// The store works for a user who may change rows and nothing else (LOG-9).
func TestLeastRights(t *testing.T) {
	server := mariadbtest.Start(t)
	c := store.Config{Now: time.Now, DSN: server.NewDatabase(t)}
	newEnv(t, c)
	cfg := must(mysql.ParseDSN(c.DSN))(t)
	for _, q := range []string{
		`CREATE USER 'least'@'localhost' IDENTIFIED BY 'p@ss/w:rd?#%'`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ` + cfg.DBName + `.* TO 'least'@'localhost'`,
	} {
		if _, err := server.Admin().Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	c.DSN = "mysql://least:p%40ss%2Fw%3Ard%3F%23%25@/" + cfg.DBName + "?socket=" + server.Socket()
	e := newEnv(t, c) // which migrates: nothing to do
	o := e.order(e.member("a", "").ID)
	if !e.complete(completion(o)) || len(e.claim(claim("w", noon))) != 1 {
		t.Error("not completed, or nothing claimed")
	}
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	c := store.Config{Now: time.Now, Path: filepath.Join(t.TempDir(), "r.db")}
	e := newEnv(t, c)
	e.member("a", "")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(c.Path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, error %v", "r.db"+suffix, info.Mode(), err)
		}
	}
}

func TestSQLiteDurability(t *testing.T) {
	c := store.Config{Now: time.Now, Path: filepath.Join(t.TempDir(), "r.db")}
	newEnv(t, c)
	var mode string
	if err := raw(t, c).QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal mode %q, error %v", mode, err)
	}
}

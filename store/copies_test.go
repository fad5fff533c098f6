package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
	"github.com/reseed-project/reseed/store/sqlitetest"
)

// sqliteCopies holds the migrated file that tests start from.
var sqliteCopies sqlitetest.Copies

// freshFile returns a migrated SQLite file with an awkward name.
func freshFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a ?#%.db")
	sqliteCopies.Write(t, path, "migrated", func(path string) error { return migrate(store.Config{Path: path}) })
	return path
}

// freshDSN returns a migrated database and a user of it who has no more rights
// than a server needs (LOG-9).
func freshDSN(t testing.TB) string {
	t.Helper()
	return mariadbtest.Start(t).NewCopy(t, "migrated", func(dsn string) error { return migrate(store.Config{DSN: dsn}) })
}

func migrate(c store.Config) error {
	c.Now = clock
	s, err := store.Open(context.Background(), c)
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(context.Background()), s.Close())
}

// Whatever passes on MariaDB passes without the right to anything but rows: its
// user is refused the rest (LOG-9).
func TestConformanceRunsWithLeastRights(t *testing.T) {
	c := store.Config{Now: clock, DSN: freshDSN(t)}
	for _, q := range []string{
		`CREATE TABLE more (id INT)`,
		`CREATE TEMPORARY TABLE more (id INT)`,
		`CREATE INDEX more ON members (surname)`,
		`ALTER TABLE members ADD COLUMN more INT`,
		`TRUNCATE TABLE events`,
		`DROP TABLE events`,
		`LOCK TABLES members WRITE`,
		`CREATE USER more`,
		`SET GLOBAL read_only = 0`,
	} {
		_, err := raw(t, c).ExecContext(t.Context(), q)
		var refused *mysql.MySQLError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v, want a refusal", q, err)
			continue
		}
		if n := refused.Number; n != 1044 && n != 1142 && n != 1227 { // no right to the database, the table, the server
			t.Errorf("%s: %v", q, err)
		}
	}
	empty := mariadbtest.Start(t).NewCopy(t, "empty", func(string) error { return nil })
	s := must(store.Open(t.Context(), store.Config{Now: clock, DSN: empty}))(t)
	defer s.Close()
	if err := s.Migrate(t.Context()); err == nil {
		t.Error("a user with rights to rows alone has migrated a database")
	}
}

// A copy that a test has used is like new for the next.
func TestCopiesAreFresh(t *testing.T) {
	both(t, func(*testing.T, *env) {}) // the template is there
	var used []string
	for range 3 {
		t.Run("use", func(t *testing.T) {
			e := newEnv(t, store.Config{DSN: freshDSN(t)})
			used = append(used, e.config.DSN)
			if m := e.member("a", "a@example.org"); m.ID != 1 {
				t.Errorf("the first member has id %d", m.ID)
			}
			e.order(1)
			if f := must(e.FindMember(t.Context(), members.Lookup{ID: 2}))(t); !f.Member.Zero() {
				t.Error("there is somebody else")
			}
			if queued := must(e.Mails(t.Context(), members.MailFilter{}))(t); len(queued) != 1 {
				t.Errorf("%d mails queued, want its own", len(queued))
			}
		})
	}
	if used[0] != used[2] {
		t.Errorf("copies %q: none was used again", used)
	}
}

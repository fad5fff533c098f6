package mariadbtest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
)

// clerk is the user of the copies. It may do with their rows what it likes,
// and nothing else.
const clerk = "clerk"

// copiesSession lets rows come in any order of their tables, and ids be 0.
const copiesSession = "?multiStatements=true&foreign_key_checks=0&sql_mode='NO_AUTO_VALUE_ON_ZERO'&innodb_lock_wait_timeout=3"

// copies are the templates of a server, by name, and what hands out their copies.
type copies struct {
	sync.Mutex
	admin     *sql.DB
	templates map[string]*template
	made      int
}

// template is a database that was prepared once, and those of its copies that
// no test has at present.
type template struct {
	name   string // of the database
	tables []table
	free   []string
}

type table struct{ name, create string }

// NewCopy returns the DSN of a database like the one that prepare made of an
// empty one, which it does for the first caller with that name. The DSN's user
// has the rights to SELECT, INSERT, UPDATE and DELETE there, no others. After
// the test the copy is used again: its rows and counters are put back then.
func (s *Server) NewCopy(t testing.TB, name string, prepare func(dsn string) error) string {
	t.Helper()
	c := &s.copies
	c.Lock()
	defer c.Unlock()
	from, err := s.template(t.Context(), name, prepare)
	if err != nil {
		t.Fatalf("prepare database %s: %v", name, err)
	}
	database, err := c.take(t.Context(), from)
	if err != nil {
		t.Fatalf("copy database %s: %v", name, err)
	}
	t.Cleanup(func() {
		c.Lock()
		defer c.Unlock()
		from.free = append(from.free, database)
	})
	return s.dsn(clerk, database)
}

// template returns the one of that name, prepared.
func (s *Server) template(ctx context.Context, name string, prepare func(dsn string) error) (*template, error) {
	c := &s.copies
	if found := c.templates[name]; found != nil {
		return found, nil
	}
	if c.admin == nil {
		if err := s.openCopies(ctx); err != nil {
			return nil, err
		}
	}
	x := &template{name: fmt.Sprintf("template%d", len(c.templates)+1)}
	for _, q := range []string{"DROP DATABASE IF EXISTS " + x.name, "CREATE DATABASE " + x.name} {
		if _, err := c.admin.ExecContext(ctx, q); err != nil {
			return nil, err
		}
	}
	if err := prepare(s.dsn(root, x.name)); err != nil {
		return nil, err
	}
	var err error
	if x.tables, err = c.tables(ctx, x.name); err != nil {
		return nil, err
	}
	c.templates[name] = x
	return x, nil
}

// openCopies makes the clerk, and the pool for the work on copies.
func (s *Server) openCopies(ctx context.Context) error {
	c := &s.copies
	db, err := sql.Open("mysql", s.dsn(root, "")+copiesSession)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "CREATE OR REPLACE USER "+clerk+"@localhost;"+
		"GRANT SELECT, INSERT, UPDATE, DELETE ON `copy%`.* TO "+clerk+"@localhost")
	if err != nil {
		db.Close()
		return err
	}
	c.admin, c.templates = db, map[string]*template{}
	return nil
}

func (c *copies) tables(ctx context.Context, database string) ([]table, error) {
	names, err := c.texts(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", database)
	if err != nil {
		return nil, err
	}
	var all []table
	for _, name := range names {
		x := table{name: name}
		err := c.admin.QueryRowContext(ctx, "SHOW CREATE TABLE "+database+"."+name).Scan(&name, &x.create)
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

func (c *copies) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := c.admin.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// take returns a copy that is like its template. One that can't be put back,
// since a failed test left locks in it, is not used again.
func (c *copies) take(ctx context.Context, from *template) (string, error) {
	if n := len(from.free); n > 0 {
		database := from.free[n-1]
		from.free = slices.Delete(from.free, n-1, n)
		if err := c.restore(ctx, from, database); err == nil {
			return database, nil
		}
	}
	c.made++
	database := fmt.Sprintf("copy%d", c.made)
	create := "CREATE DATABASE " + database + "; USE " + database
	for _, x := range from.tables {
		create += "; " + x.create
	}
	if _, err := c.admin.ExecContext(ctx, create); err != nil {
		return "", err
	}
	return database, c.restore(ctx, from, database)
}

// restore makes the copy's rows and counters those of the template.
func (c *copies) restore(ctx context.Context, from *template, database string) error {
	ctx, cancel := context.WithTimeout(ctx, dropTime)
	defer cancel()
	rows := "SELECT 1"
	for _, x := range from.tables {
		rows += fmt.Sprintf("; DELETE FROM %[1]s.%[3]s; INSERT INTO %[1]s.%[3]s SELECT * FROM %[2]s.%[3]s", database, from.name, x.name)
	}
	if err := c.inTx(ctx, rows); err != nil {
		return err
	}
	counters, err := c.texts(ctx, `
SELECT CONCAT('ALTER TABLE ', c.table_schema, '.', c.table_name, ' AUTO_INCREMENT = ', f.auto_increment)
FROM information_schema.tables AS c
JOIN information_schema.tables AS f ON f.table_schema = ? AND f.table_name = c.table_name
WHERE c.table_schema = ? AND c.auto_increment <> f.auto_increment`, from.name, database)
	if err != nil {
		return err
	}
	for _, q := range counters {
		if _, err := c.admin.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (c *copies) inTx(ctx context.Context, statements string) error {
	tx, err := c.admin.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, statements); err != nil {
		return err
	}
	return tx.Commit()
}

package faults

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// interruption is a place where a migration is ended: at a statement, before
// the database got it or after.
type interruption struct {
	at       string
	executed bool
}

var changing = regexp.MustCompile(`(?m)^(?:CREATE TABLE IF NOT EXISTS|INSERT INTO|UPDATE|EXECUTE) \w+|'CREATE INDEX \w+`)

// interruptions are all places in all migrations, and those where each is noted.
func interruptions(t *testing.T) []interruption {
	t.Helper()
	files, err := filepath.Glob("../../store/migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %q, %v", files, err)
	}
	var all []interruption
	for i, file := range files {
		parts, err := txtar.ParseFile(file)
		if err != nil || len(parts.Files) != 2 || parts.Files[1].Name != "mysql" {
			t.Fatalf("%s: %v, want parts for sqlite and mysql", file, err)
		}
		found := changing.FindAllString(string(parts.Files[1].Data), -1)
		if len(found) == 0 {
			t.Errorf("nothing found to interrupt in %s", file)
		}
		slices.Sort(found)
		for _, at := range append(slices.Compact(found), fmt.Sprintf("VALUES (%d, ", i+1)) {
			all = append(all, interruption{at, false}, interruption{at, true})
		}
	}
	return all
}

// TestMigrationKilled ends "reseed migrate" in the middle by kill -9. Two that
// start at once afterwards bring the schema to what it is without that
// (FLT-15).
func TestMigrationKilled(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2", Networking: true})
	p := newProxy(t, fmt.Sprintf("127.0.0.1:%d", server.Port()))
	fresh := func() *site { return onMariaDB(t, server) }
	whole := fresh()
	whole.migrate()
	want := whole.schema()

	all := interruptions(t)
	kills := min(knob(t, "MIGRATION_KILLS", 6, len(all)), len(all))
	for i := range kills {
		at := all[i*len(all)/kills]
		t.Run(fmt.Sprintf("%s executed %t", at.at, at.executed), func(t *testing.T) {
			s := fresh()
			s.t = t
			s.migrateUntil(p, server.Port(), at)
			if !at.executed && s.schema() == want {
				t.Fatal("nothing was interrupted")
			}
			s.migrate()
			if got := s.schema(); got != want {
				t.Errorf("the schema is\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// migrateUntil has a program migrate through the proxy up to a statement, and
// kills it there.
func (s *site) migrateUntil(p *proxy, port int, at interruption) {
	s.t.Helper()
	r := s.add()
	r.dsn = throughProxy(s.dsn, port, p)
	_, before := p.count()
	p.set(toxic{cut: at.at, forward: at.executed})
	defer p.set(toxic{})
	c := startChild(s.t, r.command("migrate"))
	eventually(s.t, 2*time.Minute, "the statement is met", func() bool {
		_, cuts := p.count()
		return cuts > before || c.gone()
	})
	c.kill()
	if _, cuts := p.count(); cuts == before {
		s.t.Fatal("the statement was never sent")
	}
}

// migrate runs two programs at once.
func (s *site) migrate() {
	s.t.Helper()
	r := s.add()
	var both sync.WaitGroup
	for range 2 {
		cmd := r.command("migrate")
		both.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				s.t.Errorf("migrate: %v\n%s", err, out)
			}
		})
	}
	both.Wait()
}

const (
	allColumns = `SELECT table_name, column_name, column_type, COALESCE(collation_name, ''), column_key, is_nullable
FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1, 2`
	allKeys = `SELECT table_name, index_name, seq_in_index, column_name, non_unique, ''
FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1, 2, 3`
	allVersions = `SELECT version_id, COUNT(*), '', '', '', '' FROM reseed_schema WHERE is_applied = 1 GROUP BY version_id ORDER BY 1`
	allNobodies = `SELECT id, status, '', '', '', '' FROM members ORDER BY 1`
)

// schema says all about the tables, and the rows that belong to them.
func (s *site) schema() string {
	s.t.Helper()
	var text bytes.Buffer
	for _, query := range []string{allColumns, allKeys, allVersions, allNobodies} {
		rows, err := s.db.Query(query)
		if err != nil {
			fmt.Fprintln(&text, "(no such table)")
			continue
		}
		s.lines(&text, rows)
	}
	return text.String()
}

func (s *site) lines(to *bytes.Buffer, rows *sql.Rows) {
	s.t.Helper()
	defer rows.Close()
	for rows.Next() {
		var cells [6]string
		if err := rows.Scan(&cells[0], &cells[1], &cells[2], &cells[3], &cells[4], &cells[5]); err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintln(to, strings.Join(cells[:], " "))
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
}

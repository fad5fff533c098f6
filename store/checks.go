package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how far the clocks of program and server may be apart unremarked.
const maxSkew = 5 * time.Second

// Check returns what about the database endangers what this program promises,
// in words that say what to change. The error is about the look itself.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	ctx = withoutBreaker(ctx)
	if s.mysql {
		return s.checkMySQL(ctx)
	}
	return s.checkSQLite(ctx)
}

const (
	// In the session's own words: what it gets, not what the server has by default.
	sessionFacts statement = `
SELECT VERSION(), @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.collation_connection, UTC_TIMESTAMP(6)`
	serverFacts statement = `
SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog',
	'binlog_format', 'innodb_doublewrite', 'read_only', 'wsrep_on')`
	sessionSettings statement = `SHOW SESSION VARIABLES WHERE Variable_name IN ('wsrep_sync_wait', 'completion_type')`
)

func (s *Store) checkMySQL(ctx context.Context) ([]string, error) {
	f, err := s.facts(ctx)
	if err != nil {
		return nil, s.fail("check database", err)
	}
	columns, err := s.checkColumns(ctx)
	if err != nil {
		return nil, s.fail("check database", err)
	}
	return append(f.warnings(), columns...), nil
}

// facts are what is known about a MySQL server and a session on it.
type facts struct {
	version, mode, zone, collation string
	skew                           time.Duration
	server                         map[string]string
}

func (s *Store) facts(ctx context.Context) (facts, error) {
	f := facts{server: map[string]string{}}
	var there time.Time
	before := s.clock.machine()
	err := s.row(ctx, sessionFacts, nil, &f.version, &f.mode, &f.zone, &f.collation, scanTime{&there})
	if err != nil {
		return f, err
	}
	after := s.clock.machine()
	f.skew = there.Sub(before.Add(after.Sub(before) / 2))
	for _, q := range []statement{serverFacts, sessionSettings} {
		if err := s.settings(ctx, q, f.server); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (s *Store) settings(ctx context.Context, q statement, to map[string]string) error {
	rows, err := s.query(ctx, q)
	if err != nil {
		return err
	}
	return each(rows, func(r *sql.Rows) error {
		var name, value string
		err := r.Scan(&name, &value)
		to[strings.ToLower(name)] = value
		return err
	})
}

func (f facts) warnings() []string {
	var w []string
	warn := func(is bool, format string, args ...any) {
		if is {
			w = append(w, fmt.Sprintf(format, args...))
		}
	}
	flush, binlog, completion := f.server["innodb_flush_log_at_trx_commit"], f.server["sync_binlog"], f.server["completion_type"]
	warn(tooOld(f.version), "server version %s: this needs MariaDB 10.6, MySQL 8.0.1 or newer (SKIP LOCKED)", f.version)
	warn(!strings.Contains(f.mode, "STRICT_ALL_TABLES"), "sql_mode is %q in spite of the session's setting: values may be cut silently; let the server or proxy keep STRICT_ALL_TABLES", f.mode)
	warn(f.zone != "+00:00" && f.zone != "UTC", "time_zone is %q in spite of the session's setting: set it to '+00:00'", f.zone)
	warn(!strings.HasPrefix(f.collation, "utf8mb4"), "the connection's collation is %q: want one of utf8mb4", f.collation)
	warn(flush != "" && flush != "1", "innodb_flush_log_at_trx_commit is %s: a crash loses requests that were answered; set it to 1", flush)
	warn(f.server["log_bin"] == "ON" && binlog != "1", "sync_binlog is %s: a crash may part the binary log from the data; set it to 1", binlog)
	warn(f.server["log_bin"] == "ON" && f.server["binlog_format"] == "STATEMENT", "binlog_format is STATEMENT: the server refuses every change at READ COMMITTED; set it to ROW or MIXED")
	warn(completion != "" && completion != "NO_CHAIN", "completion_type is %s: what was answered may be undone when a connection ends; set it to NO_CHAIN", completion)
	warn(f.server["innodb_doublewrite"] == "OFF", "innodb_doublewrite is OFF: a crash may tear pages, unless the file system prevents that; set it to ON")
	warn(on(f.server["read_only"]), "read_only is on: nothing can be requested or changed here; name the primary server")
	warn(on(f.server["wsrep_on"]) && f.server["wsrep_sync_wait"] == "0", "wsrep_sync_wait is 0 on a Galera cluster: a token may be unknown on a node for a moment after its mail; leave it out of the DSN or set it to 1")
	warn(f.skew.Abs() > maxSkew, "the server's clock is %v off this machine's: run NTP on both", f.skew.Round(time.Second))
	return w
}

func on(value string) bool { return value == "ON" || value == "1" }

var versionNumber = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)`)

// tooOld judges MariaDB and MySQL; of what calls itself otherwise nothing is known.
func tooOld(version string) bool {
	// What MariaDB puts before its version for the sake of old replicas.
	m := versionNumber.FindStringSubmatch(strings.TrimPrefix(version, "5.5.5-"))
	if m == nil {
		return false
	}
	var n int
	for _, part := range m[1:] {
		digit, err := strconv.Atoi(part)
		if err != nil {
			return false
		}
		n = n*1000 + digit
	}
	if strings.Contains(strings.ToLower(version), "mariadb") {
		return n < 10_006_000
	}
	return n < 8_000_001
}

const ourColumns statement = `
SELECT c.table_name, c.column_name, c.data_type, COALESCE(c.character_set_name, ''),
	COALESCE(c.collation_name, ''), COALESCE(t.engine, '')
FROM information_schema.columns AS c
JOIN information_schema.tables AS t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'
ORDER BY c.table_name, c.ordinal_position`

// checkColumns finds tables and columns that somebody has converted: other
// collations join letters that differ, other engines have no transactions.
func (s *Store) checkColumns(ctx context.Context) ([]string, error) {
	ours, err := tables()
	if err != nil {
		return nil, err
	}
	rows, err := s.query(ctx, ourColumns)
	if err != nil {
		return nil, err
	}
	var w []string
	engines := map[string]bool{}
	err = each(rows, func(r *sql.Rows) error {
		var table, column, kind, set, collation, engine string
		if err := r.Scan(&table, &column, &kind, &set, &collation, &engine); err != nil || !ours[table] {
			return err
		}
		if engine != "InnoDB" && !engines[table] {
			engines[table] = true
			w = append(w, fmt.Sprintf("table %s has engine %s: ALTER TABLE %s ENGINE = InnoDB", table, engine, table))
		}
		w = append(w, columnWarning(table, column, kind, set, collation)...)
		return nil
	})
	return w, err
}

func columnWarning(table, column, kind, set, collation string) []string {
	switch {
	case strings.HasSuffix(column, "_key") && kind != "varbinary":
		return []string{fmt.Sprintf("column %s.%s has type %s: identifiers would be compared by a collation; make it VARBINARY again", table, column, kind)}
	case set != "" && (set != "utf8mb4" || collation != "utf8mb4_bin"):
		return []string{fmt.Sprintf("column %s.%s has collation %s: ALTER TABLE %s CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", table, column, collation, table)}
	}
	return nil
}

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)

// tables returns the names of all tables that the migrations make.
func tables() (map[string]bool, error) {
	ours := map[string]bool{}
	files, err := migrationsOf("mysql")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		for _, m := range createTable.FindAllStringSubmatch(string(text), -1) {
			ours[m[1]] = true
		}
	}
	return ours, nil
}

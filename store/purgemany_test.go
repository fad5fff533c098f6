package store_test

import (
	"context"
	"database/sql"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store"
)

// oldRows are rows of one kind that are old, by the number i, and as many that
// are young. Of MySQL's statements the numbers come from a table seq.
type oldRows struct {
	purge         func(*store.Store, context.Context, time.Time, int) (int, error)
	sqlite, mysql string
}

const sqliteSeries = `WITH RECURSIVE seq (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM seq WHERE i < ?) `

// Ids are in the order of time where the program's are, the hashes of tokens in
// none: a batch touches pages all over an index. Even numbers are young.
var manyRows = map[string]oldRows{
	"mails": {(*store.Store).PurgeMails, `
INSERT INTO mails (id, template, member_id, addressed, token_hash, created_at, expires_at, options, state, due_at, settled_at)
SELECT CAST(printf('%016d', i) AS BLOB), 'reset-password-confirm', i % 1000, 1, randomblob(32), at, at, '{}', 'sent', at, at FROM (SELECT i, ? + i + (i % 2 = 0) * 86400000000 AS at FROM seq)`, `
INSERT INTO mails (id, template, member_id, addressed, token_hash, created_at, expires_at, options, state, due_at, settled_at)
SELECT LPAD(i, 16, '0'), 'reset-password-confirm', i % 1000, 1, UNHEX(SHA2(i, 256)), at, at, '{}', 'sent', at, at FROM (SELECT i, ? + INTERVAL i MICROSECOND + INTERVAL (i % 2 = 0) DAY AS at FROM seq) AS x`},
	"events": {(*store.Store).PurgeEvents, `
INSERT INTO events (id, at, kind, member_id)
SELECT unhex(printf('%012x%020x', at / 1000, i)), at, 'reset-requested', i % 1000 FROM (SELECT i, ? + i + (i % 2 = 0) * 86400000000 AS at FROM seq)`, `
INSERT INTO events (id, at, kind, member_id)
SELECT UNHEX(CONCAT(LPAD(HEX(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', at) DIV 1000), 12, '0'), LPAD(HEX(i), 20, '0'))), at, 'reset-requested', i % 1000
FROM (SELECT i, ? + INTERVAL i MICROSECOND + INTERVAL (i % 2 = 0) DAY AS at FROM seq) AS x`},
	"sessions": {(*store.Store).PurgeSessions, `
INSERT INTO sessions (id_hash, member_id, created_at, seen_at, expires_at)
SELECT randomblob(32), 1, at, at, at FROM (SELECT i, ? + i + (i % 2 = 0) * 86400000000 AS at FROM seq)`, `
INSERT INTO sessions (id_hash, member_id, created_at, seen_at, expires_at)
SELECT UNHEX(SHA2(i, 256)), 1, at, at, at FROM (SELECT i, ? + INTERVAL i MICROSECOND + INTERVAL (i % 2 = 0) DAY AS at FROM seq) AS x`},
	"access tokens": {(*store.Store).PurgeAccessTokens, `
INSERT INTO access_tokens (token_hash, client_id, member_id, created_at, expires_at)
SELECT randomblob(32), (SELECT id FROM oauth_clients), 1, at, at FROM (SELECT i, ? + i + (i % 2 = 0) * 86400000000 AS at FROM seq)`, `
INSERT INTO access_tokens (token_hash, client_id, member_id, created_at, expires_at)
SELECT UNHEX(SHA2(i, 256)), (SELECT id FROM oauth_clients), 1, at, at FROM (SELECT i, ? + INTERVAL i MICROSECOND + INTERVAL (i % 2 = 0) DAY AS at FROM seq) AS x`},
	"site days": {(*store.Store).PurgeSiteDays, `
INSERT INTO site_days (site_id, day, mails) SELECT 1 + i / 2 % 2, CASE i % 2 WHEN 0 THEN 1000000 + i ELSE ? / 86400000000 - i END, 1 FROM seq`, `
INSERT INTO site_days (site_id, day, mails) SELECT 1 + i DIV 2 % 2, CASE i % 2 WHEN 0 THEN 1000000 + i ELSE DATEDIFF(?, '1970-01-01') - CAST(i AS SIGNED) END, 1 FROM seq`},
}

// A purge of very many rows goes batch by batch, each no bigger than asked for
// and each by an index, so that it looks at no row that stays, and none is
// locked for long (LOG-6). RESEED_PURGE_ROWS says how many rows go.
func TestPurgeManyRows(t *testing.T) {
	rows, batch := 600, 50
	if n, err := strconv.Atoi(os.Getenv("RESEED_PURGE_ROWS")); err == nil {
		rows, batch = n, 100
	}
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "anna@example.org")
		c := members.Client{ID: "0123456789abcdef", Name: "x", Secret: password.HashToken("s"), Member: m}
		if err := e.AddClient(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		e.site(acmeUUID)
		e.site(globexUUID)
		for name, kind := range manyRows {
			t.Run(name, func(t *testing.T) { e.purgeMany(t, kind, rows, batch) })
		}
	})
}

// The sites and the client that rows belong to are there.
func (e *env) purgeMany(t *testing.T, kind oldRows, rows, batch int) {
	db, before := raw(t, e.config), noon.Add(time.Hour)
	db.SetMaxOpenConns(1)
	if e.config.DSN == "" { // what fills the table need not be lasting
		if _, err := db.ExecContext(t.Context(), "PRAGMA synchronous = 0; PRAGMA cache_size = -400000"); err != nil {
			t.Fatal(err)
		}
	}
	e.insertMany(t, db, kind, 2*rows)
	asked := e.asked(func() { _ = must(kind.purge(e.Store, t.Context(), before, 0))(t) })
	if plan := e.plan(t, db, asked[0], before); plan == "" || badPlan.MatchString(plan) {
		t.Errorf("%s\nis carried out by\n%s", asked[0], plan)
	}
	total, times := 0, []time.Duration(nil)
	for n := batch; n > 0; {
		begin := time.Now()
		n = must(kind.purge(e.Store, t.Context(), before, batch))(t)
		times = append(times, time.Since(begin))
		if total += n; n > batch {
			t.Fatalf("%d rows at once", n)
		}
	}
	if total != rows || len(times) != rows/batch+1 {
		t.Errorf("%d rows in %d batches, want %d", total, len(times), rows)
	}
	slices.Sort(times)
	t.Logf("%d rows in %d batches: half of them within %v, 99 in 100 within %v, the longest %v",
		total, len(times), times[len(times)/2], times[len(times)*99/100], times[len(times)-1])
}

func (e *env) insertMany(t *testing.T, db *sql.DB, kind oldRows, n int) {
	t.Helper()
	q, args := sqliteSeries+kind.sqlite, []any{n, noon.UnixMicro()}
	if e.config.DSN != "" {
		q, args = strings.Replace(kind.mysql, "FROM seq", "FROM (SELECT seq AS i FROM seq_1_to_"+strconv.Itoa(n)+") AS seq", 1), []any{noon}
	}
	if _, err := db.ExecContext(t.Context(), q, args...); err != nil {
		t.Fatal(err)
	}
}

// plan returns how the database means to carry out a purge.
func (e *env) plan(t *testing.T, db *sql.DB, q string, before time.Time) string {
	t.Helper()
	explain, at := "EXPLAIN QUERY PLAN ", strconv.FormatInt(before.UnixMicro(), 10)
	if e.config.DSN != "" {
		explain, at = "EXPLAIN ", before.Format("'2006-01-02 15:04:05'")
	}
	if strings.Contains(q, "site_days") {
		at = strconv.FormatInt(before.Unix()/(24*60*60), 10)
	}
	q = strings.ReplaceAll(strings.ReplaceAll(q, "LIMIT ?", "LIMIT 100"), "?", at)
	rows := must(db.QueryContext(t.Context(), explain+q))(t)
	defer rows.Close()
	columns := must(rows.Columns())(t)
	var plan strings.Builder
	for rows.Next() {
		values, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			plan.WriteString(" " + columns[i] + "=" + v.String)
		}
		plan.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// badPlan is what a plan says that goes through a whole table or sorts.
var badPlan = regexp.MustCompile(`type=(ALL|index) |filesort|SCAN|TEMP B-TREE`)

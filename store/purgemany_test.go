package store_test

import (
	"context"
	"database/sql"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"reseed/members"
	"reseed/password"
	"reseed/store"
)

// oldRows are rows of one kind that are old, by the number i, and as many that
// are young. Of MySQL's statements the numbers come from a table seq.
type oldRows struct {
	purge         func(*store.Store, context.Context, time.Time, int) (int, error)
	sqlite, mysql string
}

const sqliteSeries = `WITH RECURSIVE seq (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM seq WHERE i < ?) `

// Ids come in no order, as those of tokens do: a batch touches pages all over
// the table. Even numbers are young.
var manyRows = map[string]oldRows{
	"mails": {(*store.Store).PurgeMails, `
INSERT INTO mails (id, template, member_id, addressed, token_hash, created_at, expires_at, options, state, due_at, settled_at)
SELECT randomblob(16), 'reset-password-confirm', i % 1000, 1, randomblob(32), at, at, '{}', 'sent', at, at FROM (SELECT i, ? + i + (i % 2 = 0) * 86400000000 AS at FROM seq)`, `
INSERT INTO mails (id, template, member_id, addressed, token_hash, created_at, expires_at, options, state, due_at, settled_at)
SELECT UNHEX(MD5(i)), 'reset-password-confirm', i % 1000, 1, UNHEX(SHA2(i, 256)), at, at, '{}', 'sent', at, at FROM (SELECT i, ? + INTERVAL i MICROSECOND + INTERVAL (i % 2 = 0) DAY AS at FROM seq) AS x`},
	"events": {(*store.Store).PurgeEvents, `
INSERT INTO events (id, at, kind, member_id) SELECT randomblob(16), ? + i + (i % 2 = 0) * 86400000000, 'reset-requested', i % 1000 FROM seq`, `
INSERT INTO events (id, at, kind, member_id) SELECT UNHEX(MD5(i)), ? + INTERVAL i MICROSECOND + INTERVAL (i % 2 = 0) DAY, 'reset-requested', i % 1000 FROM seq`},
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
INSERT INTO site_days (site_id, day, mails) SELECT 1 + i DIV 2 % 2, CASE i % 2 WHEN 0 THEN 1000000 + i ELSE DATEDIFF(?, '1970-01-01') - i END, 1 FROM seq`},
}

// A purge of very many rows goes batch by batch, each no bigger than asked for
// and each by an index, so that it looks at no row that stays, and none is
// locked for long (LOG-6). RESEED_PURGE_ROWS says how many rows go.
func TestPurgeManyRows(t *testing.T) {
	rows, batch := 600, 50
	if n, err := strconv.Atoi(os.Getenv("RESEED_PURGE_ROWS")); err == nil {
		rows, batch = n, 500
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
	e.insertMany(t, db, kind, 2*rows)
	asked := e.asked(func() { _ = must(kind.purge(e.Store, t.Context(), time.Unix(0, 0), batch))(t) })
	if plan := e.plan(t, db, asked[0], before); plan == "" || badPlan.MatchString(plan) {
		t.Errorf("%s\nis carried out by\n%s", asked[0], plan)
	}
	total, rounds, longest := 0, 0, time.Duration(0)
	for n := batch; n > 0; rounds++ {
		begin := time.Now()
		n = must(kind.purge(e.Store, t.Context(), before, batch))(t)
		longest = max(longest, time.Since(begin))
		if total += n; n > batch {
			t.Fatalf("%d rows at once", n)
		}
	}
	t.Logf("%d rows in %d batches, the longest of %v", total, rounds, longest)
	if total != rows || rounds != rows/batch+1 {
		t.Errorf("%d rows in %d rounds, want %d", total, rounds, rows)
	}
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

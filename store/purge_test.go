package store_test

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"reseed/mail"
	"reseed/members"
	"reseed/password"
	"reseed/store"
)

// Of the mails, those go that are settled for long and whose token has ended; of
// these no more than asked for, and the oldest first (LOG-6).
func TestPurgeMails(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "anna@example.org")
		settle := func(o members.Order, state mail.State, at time.Time) {
			e.take("w", at)
			if err := e.Settle(t.Context(), mail.Settlement{ID: o.ID, Worker: "w", State: state, At: at, Due: at.Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		var old []mail.ID
		for i, state := range []mail.State{mail.Sent, mail.Dead, mail.Dropped} {
			o := e.order(m.ID)
			settle(o, state, noon.Add(time.Duration(i)*time.Second))
			old = append(old, o.ID)
		}
		young, pending := e.order(m.ID), e.order(m.ID, func(o *members.Order) { o.Created = noon.Add(time.Hour) })
		settle(young, mail.Sent, noon.Add(time.Minute))
		lasting := e.order(m.ID, func(o *members.Order) { o.Expires = noon.Add(24 * time.Hour) })
		settle(lasting, mail.Sent, noon)

		cut := noon.Add(time.Hour + time.Second) // after the end of all tokens but one
		if n := must(e.PurgeMails(t.Context(), noon.Add(10*time.Second), 10))(t); n != 0 {
			t.Fatalf("%d mails purged whose tokens are good", n)
		}
		if n := must(e.PurgeMails(t.Context(), cut, 2))(t); n != 2 {
			t.Fatalf("%d mails purged, want 2", n)
		}
		if _, ok, err := e.Mail(t.Context(), old[2]); !ok || err != nil {
			t.Errorf("the younger one went first: %v", err)
		}
		if n := must(e.PurgeMails(t.Context(), cut, 10))(t); n != 2 {
			t.Errorf("%d mails purged, want the third and the young one", n)
		}
		for _, id := range []mail.ID{pending.ID, lasting.ID} {
			e.state(id)
		}
	})
}

// take claims all that is due.
func (e *env) take(worker string, at time.Time) {
	e.t.Helper()
	if _, err := e.Claim(e.t.Context(), mail.Claim{Worker: worker, Now: at, Lease: time.Minute, Limit: 100}); err != nil {
		e.t.Fatal(err)
	}
}

func TestPurgeEvents(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		var all []members.Event
		for i := range 5 {
			all = append(all, event(t, noon.Add(time.Duration(i)*time.Second), nil))
		}
		if err := e.AddEvents(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		var counts []int
		for range 3 {
			counts = append(counts, must(e.PurgeEvents(t.Context(), all[3].At, 2))(t))
		}
		if !slices.Equal(counts, []int{2, 1, 0}) {
			t.Errorf("purged %v, want 2, 1 and 0", counts)
		}
		if left := must(e.Events(t.Context(), store.EventFilter{}))(t); len(left) != 2 || left[1].ID != all[3].ID {
			t.Errorf("%d events left", len(left))
		}
	})
}

// A purge of very many rows goes batch by batch, each no bigger than asked for
// and in a transaction of its own, so that no lock lasts longer than one (LOG-6).
// RESEED_PURGE_ROWS says how many rows there are; the log says how long the
// longest batch took, which is of interest on a quiet machine alone.
func TestPurgeManyRows(t *testing.T) {
	rows, batch := 2_000, 100
	if n, err := strconv.Atoi(os.Getenv("RESEED_PURGE_ROWS")); err == nil {
		rows, batch = n, 500
	}
	both(t, func(t *testing.T, e *env) {
		db := e.raw()
		for _, q := range manyRows(e.config.DSN != "") {
			if _, err := db.ExecContext(t.Context(), q, rows); err != nil {
				t.Fatal(err)
			}
		}
		for what, purge := range map[string]func(context.Context, time.Time, int) (int, error){"events": e.PurgeEvents, "mails": e.PurgeMails} {
			total, rounds, longest := 0, 0, time.Duration(0)
			for {
				began := time.Now()
				var n int
				asked := e.asked(func() { n = must(purge(t.Context(), noon.Add(1000*time.Hour), batch))(t) })
				longest = max(longest, time.Since(began))
				total, rounds = total+n, rounds+1
				if n > batch || len(asked) != 1 {
					t.Fatalf("%s: %d rows at once, by %d statements", what, n, len(asked))
				}
				if n == 0 {
					break
				}
			}
			if total != rows || rounds != (rows+batch-1)/batch+1 {
				t.Errorf("%s: %d rows in %d rounds", what, total, rounds)
			}
			t.Logf("%s: %d rows in batches of %d, the longest in %v", what, total, batch, longest)
		}
	})
}

// raw opens the database beside the store.
func (e *env) raw() *sql.DB {
	e.t.Helper()
	driver, dsn := "sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(e.config.Path)}).String()
	if e.config.DSN != "" {
		driver, dsn = "mysql", e.config.DSN
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { db.Close() })
	return db
}

// manyRows are statements that make so many old events, and orders that were sent.
func manyRows(mysql bool) []string {
	const events = "INSERT INTO events (id, at, kind) "
	const mails = "INSERT INTO mails (id, template, member_id, addressed, created_at, options, state, due_at, settled_at) "
	if mysql {
		const numbers = " FROM seq_1_to_1000000 AS n WHERE n.seq <= ?"
		return []string{
			events + "SELECT UNHEX(MD5(n.seq)), '2026-03-01 12:00:00', 'reset-requested'" + numbers,
			mails + "SELECT UNHEX(MD5(n.seq)), 'change-password', n.seq % 1000, 1, '2026-03-01 12:00:00', '{}', 'sent', '2026-03-01 12:00:00', '2026-03-01 12:00:00'" + numbers,
		}
	}
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
	return []string{
		numbers + events + "SELECT randomblob(16), 1772366400000000 + i, 'reset-requested' FROM n",
		numbers + mails + "SELECT randomblob(16), 'change-password', i % 1000, 1, 1772366400000000, '{}', 'sent', 1772366400000000, 1772366400000000 + i FROM n",
	}
}

// Sessions and access tokens go when they ended before the time, not sooner.
func TestPurgeAccess(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "anna@example.org")
		c := members.Client{ID: "0123456789abcdef", Name: "x", Secret: password.HashToken("s"), Member: m}
		if err := e.AddClient(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			ends := noon.Add(time.Duration(i) * time.Hour)
			id := password.HashToken(strconv.Itoa(i))
			ok, err := e.SignedIn(t.Context(), members.GoodSignIn{MemberID: m.ID, Password: "$old", At: noon.Add(-time.Hour),
				Session: members.Session{ID: id, Created: noon, Seen: noon, Expires: ends}})
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			if err := e.AddAccessToken(t.Context(), members.AccessToken{Token: id, Client: c.ID, Member: m, Created: noon, Expires: ends}); err != nil {
				t.Fatal(err)
			}
		}
		cut := noon.Add(time.Hour + time.Second)
		for name, purge := range map[string]func(context.Context, time.Time, int) (int, error){
			"sessions": e.PurgeSessions, "access tokens": e.PurgeAccessTokens,
		} {
			first, second, third := must(purge(t.Context(), cut, 1))(t), must(purge(t.Context(), cut, 5))(t), must(purge(t.Context(), cut, 5))(t)
			if first != 1 || second != 1 || third != 0 {
				t.Errorf("%s: %d, %d, %d purged, want 1, 1 and 0", name, first, second, third)
			}
		}
	})
}

package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/reseed-project/reseed/mail"
)

// Rows that another worker is about to change are passed over: MySQL locks
// rows, SQLite lets one transaction write at a time.
const (
	lapsedSQLite statement = `
SELECT o.id FROM mails AS o
WHERE o.state = 'sending' AND (o.lease_until <= ? OR o.lease_until > ?) ORDER BY o.due_at, o.id LIMIT ?`
	lapsedMySQL = lapsedSQLite + ` FOR UPDATE SKIP LOCKED`

	misdatedSQLite statement = `
SELECT o.id FROM mails AS o WHERE o.state = 'pending' AND o.due_at > ? ORDER BY o.due_at, o.id LIMIT ?`
	misdatedMySQL = misdatedSQLite + ` FOR UPDATE SKIP LOCKED`

	newSQLite statement = `
SELECT o.id, o.addressed, o.due_at FROM mails AS o WHERE o.state = 'new' ORDER BY o.due_at, o.id LIMIT ?`
	newMySQL = newSQLite + ` FOR UPDATE SKIP LOCKED`

	dueSQLite statement = `
SELECT o.id, o.attempts, o.addressed = 0, o.created_at, o.expires_at FROM mails AS o
WHERE o.state = 'pending' AND o.due_at <= ? ORDER BY o.due_at, o.id LIMIT ?`
	dueMySQL = dueSQLite + ` FOR UPDATE SKIP LOCKED`

	onlySQLite statement = `
SELECT o.id, o.attempts, o.addressed = 0, o.created_at, o.expires_at FROM mails AS o
WHERE o.id = ? AND (o.state = 'new' OR o.state = 'pending' AND o.due_at <= ?)`
	onlyMySQL = onlySQLite + ` FOR UPDATE SKIP LOCKED`
)

// What is done to many orders at once is one statement for one of them, for up
// to 16 and for up to 128, since the number of values is part of the text. The
// last id stands in for those that are missing.
const (
	oneID   = `(?)`
	someIDs = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	moreIDs = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`
	manyIDs = `(` + moreIDs + `, ` + moreIDs + `, ` + moreIDs + `, ` + moreIDs + `)`

	oneIDs, fewIDs, mostIDs = 1, 16, 128
)

// The statements of a round, all guarded by the state, and by the claim where
// there is one: a worker that lost it changes nothing. The plus keeps SQLite from
// the index by state, where it would look at every order in that state instead of
// at those of the ids.
const (
	settleMails = `
UPDATE mails SET state = ?, attempts = attempts + ?, due_at = COALESCE(?, due_at),
	sent_at = ?, settled_at = ?, outcome = ?, claimed_by = '', lease_until = NULL
WHERE claimed_by = ? AND +state = 'sending' AND id IN `
	renewMails = `
UPDATE mails SET lease_until = ? WHERE claimed_by = ? AND +state = 'sending' AND id IN `
	rescueMails = `
UPDATE mails SET attempts = attempts + 1, due_at = CASE WHEN due_at > ? THEN ? ELSE due_at END,
	claimed_by = '', lease_until = NULL, state = 'pending'
WHERE +state = 'sending' AND id IN `
	redateMails = `
UPDATE mails SET due_at = ? WHERE +state = 'pending' AND id IN `
	sortMails = `
UPDATE mails SET outcome = CASE WHEN addressed = 1 OR due_at <= ? THEN '' ELSE 'no such member' END,
	state = CASE WHEN addressed = 1 OR due_at <= ? THEN 'pending' ELSE 'dropped' END
WHERE +state = 'new' AND id IN `
	claimMails = `
UPDATE mails SET state = 'sending', claimed_by = ?, lease_until = ?
WHERE +state IN ('new', 'pending') AND id IN `

	settleOne  statement = settleMails + oneID
	settleSome statement = settleMails + someIDs
	settleMany statement = settleMails + manyIDs
	renewOne   statement = renewMails + oneID
	renewSome  statement = renewMails + someIDs
	renewMany  statement = renewMails + manyIDs
	rescueOne  statement = rescueMails + oneID
	rescueSome statement = rescueMails + someIDs
	rescueMany statement = rescueMails + manyIDs
	redateOne  statement = redateMails + oneID
	redateSome statement = redateMails + someIDs
	redateMany statement = redateMails + manyIDs
	sortOne    statement = sortMails + oneID
	sortSome   statement = sortMails + someIDs
	sortMany   statement = sortMails + manyIDs
	claimOne   statement = claimMails + oneID
	claimSome  statement = claimMails + someIDs
	claimMany  statement = claimMails + manyIDs
)

// bySize picks a statement by how many ids are left.
type bySize struct{ one, some, many statement }

func (b bySize) pick(ids int) (statement, int) {
	switch {
	case ids <= oneIDs:
		return b.one, oneIDs
	case ids <= fewIDs:
		return b.some, fewIDs
	}
	return b.many, mostIDs
}

// forAll runs a statement for all ids, which follow the other values.
func (t tx) forAll(ctx context.Context, b bySize, ids []mail.ID, values ...any) error {
	for len(ids) > 0 {
		q, size := b.pick(len(ids))
		n := min(size, len(ids))
		if _, err := t.exec(ctx, q, append(slices.Clone(values), padded(ids[:n], size)...)...); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// padded returns size values: the ids, the last one repeated.
func padded(ids []mail.ID, size int) []any {
	values := make([]any, size)
	for i := range values {
		values[i] = ids[min(i, len(ids)-1)][:]
	}
	return values
}

// rescued is how many orders a round rescues at most; the next takes more.
const rescued = 512

// Round settles, renews, rescues, sorts and claims in one transaction. Claimed
// orders come oldest first.
func (s *Store) Round(ctx context.Context, r mail.Round) (mail.RoundResult, error) {
	var result mail.RoundResult
	err := s.inTx(ctx, func(t tx) (err error) {
		result = mail.RoundResult{}
		if err := t.settle(ctx, r); err != nil {
			return err
		}
		if err := t.rescue(ctx, r); err != nil {
			return err
		}
		if err := t.sort(ctx, r, &result); err != nil {
			return err
		}
		result.Claimed, err = t.claim(ctx, r)
		return err
	})
	if err != nil {
		return mail.RoundResult{}, s.fail("mail round", err)
	}
	return result, nil
}

// outcome is what a settlement writes.
type outcome struct {
	state     mail.State
	due       time.Time // zero unless it is tried again
	reason    string
	attempted bool
}

func outcomeOf(s mail.Settlement) outcome {
	o := outcome{state: s.State, reason: clip(s.Reason), attempted: s.Attempted}
	if s.State == mail.Pending {
		o.due = s.Due
	}
	return o
}

// settle ends claims; those with one outcome together.
func (t tx) settle(ctx context.Context, r mail.Round) error {
	alike := map[outcome][]mail.ID{}
	for _, s := range r.Settle {
		o := outcomeOf(s)
		alike[o] = append(alike[o], s.ID)
	}
	for o, ids := range alike {
		var sent, settled any
		attempts := 0
		if o.attempted {
			attempts = 1
		}
		if o.state != mail.Pending {
			settled = t.at(r.Now)
		}
		if o.state == mail.Sent {
			sent = settled
		}
		err := t.forAll(ctx, bySize{settleOne, settleSome, settleMany}, ids,
			string(o.state), attempts, t.at(o.due), sent, settled, o.reason, r.Worker)
		if err != nil {
			return err
		}
	}
	return nil
}

// rescue renews the worker's claims before it looks for those that ended.
func (t tx) rescue(ctx context.Context, r mail.Round) error {
	err := t.forAll(ctx, bySize{renewOne, renewSome, renewMany}, r.Renew, t.at(r.Now.Add(r.Lease)), r.Worker)
	if err != nil || !r.Rescue {
		return err
	}
	now := t.at(r.Now)
	lapsed, err := t.mailIDs(ctx, t.choose(lapsedMySQL, lapsedSQLite), now, t.at(r.Now.Add(2*r.Lease)), rescued)
	if err != nil {
		return err
	}
	if err := t.forAll(ctx, bySize{rescueOne, rescueSome, rescueMany}, lapsed, now, now); err != nil {
		return err
	}
	misdated, err := t.mailIDs(ctx, t.choose(misdatedMySQL, misdatedSQLite), t.at(r.Latest), rescued)
	if err != nil {
		return err
	}
	return t.forAll(ctx, bySize{redateOne, redateSome, redateMany}, misdated, now)
}

func (t tx) sort(ctx context.Context, r mail.Round, result *mail.RoundResult) error {
	if r.Sort == 0 {
		return nil
	}
	rows, err := t.query(ctx, t.choose(newMySQL, newSQLite), r.Sort)
	if err != nil {
		return err
	}
	var ids []mail.ID
	var last, lastDecoy time.Time
	decoys := 0
	err = each(rows, func(row *sql.Rows) error {
		var id mail.ID
		var addressed bool
		if err := row.Scan(scanID{&id}, &addressed, scanTime{&last}); err != nil {
			return err
		}
		ids = append(ids, id)
		switch {
		case addressed:
		case decoys < r.Decoys || last.Equal(lastDecoy):
			decoys++
			lastDecoy = last
		default:
			result.Dropped++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(ids) == r.Sort {
		result.Behind = last
	}
	if err := t.tellRequested(ctx, ids, r.Now); err != nil {
		return err
	}
	until := t.at(lastDecoy)
	return t.forAll(ctx, bySize{sortOne, sortSome, sortMany}, ids, until, until)
}

func (t tx) claim(ctx context.Context, r mail.Round) (claimed []mail.Order, err error) {
	switch now := t.at(r.Now); {
	case r.Only != nil:
		if err := t.tellRequested(ctx, []mail.ID{*r.Only}, r.Now); err != nil {
			return nil, err
		}
		claimed, err = t.orders(ctx, t.choose(onlyMySQL, onlySQLite), r.Only[:], now)
	case r.Claim > 0:
		claimed, err = t.orders(ctx, t.choose(dueMySQL, dueSQLite), now, r.Claim)
	}
	if err != nil {
		return nil, err
	}
	ids := make([]mail.ID, len(claimed))
	for i, o := range claimed {
		ids[i] = o.ID
	}
	return claimed, t.forAll(ctx, bySize{claimOne, claimSome, claimMany}, ids, r.Worker, t.at(r.Now.Add(r.Lease)))
}

// choose returns the statement of the database in use.
func (s *Store) choose(mysql, sqlite statement) statement {
	if s.mysql {
		return mysql
	}
	return sqlite
}

func (t tx) mailIDs(ctx context.Context, q statement, args ...any) ([]mail.ID, error) {
	rows, err := t.query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	var ids []mail.ID
	err = each(rows, func(r *sql.Rows) error {
		var id mail.ID
		err := r.Scan(scanID{&id})
		ids = append(ids, id)
		return err
	})
	return ids, err
}

func (t tx) orders(ctx context.Context, q statement, args ...any) ([]mail.Order, error) {
	rows, err := t.query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	var list []mail.Order
	err = each(rows, func(r *sql.Rows) error {
		var o mail.Order
		if err := r.Scan(scanID{&o.ID}, &o.Attempts, &o.Decoy, scanTime{&o.Created}, scanTime{&o.Expires}); err != nil {
			return err
		}
		list = append(list, o)
		return nil
	})
	return list, err
}

// outcomeRunes is how much of a reason is kept, in characters.
const outcomeRunes = 1000

// clip makes a reason fit its column; an SMTP server's words may be anything.
func clip(reason string) string {
	reason = strings.ReplaceAll(strings.ToValidUTF8(reason, "\uFFFD"), "\x00", "\uFFFD")
	if r := []rune(reason); len(r) > outcomeRunes {
		return string(r[:outcomeRunes])
	}
	return reason
}

package store

import (
	"bytes"
	"cmp"
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
SELECT o.id FROM mails AS o WHERE o.state = ? AND o.due_at > ? ORDER BY o.due_at, o.id LIMIT ?`
	misdatedMySQL = misdatedSQLite + ` FOR UPDATE SKIP LOCKED`

	newSQLite statement = `
SELECT o.id FROM mails AS o WHERE o.state = 'new' ORDER BY o.due_at, o.id LIMIT ?`
	newMySQL = newSQLite + ` FOR UPDATE SKIP LOCKED`

	waiting = `
SELECT o.id, o.attempts, o.addressed = 0, o.created_at, o.expires_at, o.due_at FROM mails AS o
WHERE `

	dueSQLite statement = waiting + `o.state = ? AND o.due_at <= ? ORDER BY o.due_at, o.id LIMIT ?`
	dueMySQL            = dueSQLite + ` FOR UPDATE SKIP LOCKED`

	decoysSQLite statement = waiting + `o.state = 'dropped' AND o.due_at > ? AND ` + unused + ` ORDER BY o.due_at, o.id LIMIT ?`
	decoysMySQL            = decoysSQLite + ` FOR UPDATE SKIP LOCKED`

	onlySQLite statement = waiting + `o.id = ?
	AND (o.state = 'new' OR o.state = 'pending' AND o.due_at <= ? OR o.state = 'dropped' AND ` + unused + `)`
	onlyMySQL = onlySQLite + ` FOR UPDATE SKIP LOCKED`

	// unused is an order for an unknown member that was no decoy yet.
	unused = `o.addressed = 0 AND o.attempts = 0`
)

// decoyAge is how old orders are at most that are worked on as decoys: a worker
// that keeps up looks several times meanwhile.
const decoyAge = time.Second

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
UPDATE mails SET due_at = ? WHERE +state IN ('new', 'pending') AND id IN `
	announceMails = `
UPDATE mails SET state = 'pending' WHERE +state = 'new' AND id IN `
	claimMails = `
UPDATE mails SET state = 'sending', claimed_by = ?, lease_until = ?
WHERE +state IN ('new', 'pending', 'dropped') AND id IN `

	settleOne    statement = settleMails + oneID
	settleSome   statement = settleMails + someIDs
	settleMany   statement = settleMails + manyIDs
	renewOne     statement = renewMails + oneID
	renewSome    statement = renewMails + someIDs
	renewMany    statement = renewMails + manyIDs
	rescueOne    statement = rescueMails + oneID
	rescueSome   statement = rescueMails + someIDs
	rescueMany   statement = rescueMails + manyIDs
	redateOne    statement = redateMails + oneID
	redateSome   statement = redateMails + someIDs
	redateMany   statement = redateMails + manyIDs
	announceOne  statement = announceMails + oneID
	announceSome statement = announceMails + someIDs
	announceMany statement = announceMails + manyIDs
	claimOne     statement = claimMails + oneID
	claimSome    statement = claimMails + someIDs
	claimMany    statement = claimMails + manyIDs
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

// Round settles, renews, rescues, announces and claims in one transaction.
// Claimed orders come oldest first, and decoys last.
func (s *Store) Round(ctx context.Context, r mail.Round) (claimed []mail.Order, err error) {
	err = s.inTx(ctx, func(t tx) (err error) {
		if err := t.settle(ctx, r); err != nil {
			return err
		}
		if err := t.rescue(ctx, r); err != nil {
			return err
		}
		if err := t.announce(ctx, r); err != nil {
			return err
		}
		claimed, err = t.claim(ctx, r)
		return err
	})
	if err != nil {
		return nil, s.fail("mail round", err)
	}
	return claimed, nil
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
	for _, state := range []mail.State{mail.New, mail.Pending} {
		misdated, err := t.mailIDs(ctx, t.choose(misdatedMySQL, misdatedSQLite), string(state), t.at(r.Latest), rescued)
		if err != nil {
			return err
		}
		if err := t.forAll(ctx, bySize{redateOne, redateSome, redateMany}, misdated, now); err != nil {
			return err
		}
	}
	return nil
}

// announce has webhooks told of new orders, also while no mail can be sent.
func (t tx) announce(ctx context.Context, r mail.Round) error {
	if r.Announce == 0 || t.hookless.Load() {
		return nil
	}
	ids, err := t.mailIDs(ctx, t.choose(newMySQL, newSQLite), r.Announce)
	if err != nil {
		return err
	}
	if err := t.tellRequested(ctx, ids, r.Now); err != nil {
		return err
	}
	return t.forAll(ctx, bySize{announceOne, announceSome, announceMany}, ids)
}

func (t tx) claim(ctx context.Context, r mail.Round) ([]mail.Order, error) {
	found, err := t.claimable(ctx, r)
	if err != nil {
		return nil, err
	}
	claimed, ids := make([]mail.Order, len(found)), make([]mail.ID, len(found))
	for i, o := range found {
		claimed[i], ids[i] = o.Order, o.ID
	}
	if err := t.tellRequested(ctx, ids, r.Now); err != nil {
		return nil, err
	}
	return claimed, t.forAll(ctx, bySize{claimOne, claimSome, claimMany}, ids, r.Worker, t.at(r.Now.Add(r.Lease)))
}

// waitingOrder is an order and when it was due.
type waitingOrder struct {
	mail.Order
	due time.Time
}

// claimable locks what a round may claim.
func (t tx) claimable(ctx context.Context, r mail.Round) ([]waitingOrder, error) {
	now := t.at(r.Now)
	if r.Only != nil {
		return t.waiting(ctx, t.choose(onlyMySQL, onlySQLite), r.Only[:], now)
	}
	if r.Claim == 0 {
		return nil, nil
	}
	due, err := t.waiting(ctx, t.choose(dueMySQL, dueSQLite), string(mail.Pending), now, r.Claim)
	if err != nil {
		return nil, err
	}
	until := now
	if len(due) == r.Claim { // what is younger than all of them waits
		until = t.at(due[len(due)-1].due)
	}
	fresh, err := t.waiting(ctx, t.choose(dueMySQL, dueSQLite), string(mail.New), until, r.Claim)
	if err != nil {
		return nil, err
	}
	found := oldest(append(due, fresh...), r.Claim)
	decoys := min(r.Decoys, r.Claim-len(found))
	if decoys <= 0 {
		return found, nil
	}
	more, err := t.waiting(ctx, t.choose(decoysMySQL, decoysSQLite), t.at(r.Now.Add(-decoyAge)), decoys)
	return append(found, more...), err
}

// oldest returns the first n orders by when they were due.
func oldest(orders []waitingOrder, n int) []waitingOrder {
	slices.SortFunc(orders, func(a, b waitingOrder) int {
		return cmp.Or(a.due.Compare(b.due), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return orders[:min(n, len(orders))]
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

func (t tx) waiting(ctx context.Context, q statement, args ...any) ([]waitingOrder, error) {
	rows, err := t.query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	var list []waitingOrder
	err = each(rows, func(r *sql.Rows) error {
		var o waitingOrder
		if err := r.Scan(scanID{&o.ID}, &o.Attempts, &o.Decoy, scanTime{&o.Created}, scanTime{&o.Expires}, scanTime{&o.due}); err != nil {
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

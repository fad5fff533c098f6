package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"reseed/mail"
)

// jobColumns are a claimed order's columns. An order that was being sent when
// its lease ended has had an attempt that nobody counted: its worker died.
const jobColumns = `o.id, o.attempts + CASE WHEN o.state = 'sending' THEN 1 ELSE 0 END, o.created_at, o.expires_at`

const (
	// A lease that ends later than any does was given out while a clock was ahead.
	// Where its worker died, nobody is to wait for that time.
	lapsedSQLite statement = `
SELECT ` + jobColumns + ` FROM mails AS o
WHERE o.state = 'sending' AND (o.lease_until <= ? OR o.lease_until > ?) ORDER BY o.due_at, o.id LIMIT ?`
	dueSQLite statement = `
SELECT ` + jobColumns + ` FROM mails AS o
WHERE o.state = 'pending' AND o.due_at <= ? ORDER BY o.due_at, o.id LIMIT ?`
	// Where the clock was ahead when it was put off, an order is not to wait for
	// that time.
	strayedSQLite statement = `
SELECT ` + jobColumns + ` FROM mails AS o
WHERE o.state = 'pending' AND o.due_at > ? ORDER BY o.due_at, o.id LIMIT ?`
	onlySQLite statement = `
SELECT ` + jobColumns + ` FROM mails AS o
WHERE o.id = ? AND ((o.state = 'pending' AND o.due_at <= ?) OR (o.state = 'sending' AND o.lease_until <= ?))`

	// MySQL locks rows; those that another worker is about to claim are passed over.
	lapsedMySQL  = lapsedSQLite + ` FOR UPDATE SKIP LOCKED`
	dueMySQL     = dueSQLite + ` FOR UPDATE SKIP LOCKED`
	strayedMySQL = strayedSQLite + ` FOR UPDATE SKIP LOCKED`
	onlyMySQL    = onlySQLite + ` FOR UPDATE SKIP LOCKED`
)

const claimMail statement = `
UPDATE mails SET state = 'sending', attempts = ?, claimed_by = ?, lease_until = ? WHERE id = ?`

// Claim marks due orders as being sent by the worker until the lease ends and
// returns them, oldest first. Orders whose lease ended are due again; the
// attempt of the worker that lost them counts. So are those due, and those whose
// lease ends, after c.Latest.
func (s *Store) Claim(ctx context.Context, c mail.Claim) ([]mail.Job, error) {
	var jobs []mail.Job
	err := s.inTx(ctx, func(t tx) (err error) {
		if jobs, err = t.claimable(ctx, c); err != nil {
			return err
		}
		until := t.at(c.Now.Add(c.Lease))
		for _, j := range jobs {
			if _, err := t.exec(ctx, claimMail, j.Attempts, c.Worker, until, j.ID[:]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.fail("claim mail", err)
	}
	return jobs, nil
}

func (t tx) claimable(ctx context.Context, c mail.Claim) ([]mail.Job, error) {
	now := t.at(c.Now)
	if c.Only != nil {
		return t.jobs(ctx, t.choose(onlyMySQL, onlySQLite), c.Only[:], now, now)
	}
	jobs, err := t.jobs(ctx, t.choose(lapsedMySQL, lapsedSQLite), now, t.at(cmp.Or(c.Latest, c.Now.AddDate(1000, 0, 0))), c.Limit)
	if err != nil || len(jobs) >= c.Limit {
		return jobs, err
	}
	due, err := t.jobs(ctx, t.choose(dueMySQL, dueSQLite), now, c.Limit-len(jobs))
	if err != nil {
		return nil, err
	}
	jobs = append(jobs, due...)
	strayed, err := t.strayed(ctx, c, c.Limit-len(jobs))
	return oldestFirst(append(jobs, strayed...)), err
}

// strayed returns orders that are due after any time they could be put off to,
// where there is still room.
func (t tx) strayed(ctx context.Context, c mail.Claim, limit int) ([]mail.Job, error) {
	if c.Latest.IsZero() || limit == 0 {
		return nil, nil
	}
	return t.jobs(ctx, t.choose(strayedMySQL, strayedSQLite), t.at(c.Latest), limit)
}

func oldestFirst(jobs []mail.Job) []mail.Job {
	slices.SortStableFunc(jobs, func(a, b mail.Job) int {
		return cmp.Or(a.Created.Compare(b.Created), slices.Compare(a.ID[:], b.ID[:]))
	})
	return jobs
}

// choose returns the statement of the database in use.
func (s *Store) choose(mysql, sqlite statement) statement {
	if s.mysql {
		return mysql
	}
	return sqlite
}

func (t tx) jobs(ctx context.Context, q statement, args ...any) ([]mail.Job, error) {
	rows, err := t.query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	var jobs []mail.Job
	err = each(rows, func(r *sql.Rows) error {
		var j mail.Job
		if err := r.Scan(scanID{&j.ID}, &j.Attempts, scanTime{&j.Created}, scanTime{&j.Expires}); err != nil {
			return err
		}
		jobs = append(jobs, j)
		return nil
	})
	return jobs, err
}

const heldMails statement = `SELECT o.id FROM mails AS o WHERE o.state = 'sending' AND o.claimed_by = ? ORDER BY o.id`

// Held returns the orders that are being sent by the worker.
func (s *Store) Held(ctx context.Context, worker string) ([]mail.ID, error) {
	rows, err := s.query(ctx, heldMails, worker)
	if err != nil {
		return nil, s.fail("held mail", err)
	}
	var held []mail.ID
	err = each(rows, func(r *sql.Rows) error {
		var id mail.ID
		err := r.Scan(scanID{&id})
		held = append(held, id)
		return err
	})
	return held, s.fail("held mail", err)
}

// settleMail is guarded by the claim: who lost the lease to another worker
// changes nothing.
const settleMail statement = `
UPDATE mails SET state = ?, attempts = attempts + ?, due_at = COALESCE(?, due_at),
	sent_at = ?, settled_at = ?, outcome = ?, claimed_by = '', lease_until = NULL
WHERE id = ? AND claimed_by = ? AND state = 'sending'`

// outcomeRunes is how much of a reason is kept, in characters.
const outcomeRunes = 1000

// Settle records the outcome of a claim. It does nothing where the worker no
// longer holds the order.
func (s *Store) Settle(ctx context.Context, o mail.Settlement) error {
	var due, sent, settled any
	attempt := 0
	if o.Attempted {
		attempt = 1
	}
	switch o.State {
	case mail.Pending:
		due = s.at(o.Due)
	case mail.Sent:
		sent, settled = s.at(o.At), s.at(o.At)
	default:
		settled = s.at(o.At)
	}
	_, err := s.exec(ctx, settleMail, string(o.State), attempt, due, sent, settled,
		clip(o.Reason), o.ID[:], o.Worker)
	return s.fail("settle mail", err)
}

// clip makes a reason fit its column; an SMTP server's words may be anything.
func clip(reason string) string {
	reason = strings.ReplaceAll(strings.ToValidUTF8(reason, "\uFFFD"), "\x00", "\uFFFD")
	if r := []rune(reason); len(r) > outcomeRunes {
		return string(r[:outcomeRunes])
	}
	return reason
}

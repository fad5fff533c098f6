package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

const mailLimit = 100

const mailColumns = `o.id, o.state, o.template, o.reason, o.purpose, CASE WHEN o.addressed = 1 THEN o.member_id ELSE 0 END,
	COALESCE(m.username, ''), COALESCE(m.email, ''), o.group_id, o.created_at, o.expires_at, o.used_at,
	o.attempts, o.due_at, o.claimed_by, o.lease_until, o.sent_at, o.settled_at, o.outcome`

func mailDest(r *members.OrderStatus) []any {
	return []any{scanID{&r.ID}, &r.State, &r.Template, &r.Reason, &r.Purpose, &r.MemberID,
		&r.Username, &r.Email, &r.GroupID, scanTime{&r.Created}, scanTime{&r.Expires}, scanTime{&r.Used},
		&r.Attempts, scanTime{&r.Due}, &r.ClaimedBy, scanTime{&r.LeaseUntil}, scanTime{&r.SentAt},
		scanTime{&r.Settled}, &r.Outcome}
}

const (
	selectMails = `
SELECT ` + mailColumns + ` FROM mails AS o
LEFT JOIN members AS m ON m.id = o.member_id AND o.addressed = 1
WHERE `
	newestMails = ` AND o.id < ? ORDER BY o.id DESC LIMIT ?`

	listMails   statement = selectMails + `1 = 1` + newestMails
	stateMails  statement = selectMails + `o.state = ?` + newestMails
	memberMails statement = selectMails + `(? = '' OR o.state = ?) AND o.member_id = ? AND o.addressed = 1` + newestMails
	oneMail     statement = `
SELECT ` + mailColumns + ` FROM mails AS o
LEFT JOIN members AS m ON m.id = o.member_id AND o.addressed = 1
WHERE o.id = ?`
	countMails statement = `SELECT o.state, COUNT(o.id) FROM mails AS o GROUP BY o.state`
	retryMail  statement = `
UPDATE mails SET attempts = CASE WHEN state = 'dead' THEN 0 ELSE attempts END,
	state = 'pending', due_at = ?, settled_at = NULL, outcome = ''
WHERE id = ? AND state IN ('dead', 'new', 'pending') AND (expires_at IS NULL OR expires_at > ?)`
)

// Mails returns the orders that f picks, newest first.
func (s *Store) Mails(ctx context.Context, f members.MailFilter) ([]members.OrderStatus, error) {
	if f.Limit <= 0 {
		f.Limit = mailLimit
	}
	if f.Before == (mail.ID{}) {
		for i := range f.Before {
			f.Before[i] = 0xff
		}
	}
	q, args := listMails, []any(nil)
	switch {
	case f.MemberID != 0:
		q, args = memberMails, []any{string(f.State), string(f.State), f.MemberID}
	case f.State != "":
		q, args = stateMails, []any{string(f.State)}
	}
	rows, err := s.query(ctx, q, append(args, f.Before[:], f.Limit)...)
	if err != nil {
		return nil, s.fail("list mails", err)
	}
	list, err := collect(rows, mailDest)
	return list, s.fail("list mails", err)
}

// Mail returns an order and whether there is one.
func (s *Store) Mail(ctx context.Context, id mail.ID) (members.OrderStatus, bool, error) {
	var r members.OrderStatus
	err := s.row(ctx, oneMail, []any{id[:]}, mailDest(&r)...)
	if errors.Is(err, sql.ErrNoRows) {
		return members.OrderStatus{}, false, nil
	}
	if err != nil {
		return members.OrderStatus{}, false, s.fail("show mail", err)
	}
	return r, true, nil
}

// RetryMail makes a dead or pending order due at the given time and reports
// whether it was one, and not expired by then: no worker would send it. A dead
// one starts over with its attempts.
func (s *Store) RetryMail(ctx context.Context, id mail.ID, at time.Time) (bool, error) {
	n, err := s.exec(ctx, retryMail, s.at(at), id[:], s.at(at))
	return n == 1, s.fail("retry mail", err)
}

// Counts returns how many orders there are in each state that has any.
func (s *Store) Counts(ctx context.Context) (map[mail.State]int, error) {
	rows, err := s.query(ctx, countMails)
	if err != nil {
		return nil, s.fail("count mails", err)
	}
	counts := map[mail.State]int{}
	err = each(rows, func(r *sql.Rows) error {
		var state mail.State
		var n int
		if err := r.Scan(&state, &n); err != nil {
			return err
		}
		counts[state] = n
		return nil
	})
	return counts, s.fail("count mails", err)
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"reseed/mail"
	"reseed/password"
)

// MailRow is an order as an administrator sees it; its token is not part of it.
// Times are UTC, zero where there is none.
type MailRow struct {
	ID         mail.ID
	State      mail.State
	Template   string
	Reason     string // why it was ordered: member, admin, forced; "" for a notice
	Purpose    password.Purpose
	MemberID   int64  // 0 and below: nobody
	Username   string // of the member, as it is now
	Email      string // of the member, as it is now
	GroupID    int64  // 0: no group
	Created    time.Time
	Expires    time.Time
	Used       time.Time // when its token was spent or voided
	Attempts   int
	Due        time.Time
	ClaimedBy  string // the worker that is sending it
	LeaseUntil time.Time
	SentAt     time.Time
	Settled    time.Time // when it became sent, dead or dropped
	Outcome    string    // why it is dead, dropped or tried again
}

// Filter picks orders; zero fields pick all.
type Filter struct {
	State    mail.State
	MemberID int64
	Before   mail.ID // older than this one, for the next page
	Limit    int     // 0: 100
}

const mailLimit = 100

const mailColumns = `o.id, o.state, o.template, o.reason, o.purpose, ` + orderMember + `,
	COALESCE(m.username, ''), COALESCE(m.email, ''), o.group_id, o.created_at, o.expires_at, o.used_at,
	o.attempts, o.due_at, o.claimed_by, o.lease_until, o.sent_at, o.settled_at, o.outcome`

func mailDest(r *MailRow) []any {
	return []any{scanID{&r.ID}, &r.State, &r.Template, &r.Reason, &r.Purpose, &r.MemberID,
		&r.Username, &r.Email, &r.GroupID, scanTime{&r.Created}, scanTime{&r.Expires}, scanTime{&r.Used},
		&r.Attempts, scanTime{&r.Due}, &r.ClaimedBy, scanTime{&r.LeaseUntil}, scanTime{&r.SentAt},
		scanTime{&r.Settled}, &r.Outcome}
}

const (
	listMails statement = `
SELECT ` + mailColumns + ` FROM mails AS o
LEFT JOIN members AS m ON m.id = o.member_id AND o.addressed = 1
WHERE (? = '' OR o.state = ?) AND (? = 0 OR o.member_id = ? AND o.addressed = 1) AND o.id < ?
ORDER BY o.id DESC LIMIT ?`
	oneMail statement = `
SELECT ` + mailColumns + ` FROM mails AS o
LEFT JOIN members AS m ON m.id = o.member_id AND o.addressed = 1
WHERE o.id = ?`
	countMails statement = `SELECT o.state, COUNT(o.id) FROM mails AS o GROUP BY o.state`
	retryMail  statement = `
UPDATE mails SET attempts = CASE WHEN state = 'dead' THEN 0 ELSE attempts END,
	state = 'pending', due_at = ?, settled_at = NULL, outcome = ''
WHERE id = ? AND state IN ('dead', 'pending') AND (expires_at IS NULL OR expires_at > ?)`
)

// Mails returns the orders that f picks, newest first.
func (s *Store) Mails(ctx context.Context, f Filter) ([]MailRow, error) {
	if f.Limit <= 0 {
		f.Limit = mailLimit
	}
	if f.Before == (mail.ID{}) {
		for i := range f.Before {
			f.Before[i] = 0xff
		}
	}
	rows, err := s.query(ctx, listMails,
		string(f.State), string(f.State), f.MemberID, f.MemberID, f.Before[:], f.Limit)
	if err != nil {
		return nil, s.fail("list mails", err)
	}
	var list []MailRow
	err = each(rows, func(r *sql.Rows) error {
		var m MailRow
		if err := r.Scan(mailDest(&m)...); err != nil {
			return err
		}
		list = append(list, m)
		return nil
	})
	return list, s.fail("list mails", err)
}

// Mail returns an order and whether there is one.
func (s *Store) Mail(ctx context.Context, id mail.ID) (MailRow, bool, error) {
	var r MailRow
	err := s.row(ctx, oneMail, []any{id[:]}, mailDest(&r)...)
	if errors.Is(err, sql.ErrNoRows) {
		return MailRow{}, false, nil
	}
	if err != nil {
		return MailRow{}, false, s.fail("show mail", err)
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

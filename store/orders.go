package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"reseed/mail"
	"reseed/members"
	"reseed/password"
)

const addOrder statement = `
INSERT INTO mails (id, template, reason, purpose, member_id, addressed, group_id, token_hash,
	created_at, expires_at, options, state, due_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)`

// orderMember is an order's member as members.Order has it. In the table, an
// order for nobody stands among those of the member whose row was read in
// nobody's place, and is not addressed: the index on members gets it where
// it gets theirs, and so it takes no less time to write.
const orderMember = `CASE WHEN o.addressed = 1 THEN o.member_id ELSE -o.member_id END`

const orderThere statement = `SELECT ` + orderMember + `, o.token_hash FROM mails AS o WHERE o.id = ?`

// AddOrder inserts the one row of a request; it is due at once. An order that
// is there already, since the answer to an earlier try was lost, is no error.
func (s *Store) AddOrder(ctx context.Context, o members.Order) error {
	args, err := s.orderArgs(o)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, addOrder, args...)
	if disconnected(err) && ctx.Err() == nil {
		_, err = s.exec(ctx, addOrder, args...)
	}
	if duplicate(err) {
		err = s.sameOrder(ctx, o, err)
	}
	return s.fail("add order", err)
}

// sameOrder returns nil where the row in the way is the order itself.
func (s *Store) sameOrder(ctx context.Context, o members.Order, taken error) error {
	var member int64
	var hash password.TokenHash
	err := s.row(ctx, orderThere, []any{o.ID[:]}, &member, scanToken{&hash})
	if errors.Is(err, sql.ErrNoRows) || err == nil && (member != o.MemberID || hash != o.Token) {
		return taken
	}
	return err
}

func (t tx) addOrder(ctx context.Context, o members.Order) error {
	args, err := t.orderArgs(o)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, addOrder, args...)
	return err
}

func (s *Store) orderArgs(o members.Order) ([]any, error) {
	options, err := encodeOptions(o.Options)
	if err != nil {
		return nil, err
	}
	created := o.Created
	if created.IsZero() {
		created = s.now()
	}
	return []any{o.ID[:], o.Template, o.Reason, string(o.Purpose), max(o.MemberID, -o.MemberID), o.MemberID > 0, o.GroupID, token(o.Token),
		s.at(created), s.at(o.Expires), options, s.at(created)}, nil
}

// findToken yields one row for any token, so that an unknown one costs what a
// known one costs.
const findToken statement = `
SELECT o.id, COALESCE(` + orderMember + `, 0), COALESCE(o.group_id, 0), COALESCE(o.purpose, ''),
	o.expires_at, o.used_at IS NOT NULL, o.options
FROM (SELECT 1 AS one) AS request
LEFT JOIN mails AS o ON o.token_hash = ?`

// FindToken returns the record of a token, the zero record where there is none.
func (s *Store) FindToken(ctx context.Context, t password.TokenHash) (members.TokenRecord, error) {
	var r members.TokenRecord
	err := s.row(ctx, findToken, []any{t[:]}, scanID{&r.ID}, &r.MemberID, &r.GroupID, &r.Purpose,
		scanTime{&r.Expires}, &r.Used, scanOptions{&r.Options})
	if err != nil {
		return members.TokenRecord{}, s.fail("find token", err)
	}
	return r, nil
}

const orderDetail statement = `
SELECT o.template, o.reason, o.purpose, ` + orderMember + `, o.group_id, o.token_hash,
	o.created_at, o.expires_at, o.options, o.used_at IS NOT NULL,
	(SELECT COUNT(r.id) FROM mails AS r
		WHERE r.member_id = o.member_id AND r.addressed = 1 AND r.created_at >= ?
		AND r.token_hash IS NOT NULL AND r.state <> 'dropped'
		AND r.id <> o.id AND (r.state = 'sent' OR r.id < o.id)),
	COALESCE(g.id, 0), COALESCE(g.name, ''), COALESCE(g.title, ''), COALESCE(g.description, ''),
	` + memberColumns + `
FROM mails AS o
JOIN members AS m ON m.id = COALESCE((SELECT x.id FROM members AS x WHERE x.id = o.member_id), 0)
LEFT JOIN member_groups AS g ON g.id = o.group_id
WHERE o.id = ?`

// OrderDetail returns an order for composing, with the member and group as
// they are now; orders since the given time count as recent. An order that is
// not there is an error that wraps sql.ErrNoRows.
func (s *Store) OrderDetail(ctx context.Context, id mail.ID, since time.Time) (members.OrderDetail, error) {
	d := members.OrderDetail{Order: members.Order{ID: id}}
	o := &d.Order
	dest := []any{&o.Template, &o.Reason, &o.Purpose, &o.MemberID, &o.GroupID, scanToken{&o.Token},
		scanTime{&o.Created}, scanTime{&o.Expires}, scanOptions{&o.Options}, &d.Used, &d.Recent}
	dest = append(append(dest, groupDest(&d.Group)...), memberDest(&d.Member)...)
	if err := s.row(ctx, orderDetail, []any{s.at(since), id[:]}, dest...); err != nil {
		return members.OrderDetail{}, s.fail(fmt.Sprintf("order %s", id), err)
	}
	if d.Member.Zero() {
		d.Member = members.Member{}
	}
	return d, nil
}

package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

const orderThere statement = `SELECT o.member_id, o.token_hash FROM mails AS o WHERE o.id = ?`

// AddOrder inserts the one row of a request; it is due at once. An order that
// is there already, since the answer to an earlier try was lost, is no error. It
// shares a commit with the orders that are added at the same time.
func (s *Store) AddOrder(ctx context.Context, o members.Order) error {
	args, err := s.orderArgs(o)
	if err != nil {
		return err
	}
	err = s.orders.add(ctx, args)
	if duplicate(err) {
		err = s.sameOrder(ctx, o, err)
	}
	return s.fail("add order", err)
}

// sameOrder returns nil if the row in the way is the order itself.
func (s *Store) sameOrder(ctx context.Context, o members.Order, taken error) error {
	var member int64
	var hash password.TokenHash
	err := s.row(ctx, orderThere, []any{o.ID[:]}, &member, scanToken{&hash})
	if errors.Is(err, sql.ErrNoRows) || err == nil && (member != storedMember(o) || hash != o.Token) {
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

const handOver statement = `
UPDATE mails SET state = 'dropped', settled_at = ?, outcome = 'handed over by an administrator' WHERE id = ?`

// AddHandedOver inserts the row of a token that an administrator hands over. No
// worker ever sees it as an order to mail.
func (s *Store) AddHandedOver(ctx context.Context, o members.Order) error {
	err := s.inTx(ctx, func(t tx) error {
		if err := t.addOrder(ctx, o); err != nil {
			return err
		}
		if err := t.tellRequested(ctx, []mail.ID{o.ID}, o.Created); err != nil {
			return err
		}
		_, err := t.exec(ctx, handOver, t.at(o.Created), o.ID[:])
		return err
	})
	return s.fail("add a link to hand over", err)
}

// storedMember is an order's member in the table. One that is not addressed gets a
// place of its own among no member's orders, but in the same index: it takes no
// less time to write, and nobody's later mails are counted past it. A place at random
// would cost more than a new member's, which is the last one: a registration's order
// for nobody is kept with the row that it wrote.
func storedMember(o members.Order) int64 {
	if o.Addressed || o.Stored {
		return o.MemberID
	}
	return -1 - int64(binary.BigEndian.Uint64(o.ID[8:])>>1)
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
	state, outcome := mail.New, ""
	if !o.Addressed {
		state, outcome = mail.Dropped, "no such member"
	}
	return []any{o.ID[:], o.Template, o.Reason, string(o.Purpose), storedMember(o), o.Addressed, o.GroupID, token(o.Token),
		s.at(created), s.at(o.Expires), options, string(state), s.at(created), outcome}, nil
}

// findToken yields one row for any token, so that an unknown one costs what a
// known one costs.
const findToken statement = `
SELECT o.id, COALESCE(CASE WHEN o.addressed = 1 THEN o.member_id ELSE 0 END, 0), COALESCE(o.group_id, 0), COALESCE(o.purpose, ''),
	o.expires_at, o.used_at IS NOT NULL, o.options
FROM (SELECT 1 AS one) AS request
LEFT JOIN mails AS o ON o.token_hash = ?`

// FindToken returns the record of a token, the zero record if there is none.
func (s *Store) FindToken(ctx context.Context, t password.TokenHash) (members.FoundToken, error) {
	var r members.FoundToken
	err := s.row(ctx, findToken, []any{t[:]}, scanID{&r.ID}, &r.MemberID, &r.GroupID, &r.Purpose,
		scanTime{&r.Expires}, &r.Used, scanOptions{&r.Options})
	if err != nil {
		return members.FoundToken{}, s.fail("find token", err)
	}
	return r, nil
}

// What the mails of orders are made of. The hour before each order is reckoned
// in the database, since one statement reads many. Of a member's orders it reads no
// more than the limit: a flood of requests for one would hold up all mails.
const (
	mailInputs = `
SELECT o.id, o.template, o.reason, o.purpose, o.member_id, o.addressed, o.group_id, o.token_hash,
	o.created_at, o.expires_at, o.options, o.used_at IS NOT NULL,
	(SELECT r.id FROM mails AS r
		WHERE r.member_id = o.member_id AND r.uncounted = 0 AND r.created_at >= `
	mailInputsFrom = `
		AND r.token_hash IS NOT NULL AND r.id <> o.id AND (r.state = 'sent' OR r.id < o.id)
		LIMIT 1 OFFSET ?) IS NOT NULL,
	COALESCE(g.id, 0), COALESCE(g.name, ''), COALESCE(g.title, ''), COALESCE(g.description, ''), 0,
	` + memberColumns + `
FROM mails AS o
JOIN members AS m ON m.id = COALESCE((SELECT x.id FROM members AS x WHERE x.id = o.member_id), 0)
LEFT JOIN member_groups AS g ON g.id = o.group_id
WHERE o.id IN `
	mailInputsMySQL  = mailInputs + `o.created_at - INTERVAL 1 HOUR` + mailInputsFrom
	mailInputsSQLite = mailInputs + `o.created_at - 3600000000` + mailInputsFrom

	mailInputOneMySQL   statement = mailInputsMySQL + oneID
	mailInputSomeMySQL  statement = mailInputsMySQL + someIDs
	mailInputManyMySQL  statement = mailInputsMySQL + manyIDs
	mailInputOneSQLite  statement = mailInputsSQLite + oneID
	mailInputSomeSQLite statement = mailInputsSQLite + someIDs
	mailInputManySQLite statement = mailInputsSQLite + manyIDs
)

// MailInputs returns what the mails of orders are made of, with members and
// groups as they are now, and tells whether the orders are beyond the limit of a
// member's mails in an hour, at least 1. Orders that are not there are left out.
func (s *Store) MailInputs(ctx context.Context, ids []mail.ID, limit int) (map[mail.ID]members.MailInput, error) {
	inputs := make(map[mail.ID]members.MailInput, len(ids))
	b := bySize{
		s.choose(mailInputOneMySQL, mailInputOneSQLite),
		s.choose(mailInputSomeMySQL, mailInputSomeSQLite),
		s.choose(mailInputManyMySQL, mailInputManySQLite),
	}
	for len(ids) > 0 {
		q, size := b.pick(len(ids))
		n := min(size, len(ids))
		if err := s.mailInputs(ctx, q, append([]any{limit - 1}, padded(ids[:n], size)...), inputs); err != nil {
			return nil, s.fail("read orders", err)
		}
		ids = ids[n:]
	}
	return inputs, nil
}

func (s *Store) mailInputs(ctx context.Context, q statement, args []any, to map[mail.ID]members.MailInput) error {
	rows, err := s.query(ctx, q, args...)
	if err != nil {
		return err
	}
	return each(rows, func(r *sql.Rows) error {
		var in members.MailInput
		o := &in.Order
		dest := []any{scanID{&o.ID}, &o.Template, &o.Reason, &o.Purpose, &o.MemberID, &o.Addressed, &o.GroupID, scanToken{&o.Token},
			scanTime{&o.Created}, scanTime{&o.Expires}, scanOptions{&o.Options}, &in.Used, &in.OverLimit}
		if err := r.Scan(append(append(dest, groupDest(&in.Group)...), memberDest(&in.Member)...)...); err != nil {
			return err
		}
		if !o.Addressed {
			o.MemberID = 0
		}
		if in.Member.Zero() {
			in.Member = members.Member{}
		}
		to[o.ID] = in
		return nil
	})
}

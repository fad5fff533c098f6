package store

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// unusableKey returns a key that no identifier has: addresses don't start with
// '@', and usernames don't hold one.
func unusableKey() string { return "@" + rand.Text() }

// Register adds a member and the order that is made for its id. If an
// identifier is taken it adds a decoy: a row with keys of the same kind and
// without names, so that it takes as long; PurgeDecoys removes it.
func (s *Store) Register(ctx context.Context, m members.Member, taken bool, order func(id int64) members.Order) (int64, error) {
	var id int64
	err := s.inTx(ctx, func(t tx) (err error) {
		username, email := t.key(m.Username), t.key(m.Email)
		row := m
		if taken {
			email = t.exact(unusableKey())
			if m.Username != "" {
				username = t.exact(unusableKey())
			}
			row.Username, row.Email, row.Firstname, row.Surname = "", "", "", ""
		}
		id, err = t.insert(ctx, addFreshMember, nil, username, email, row.Username, row.Email, row.Firstname, row.Surname,
			string(m.Status), false, false, m.Language, t.exact(string(m.Password)), t.at(m.Created), nil)
		if duplicate(err) {
			return t.taken(ctx, 0, members.NewMember{Member: m})
		}
		if err != nil {
			return err
		}
		added := id
		if taken {
			added = 0
		}
		if err := t.tell(ctx, members.MemberAdded, added, m.Created); err != nil {
			return err
		}
		return t.addOrder(ctx, order(id))
	})
	if known := (*members.TakenError)(nil); errors.As(err, &known) {
		return 0, known
	}
	return id, s.fail("register", err)
}

const (
	purgeDecoysMySQL statement = `
DELETE FROM members WHERE email_key >= ? AND email_key < ? AND created_at < ? ORDER BY email_key LIMIT ?`
	purgeDecoysSQLite statement = `
DELETE FROM members WHERE id IN (SELECT x.id FROM members AS x
	WHERE x.email_key >= ? AND x.email_key < ? AND x.created_at < ? ORDER BY x.email_key LIMIT ?)`
)

// PurgeDecoys deletes up to limit rows of registrations from before a time
// that came to nothing, and returns how many.
func (s *Store) PurgeDecoys(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, s.choose(purgeDecoysMySQL, purgeDecoysSQLite), s.exact("@"), s.exact("A"), s.at(before), limit)
	return int(n), s.fail("purge registrations", err)
}

// activate leaves those without a password to set one. MySQL assigns from left
// to right: neither expression reads what the other changes.
const activate statement = `
UPDATE members SET activated_at = ?,
	status = CASE WHEN password_hash = '' THEN 'set-password' ELSE 'activated' END
WHERE id = ? AND id > 0 AND admin_locked = 0 AND status IN ('unactivated', 'set-password')`

// Activate activates a member who is not activated yet, and spends the token,
// if one is given, with all other tokens of the member. It reports false, and
// changes nothing, if the member is gone, locked, disabled or activated, or the
// token was not there to spend.
func (s *Store) Activate(ctx context.Context, member int64, h password.TokenHash, at time.Time) (bool, error) {
	err := s.inTx(ctx, func(t tx) error {
		if err := exactlyOne(t.exec(ctx, activate, t.at(at), member)); err != nil {
			return err
		}
		if h != (password.TokenHash{}) {
			if err := exactlyOne(t.exec(ctx, spendToken, t.at(at), token(h), member, t.at(at))); err != nil {
				return err
			}
		}
		if _, err := t.exec(ctx, voidTokens, t.at(at), member); err != nil {
			return err
		}
		return t.tell(ctx, members.MemberActivated, member, at)
	})
	return err == nil, s.fail("activate", ignoreUndo(err))
}

func ignoreUndo(err error) error {
	if errors.Is(err, errUndo) {
		return nil
	}
	return err
}

// ChangeMember changes names and identifiers, and the password with all that
// Complete does, in one transaction. It reports false, and changes nothing, if
// the member is locked or disabled and a password is to be set; it returns
// errcodes.MissingMember if there is no such member.
func (s *Store) ChangeMember(ctx context.Context, c members.MemberChange) (bool, error) {
	err := s.inTx(ctx, func(t tx) error { return t.changeMember(ctx, c) })
	if known := (*members.TakenError)(nil); errors.As(err, &known) {
		return false, known
	}
	return err == nil, s.fail("change member", ignoreUndo(err))
}

func (t tx) changeMember(ctx context.Context, c members.MemberChange) error {
	before, err := t.member(ctx, c.MemberID)
	if err == nil {
		err = t.edit(ctx, before, c.Edit)
	}
	if err == nil && c.Completion != nil {
		err = t.complete(ctx, *c.Completion)
	}
	if err == nil {
		err = t.tellAddress(ctx, before.Email, c.EmailNotice)
	}
	if err != nil {
		return err
	}
	for _, o := range c.Orders {
		if err := t.addOrder(ctx, o); err != nil {
			return err
		}
	}
	if c.Completion != nil { // which was told
		return nil
	}
	return t.tell(ctx, members.MemberChanged, c.MemberID, t.now())
}

// tellAddress queues the notice, if there is one, to the address that a member
// had, if it had one.
func (t tx) tellAddress(ctx context.Context, old string, notice members.Order) error {
	if old == "" || notice.ID == (mail.ID{}) {
		return nil
	}
	notice.Options.Address = old
	return t.addOrder(ctx, notice)
}

// ConfirmEmail changes an address in one transaction: the token is spent, all
// that was given out before ends, and the old address is told, if there is one.
func (s *Store) ConfirmEmail(ctx context.Context, c members.EmailConfirmation) (bool, error) {
	err := s.inTx(ctx, func(t tx) error { return t.confirmEmail(ctx, c) })
	if known := (*members.TakenError)(nil); errors.As(err, &known) {
		return false, known
	}
	return err == nil, s.fail("confirm an address", ignoreUndo(err))
}

func (t tx) confirmEmail(ctx context.Context, c members.EmailConfirmation) error {
	before, err := t.member(ctx, c.MemberID)
	if errors.Is(err, errcodes.New(errcodes.MissingMember)) || err == nil && before.Refused() {
		err = errUndo
	}
	if err == nil {
		err = exactlyOne(t.exec(ctx, spendToken, t.at(c.At), token(c.Token), c.MemberID, t.at(c.At)))
	}
	if err == nil {
		err = t.edit(ctx, before, members.Edit{Email: &c.Email})
	}
	if err == nil {
		err = t.tell(ctx, members.MemberChanged, c.MemberID, c.At)
	}
	if err != nil {
		return err
	}
	return t.tellAddress(ctx, before.Email, c.Notice)
}

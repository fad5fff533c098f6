package store

import (
	"context"
	"database/sql"
	"errors"

	"reseed/errcodes"
	"reseed/members"
	"reseed/password"
)

const addMember statement = `
INSERT INTO members (username_key, email_key, username, email, firstname, surname, status,
	admin, api_account, admin_locked, locked_until, failed_signins, lock_threshold,
	language, password_hash, created_at, activated_at, last_login_at, password_changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const usernameTaken statement = `SELECT m.id FROM members AS m WHERE m.username_key = ?`

const joinGroup statement = `INSERT INTO memberships (group_id, member_id) VALUES (?, ?)`

// AddMembers inserts members with the groups they join, all or none, and
// returns their ids. An identifier that is taken, also by an earlier one of
// the call, yields a *members.TakenError. Created is now where it is zero.
func (s *Store) AddMembers(ctx context.Context, list []members.NewMember) ([]int64, error) {
	var ids []int64
	err := s.inTx(ctx, func(t tx) error {
		ids = make([]int64, 0, len(list))
		for i, m := range list {
			id, err := t.addMember(ctx, i, m)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	if taken := (*members.TakenError)(nil); errors.As(err, &taken) {
		return nil, taken
	}
	if err != nil {
		return nil, s.fail("add members", err)
	}
	return ids, nil
}

func (t tx) addMember(ctx context.Context, index int, m members.NewMember) (int64, error) {
	if m.Created.IsZero() {
		m.Created = t.now()
	}
	id, err := t.insert(ctx, addMember, t.key(m.Username), t.key(m.Email), m.Username, m.Email,
		m.Firstname, m.Surname, string(m.Status), m.Admin, m.APIAccount, m.Locked, t.at(m.LockedUntil),
		m.FailedSignIns, m.LockThreshold, m.Language, t.exact(string(m.Password)), t.at(m.Created),
		t.at(m.Activated), t.at(m.LastLogin), t.at(m.LastPasswordChange))
	if duplicate(err) {
		return 0, t.taken(ctx, index, m)
	}
	if err != nil {
		return 0, err
	}
	for _, g := range m.Groups {
		if _, err := t.exec(ctx, joinGroup, g, id); err != nil && !duplicate(err) {
			return 0, err
		}
	}
	return id, nil
}

// taken finds out which identifier it was by a look, since the server's text
// comes in the server's language.
func (t tx) taken(ctx context.Context, index int, m members.NewMember) error {
	var id int64
	err := t.row(ctx, usernameTaken, []any{t.key(m.Username)}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return &members.TakenError{Index: index, Field: "email"}
	}
	if err != nil {
		return err
	}
	return &members.TakenError{Index: index, Field: "username"}
}

const listMembers statement = `
SELECT ` + memberColumns + ` FROM members AS m
WHERE m.id > ? AND m.id > 0 ORDER BY m.id LIMIT ?`

// ListMembers returns up to limit members with an id above after, by id.
func (s *Store) ListMembers(ctx context.Context, after int64, limit int) ([]members.Member, error) {
	rows, err := s.query(ctx, listMembers, after, limit)
	if err != nil {
		return nil, s.fail("list members", err)
	}
	var list []members.Member
	err = each(rows, func(r *sql.Rows) error {
		var m members.Member
		if err := r.Scan(memberDest(&m)...); err != nil {
			return err
		}
		list = append(list, m)
		return nil
	})
	return list, s.fail("list members", err)
}

const (
	lockMember   statement = `UPDATE members SET admin_locked = 1 WHERE id = ? AND id > 0`
	unlockMember statement = `
UPDATE members SET admin_locked = 0, locked_until = NULL, failed_signins = 0, lock_threshold = 0
WHERE id = ? AND id > 0`
)

// SetLocked sets or lifts an administrator's lock. Setting it voids the
// member's tokens; lifting it clears the lock after failed sign-ins too. It
// returns errcodes.MissingMember where there is no such member.
func (s *Store) SetLocked(ctx context.Context, member int64, locked bool) error {
	err := s.inTx(ctx, func(t tx) error {
		if locked {
			return t.lock(ctx, member)
		}
		return someone(t.exec(ctx, unlockMember, member))
	})
	return s.fail("set lock", err)
}

func (t tx) lock(ctx context.Context, member int64) error {
	if err := someone(t.exec(ctx, lockMember, member)); err != nil {
		return err
	}
	return t.endAccess(ctx, member, t.now())
}

// someone turns a count of no members into an error.
func someone(n int64, err error) error {
	if err == nil && n == 0 {
		return errcodes.New(errcodes.MissingMember)
	}
	return err
}

const rehash statement = `UPDATE members SET password_hash = ? WHERE id = ? AND password_hash = ? AND id > 0`

// Rehash replaces a hash by one of the same password. It does nothing where
// the password was changed meanwhile.
func (s *Store) Rehash(ctx context.Context, member int64, old, renewed password.Hash) error {
	_, err := s.exec(ctx, rehash, s.exact(string(renewed)), member, s.exact(string(old)))
	return s.fail("replace hash", err)
}

// hashNear always finds a row: nobody's has the id 0, and no hash but what fills its place.
const hashNear statement = `
SELECT CASE x.id WHEN 0 THEN '' ELSE x.password_hash END FROM members AS x WHERE x.id <= ? ORDER BY x.id DESC LIMIT 1`

// HashNear returns the hash of the member of that id or else of the nearest
// below, "" where that one has none. Ids have gaps.
func (s *Store) HashNear(ctx context.Context, id int64) (password.Hash, error) {
	var h password.Hash
	err := s.row(ctx, hashNear, []any{id}, &h)
	return h, s.fail("find a hash", err)
}

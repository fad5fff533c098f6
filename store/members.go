package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// memberColumns are a member's columns in the order of memberDest. The table
// goes by m in every statement.
const memberColumns = `m.id, m.username, m.email, m.firstname, m.surname, m.status,
	m.admin, m.api_account, m.admin_locked, m.locked_until, m.failed_signins, m.lock_threshold,
	m.bad_signins, m.fail_client, m.lock_client,
	m.language, m.password_hash, m.created_at, m.activated_at, m.last_login_at, m.password_changed_at`

func memberDest(m *members.Member) []any {
	return []any{
		&m.ID, &m.Username, &m.Email, &m.Firstname, &m.Surname, &m.Status,
		&m.Admin, &m.APIAccount, &m.Locked, scanTime{&m.LockedUntil}, &m.FailedSignIns, &m.LockThreshold,
		&m.BadSignIns, scanClient{&m.FailClient}, &m.LockClient,
		&m.Language, &m.Password, scanTime{&m.Created}, scanTime{&m.Activated},
		scanTime{&m.LastLogin}, scanTime{&m.LastPasswordChange},
	}
}

// addFreshMember adds a member who never tried to sign in, as nearly all in an
// import are, by little more than half of the values: on SQLite each costs time.
const addFreshMember statement = `
INSERT INTO members (id, username_key, email_key, username, email, firstname, surname, status,
	admin, api_account, language, password_hash, created_at, activated_at, fail_client)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '` + noClient + `')`

const addMember statement = `
INSERT INTO members (id, username_key, email_key, username, email, firstname, surname, status,
	admin, api_account, language, password_hash, created_at, activated_at,
	admin_locked, locked_until, failed_signins, lock_threshold, bad_signins, fail_client, lock_client,
	last_login_at, password_changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const (
	usernameTaken statement = `SELECT m.id FROM members AS m WHERE m.username_key = ?`
	idTaken       statement = `SELECT m.id FROM members AS m WHERE m.id = ?`
)

// AddMembers inserts members with the groups they join, all or none, and
// returns their ids. An identifier that is taken, also by an earlier one of
// the call, yields a *members.TakenError. Created is now if it is zero.
func (s *Store) AddMembers(ctx context.Context, list []members.NewMember) ([]int64, error) {
	return s.Import(ctx, members.ImportBatch{Add: list})
}

func (t tx) addMember(ctx context.Context, index int, m members.NewMember) (int64, error) {
	if m.Created.IsZero() {
		m.Created = t.now()
	}
	id, err := t.insertMember(ctx, m)
	if duplicate(err) {
		return 0, t.taken(ctx, index, m)
	}
	if err != nil {
		return 0, err
	}
	if m.ID > 0 {
		id = m.ID
	}
	for _, s := range m.Memberships {
		s.Member.ID = id
		if err := t.joinAs(ctx, s); err != nil && !duplicate(err) {
			return 0, err
		}
	}
	for _, g := range m.Groups {
		if err := t.joinAs(ctx, members.NewMembership(g, id)); err != nil && !duplicate(err) {
			return 0, err
		}
	}
	return id, t.tell(ctx, members.MemberAdded, id, t.now())
}

func (t tx) insertMember(ctx context.Context, m members.NewMember) (int64, error) {
	args := []any{
		number(m.ID), t.key(m.Username), t.key(m.Email), m.Username, m.Email, m.Firstname, m.Surname, string(m.Status),
		m.Admin, m.APIAccount, m.Language, t.exact(string(m.Password)), t.at(m.Created), t.at(m.Activated),
	}
	if fresh(m.Member) {
		return t.insert(ctx, addFreshMember, args...)
	}
	return t.insert(ctx, addMember, append(args,
		m.Locked, t.at(m.LockedUntil), m.FailedSignIns, m.LockThreshold, m.BadSignIns, t.client(m.FailClient), t.exact(m.LockClient),
		t.at(m.LastLogin), t.at(m.LastPasswordChange))...)
}

func fresh(m members.Member) bool {
	return !m.Locked && m.LockedUntil.IsZero() && m.FailedSignIns == 0 && m.LockThreshold == 0 && m.BadSignIns == 0 &&
		m.FailClient == "" && m.LockClient == "" && m.LastLogin.IsZero() && m.LastPasswordChange.IsZero()
}

// taken finds out which identifier it was by a look, since the server's text
// comes in the server's language.
func (t tx) taken(ctx context.Context, index int, m members.NewMember) error {
	var id int64
	if m.ID > 0 {
		if err := t.row(ctx, idTaken, []any{m.ID}, &id); err == nil {
			return &members.TakenError{Index: index, Field: "id"}
		}
	}
	err := t.row(ctx, usernameTaken, []any{t.key(m.Username)}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return &members.TakenError{Index: index, Field: "email"}
	}
	if err != nil {
		return err
	}
	return &members.TakenError{Index: index, Field: "username"}
}

const (
	lockMember   statement = `UPDATE members SET admin_locked = 1 WHERE id = ? AND id > 0`
	unlockMember statement = `
UPDATE members SET admin_locked = 0, ` + forgetFailures + `
WHERE id = ? AND id > 0`
)

// SetLocked sets or lifts an administrator's lock. Setting it voids the
// member's tokens; lifting it clears the lock after failed sign-ins too. It
// returns errcodes.MissingMember if there is no such member.
func (s *Store) SetLocked(ctx context.Context, member int64, locked bool) error {
	err := s.inTx(ctx, func(t tx) error {
		kind, err := members.MemberUnlocked, error(nil)
		if locked {
			kind, err = members.MemberLocked, t.lock(ctx, member)
		} else {
			err = someone(t.exec(ctx, unlockMember, member))
		}
		if err != nil {
			return err
		}
		return t.tell(ctx, kind, member, t.now())
	})
	return s.fail("set lock", err)
}

const setStatus statement = `UPDATE members SET status = ? WHERE id = ? AND id > 0`

// SetStatus sets a member's status. Disabling ends what the member may do. It
// returns errcodes.MissingMember if there is no such member.
func (s *Store) SetStatus(ctx context.Context, member int64, status members.Status) error {
	err := s.inTx(ctx, func(t tx) error {
		if err := someone(t.exec(ctx, setStatus, string(status), member)); err != nil {
			return err
		}
		if err := t.tell(ctx, members.MemberChanged, member, t.now()); err != nil || status != members.Disabled {
			return err
		}
		return t.endAccess(ctx, member, t.now(), 0)
	})
	return s.fail("set status", err)
}

func (t tx) lock(ctx context.Context, member int64) error {
	if err := someone(t.exec(ctx, lockMember, member)); err != nil {
		return err
	}
	return t.endAccess(ctx, member, t.now(), 0)
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

// decoyHash always finds a row: the one with the id 0, which has no hash but what
// fills its place. Ids have gaps: the member before is taken then.
const decoyHash statement = `
SELECT CASE x.id WHEN 0 THEN '' ELSE x.password_hash END FROM members AS x
WHERE x.id <= ? % (1 + (SELECT MAX(y.id) FROM members AS y)) ORDER BY x.id DESC LIMIT 1`

// DecoyHash returns the hash of some member, the same one for the same number as
// long as no member is added; "" if that member has none.
func (s *Store) DecoyHash(ctx context.Context, number uint64) (password.Hash, error) {
	var h password.Hash
	err := s.row(ctx, decoyHash, []any{int64(number >> 1)}, &h)
	return h, s.fail("find a decoy's hash", err)
}

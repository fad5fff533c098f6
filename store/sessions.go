package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// forgetFailures is what a change of the password and an administrator's unlock do.
const forgetFailures = `locked_until = NULL, failed_signins = 0, lock_threshold = 0, bad_signins = 0, fail_client = '` + noClient + `', lock_client = ''`

// noClient is stored where no failure is any client's. It is as long as what is
// stored of a client: on MariaDB a row that gets longer takes some 20 µs more to
// write, which would tell members' first failures from those of nobody. Servers
// of before left it empty.
const noClient = "----------------"

// client is a client as it is stored with failures.
func (s *Store) client(client string) any { return s.exact(cmp.Or(client, noClient)) }

// scanClient scans a client.
type scanClient struct{ to *string }

// Scan implements sql.Scanner.
func (d scanClient) Scan(src any) error {
	var text sql.NullString
	if err := text.Scan(src); err != nil {
		return err
	}
	*d.to = text.String
	if text.String == noClient {
		*d.to = ""
	}
	return nil
}

// signInFailed writes to the row that was looked up, so that an unknown name
// costs the pages that a member does. Only the member's own takes the failure,
// and only over what it was counted from, so that simultaneous guesses all count.
const signInFailed statement = `
UPDATE members SET touched = ?,
	locked_until = CASE WHEN id = ? THEN ? ELSE locked_until END,
	failed_signins = CASE WHEN id = ? THEN ? ELSE failed_signins END,
	lock_threshold = CASE WHEN id = ? THEN ? ELSE lock_threshold END,
	bad_signins = CASE WHEN id = ? THEN ? ELSE bad_signins END,
	fail_client = CASE WHEN id = ? THEN ? ELSE fail_client END,
	lock_client = CASE WHEN id = ? THEN ? ELSE lock_client END
WHERE id = ? AND (id <> ?
	OR failed_signins = ? AND lock_threshold = ? AND bad_signins = ? AND fail_client IN (?, ?) AND password_hash = ?)`

// SignInFailed records a refused sign-in with its member, or writes to the row
// that stands in for an unknown one. It reports false, and changes nothing, if
// the member's failures or password are others by now.
func (s *Store) SignInFailed(ctx context.Context, f members.BadSignIn) (counted bool, err error) {
	was, is := f.Was, f.Is
	own := was.ID
	if was.Zero() {
		own = -1 // no row's
	}
	args := []any{f.Touch, own, s.at(is.LockedUntil), own, is.FailedSignIns, own, is.LockThreshold, own, is.BadSignIns,
		own, s.client(is.FailClient), own, s.exact(is.LockClient), f.Row, own,
		was.FailedSignIns, was.LockThreshold, was.BadSignIns, s.client(was.FailClient), s.exact(was.FailClient), s.exact(string(was.Password))}
	if s.hookless.Load() {
		n, err := s.exec(ctx, signInFailed, args...)
		return n == 1, s.fail("count failed sign-in", err)
	}
	err = s.inTx(ctx, func(t tx) error {
		n, err := t.exec(ctx, signInFailed, args...)
		counted = n == 1
		if err != nil || !counted || is.LockedUntil.IsZero() || is.LockedUntil.Equal(was.LockedUntil) {
			return err
		}
		return t.tell(ctx, members.MemberLocked, was.ID, t.now())
	})
	return counted && err == nil, s.fail("count failed sign-in", err)
}

// signedIn forgets the failures, but keeps a lock of another client, for as long
// as a lock may last. MySQL assigns from left to right: lock_client finds the
// lock as it is by then.
const (
	signedIn statement = `
UPDATE members SET last_login_at = ?, failed_signins = 0, lock_threshold = 0, bad_signins = 0, fail_client = '` + noClient + `',
	locked_until = CASE WHEN locked_until <= ? THEN NULL WHEN locked_until > ? THEN ? ELSE locked_until END,
	lock_client = CASE WHEN locked_until IS NULL OR locked_until <= ? THEN '' ELSE lock_client END
WHERE id = ? AND id > 0 AND password_hash = ? AND admin_locked = 0 AND status = 'activated'
	AND (locked_until IS NULL OR locked_until <= ? OR lock_client NOT IN ('', ?))`
	addSession statement = `
INSERT INTO sessions (id_hash, member_id, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?)`
	dropOldSessions statement = `DELETE FROM sessions WHERE member_id = ? AND expires_at < ?`
	endSession      statement = `DELETE FROM sessions WHERE id_hash = ?`
)

// SignedIn records a sign-in. The member's row comes first: a password change
// that goes on meanwhile either finds the session and ends it, or makes the
// guard fail here. The member's expired sessions go along.
func (s *Store) SignedIn(ctx context.Context, g members.GoodSignIn) (bool, error) {
	err := s.inTx(ctx, func(t tx) error { return t.signedIn(ctx, g) })
	if errors.Is(err, errUndo) {
		return false, nil
	}
	return err == nil, s.fail("record sign-in", err)
}

func (t tx) signedIn(ctx context.Context, g members.GoodSignIn) error {
	now := t.at(g.At)
	longest := t.at(g.LockEnds)
	err := exactlyOne(t.exec(ctx, signedIn, now, now, longest, longest, now, g.MemberID, t.exact(string(g.Password)), now, t.exact(g.Client)))
	if err != nil {
		return err
	}
	if g.Replaces != (password.TokenHash{}) {
		if _, err := t.exec(ctx, endSession, token(g.Replaces)); err != nil {
			return err
		}
	}
	if g.Token.Hash != (password.TokenHash{}) {
		g.Token.Member.ID = g.MemberID
		if _, err := t.addSiteToken(ctx, g.Token, members.MaxMemberTokens); err != nil {
			return err
		}
	}
	if g.Session.ID == (password.TokenHash{}) {
		return nil
	}
	n := g.Session
	_, err = t.exec(ctx, addSession, token(n.ID), g.MemberID, t.at(n.Created), t.at(n.Seen), t.at(n.Expires))
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, dropOldSessions, g.MemberID, now)
	return err
}

const findSession statement = `
SELECT x.created_at, x.seen_at, x.expires_at, ` + memberColumns + `
FROM sessions AS x JOIN members AS m ON m.id = x.member_id WHERE x.id_hash = ?`

// FindSession returns a session with its member, the zero Session if there is none.
func (s *Store) FindSession(ctx context.Context, id password.TokenHash) (members.Session, error) {
	found := members.Session{ID: id}
	dest := append([]any{scanTime{&found.Created}, scanTime{&found.Seen}, scanTime{&found.Expires}}, memberDest(&found.Member)...)
	err := s.row(ctx, findSession, []any{id[:]}, dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return members.Session{}, nil
	}
	if err != nil {
		return members.Session{}, s.fail("find session", err)
	}
	return found, nil
}

const touchSession statement = `UPDATE sessions SET seen_at = ? WHERE id_hash = ? AND seen_at < ?`

// TouchSession notes a use, unless a later one is noted already.
func (s *Store) TouchSession(ctx context.Context, id password.TokenHash, at time.Time) error {
	_, err := s.exec(ctx, touchSession, s.at(at), id[:], s.at(at))
	return s.fail("touch session", err)
}

const renewSession statement = `UPDATE sessions SET id_hash = ? WHERE id_hash = ?`

// RenewSession gives a session another id; it reports whether there is such a session.
func (s *Store) RenewSession(ctx context.Context, id, renewed password.TokenHash) (bool, error) {
	n, err := s.exec(ctx, renewSession, renewed[:], id[:])
	return n > 0, s.fail("renew session", err)
}

// EndSession removes a session, if it is there.
func (s *Store) EndSession(ctx context.Context, id password.TokenHash) error {
	_, err := s.exec(ctx, endSession, id[:])
	return s.fail("end session", err)
}

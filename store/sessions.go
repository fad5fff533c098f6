package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"reseed/members"
	"reseed/password"
)

// signInFailed counts in one statement, so that simultaneous guesses all
// count, and changes its row in every case, since a server may skip the write
// that changes nothing, which takes less time. During a lock it counts below
// zero.
//
// MySQL assigns from left to right and later expressions see the new values,
// SQLite evaluates all of them on the old row. Each condition here comes out the
// same either way: a lock that began just now reads like one that was there.
const signInFailed statement = `
UPDATE members SET
	locked_until = CASE WHEN (locked_until IS NULL OR locked_until <= ?)
		AND CASE WHEN failed_signins > 0 THEN failed_signins ELSE 0 END + 1
			>= CASE WHEN lock_threshold > 0 THEN lock_threshold ELSE ? END
		THEN ? ELSE locked_until END,
	lock_threshold = CASE WHEN locked_until > ?
			OR CASE WHEN failed_signins > 0 THEN failed_signins ELSE 0 END + 1
				>= CASE WHEN lock_threshold > 0 THEN lock_threshold ELSE ? END
		THEN 0
		ELSE CASE WHEN lock_threshold > 0 THEN lock_threshold ELSE ? END END,
	failed_signins = CASE WHEN locked_until > ?
			OR CASE WHEN failed_signins > 0 THEN failed_signins ELSE 0 END + 1
				>= CASE WHEN lock_threshold > 0 THEN lock_threshold ELSE ? END
		THEN CASE WHEN failed_signins > 0 THEN 0 ELSE failed_signins - 1 END
		ELSE CASE WHEN failed_signins > 0 THEN failed_signins ELSE 0 END + 1 END
WHERE id = ?`

// SignInFailed counts a refused sign-in against its member, or against the row
// of nobody. The failure that reaches the threshold locks the account until
// f.Until; during a lock nothing else changes. The threshold is drawn anew
// after a lock.
func (s *Store) SignInFailed(ctx context.Context, f members.BadSignIn) error {
	now := s.at(f.At)
	_, err := s.exec(ctx, signInFailed, now, f.Threshold, s.at(f.Until),
		now, f.Threshold, f.Threshold, now, f.Threshold, f.MemberID)
	return s.fail("count failed sign-in", err)
}

const (
	signedIn statement = `
UPDATE members SET last_login_at = ?, failed_signins = 0, lock_threshold = 0, locked_until = NULL
WHERE id = ? AND id > 0 AND password_hash = ? AND admin_locked = 0 AND status = 'activated'
	AND (locked_until IS NULL OR locked_until <= ?)`
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
	if err := exactlyOne(t.exec(ctx, signedIn, now, g.MemberID, t.exact(string(g.Password)), now)); err != nil {
		return err
	}
	if g.Replaces != (password.TokenHash{}) {
		if _, err := t.exec(ctx, endSession, token(g.Replaces)); err != nil {
			return err
		}
	}
	if g.Session.ID == (password.TokenHash{}) {
		return nil
	}
	n := g.Session
	_, err := t.exec(ctx, addSession, token(n.ID), g.MemberID, t.at(n.Created), t.at(n.Seen), t.at(n.Expires))
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, dropOldSessions, g.MemberID, now)
	return err
}

const findSession statement = `
SELECT x.created_at, x.seen_at, x.expires_at, ` + memberColumns + `
FROM sessions AS x JOIN members AS m ON m.id = x.member_id WHERE x.id_hash = ?`

// FindSession returns a session with its member, the zero Session where there is none.
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

// EndSession removes a session, if it is there.
func (s *Store) EndSession(ctx context.Context, id password.TokenHash) error {
	_, err := s.exec(ctx, endSession, id[:])
	return s.fail("end session", err)
}

package store

import (
	"context"
	"errors"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// changePassword refuses a member that is gone, locked or disabled by now.
// MySQL assigns from left to right, so activated_at reads status before status
// changes.
const changePassword statement = `
UPDATE members SET password_hash = ?, password_changed_at = ?,
	` + forgetFailures + `,
	activated_at = CASE WHEN status IN ('set-password', 'unactivated') THEN ? ELSE activated_at END,
	status = CASE WHEN status IN ('set-password', 'unactivated') THEN 'activated' ELSE status END
WHERE id = ? AND id > 0 AND admin_locked = 0 AND status <> 'disabled'`

// spendToken is the guard: of several uses of a token one alone finds used_at
// still NULL.
const spendToken statement = `
UPDATE mails SET used_at = ?
WHERE token_hash = ? AND member_id = ? AND addressed = 1 AND used_at IS NULL AND expires_at >= ?`

// Complete changes a password in one transaction: the token is spent, the
// temporary lock lifted, the member activated if it waited for that, every
// other token voided, sessions and access tokens ended and the notice queued. It reports false, and changes
// nothing, if the token was not there to spend or the member is gone,
// locked by an administrator or disabled. A token is valid until c.At is later
// than its end. An error that wraps ErrAmbiguous leaves open whether it happened.
func (s *Store) Complete(ctx context.Context, c members.Completion) (bool, error) {
	err := s.inTx(ctx, func(t tx) error { return t.complete(ctx, c) })
	if errors.Is(err, errUndo) {
		return false, nil
	}
	if err != nil {
		return false, s.fail("complete reset", err)
	}
	return true, nil
}

// complete takes the member's row first, as every change of a member does, so
// that two changes of one member wait for each other instead of deadlocking.
func (t tx) complete(ctx context.Context, c members.Completion) error {
	at := t.at(c.At)
	if err := exactlyOne(t.exec(ctx, changePassword, t.exact(string(c.Password)), at, at, c.MemberID)); err != nil {
		return err
	}
	if c.Token != (password.TokenHash{}) {
		if err := exactlyOne(t.exec(ctx, spendToken, at, token(c.Token), c.MemberID, at)); err != nil {
			return err
		}
	}
	if err := t.endAccess(ctx, c.MemberID, c.At, c.KeepGrant); err != nil {
		return err
	}
	if err := t.tell(ctx, members.PasswordChanged, c.MemberID, c.At); err != nil {
		return err
	}
	if err := t.tellActivated(ctx, c.MemberID, c.At); err != nil {
		return err
	}
	if c.Notice.ID == (mail.ID{}) {
		return nil
	}
	return t.addOrder(ctx, c.Notice)
}

// exactlyOne undoes the transaction if a guarded update did not find its row.
func exactlyOne(n int64, err error) error {
	if err == nil && n != 1 {
		return errUndo
	}
	return err
}

const (
	voidTokens statement = `
UPDATE mails SET used_at = ? WHERE member_id = ? AND addressed = 1 AND used_at IS NULL AND token_hash IS NOT NULL`
	voidGroupTokens statement = `
UPDATE mails SET used_at = ? WHERE member_id = ? AND addressed = 1 AND group_id = ? AND used_at IS NULL AND token_hash IS NOT NULL`
	endSessions      statement = `DELETE FROM sessions WHERE member_id = ?`
	endAccessTokens  statement = `DELETE FROM access_tokens WHERE member_id = ?`
	endRefreshTokens statement = `DELETE FROM refresh_tokens WHERE member_id = ?`
	endSiteTokens    statement = `DELETE FROM site_tokens WHERE member_id = ? AND NOT (? > 0 AND (id = ? OR grant_id = ?))`
)

// endAccess takes from a member what was given out before its password,
// address or standing changed, but one of its grants at a Wix site, if keep is
// one. Every kind of credential has its statement here.
func (t tx) endAccess(ctx context.Context, member int64, now time.Time, keep int64) error {
	if _, err := t.exec(ctx, voidTokens, t.at(now), member); err != nil {
		return err
	}
	if _, err := t.exec(ctx, endSessions, member); err != nil {
		return err
	}
	if _, err := t.exec(ctx, endAccessTokens, member); err != nil {
		return err
	}
	if _, err := t.exec(ctx, endRefreshTokens, member); err != nil {
		return err
	}
	_, err := t.exec(ctx, endSiteTokens, member, keep, keep, keep)
	return err
}

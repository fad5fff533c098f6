package store

import (
	"context"
	"time"

	"github.com/reseed-project/reseed/mail"
)

// Deletions take the oldest rows first, and a few at a time, so that no lock
// lasts. Two servers that purge at once take turns.
const (
	purgeMailsMySQL statement = `
DELETE FROM mails WHERE settled_at < ? AND (expires_at IS NULL OR expires_at < ?)
ORDER BY settled_at, id LIMIT ?`
	purgeMailsSQLite statement = `
DELETE FROM mails WHERE id IN (SELECT o.id FROM mails AS o
	WHERE o.settled_at < ? AND (o.expires_at IS NULL OR o.expires_at < ?)
	ORDER BY o.settled_at LIMIT ?)`
	purgeEventsMySQL  statement = `DELETE FROM events WHERE id < ? ORDER BY id LIMIT ?`
	purgeEventsSQLite statement = `
DELETE FROM events WHERE id IN (SELECT e.id FROM events AS e WHERE e.id < ? ORDER BY e.id LIMIT ?)`
)

// PurgeMails deletes up to limit orders that were sent, dead or dropped before
// a time, and whose token ended before it as well, and returns how many.
func (s *Store) PurgeMails(ctx context.Context, before time.Time, limit int) (int, error) {
	at := s.at(before)
	n, err := s.exec(ctx, s.choose(purgeMailsMySQL, purgeMailsSQLite), at, at, limit)
	return int(n), s.fail("purge mails", err)
}

// What stays is skipped by its age, which the index has: all that is older than
// the longest life of a token has ended, but for a life that was made shorter since.
const (
	purgeDroppedMySQL statement = `
DELETE FROM mails WHERE state = 'dropped' AND due_at < ? AND (expires_at IS NULL OR expires_at < ?)
ORDER BY due_at, id LIMIT ?`
	purgeDroppedSQLite statement = `
DELETE FROM mails WHERE id IN (SELECT o.id FROM mails AS o
	WHERE o.state = 'dropped' AND o.due_at < ? AND (o.expires_at IS NULL OR o.expires_at < ?)
	ORDER BY o.due_at, o.id LIMIT ?)`
)

// PurgeDropped deletes up to limit orders that were dropped, since they were for
// nobody, over a member's limit, or too late, that were due before a time and
// whose token has ended, and returns how many.
func (s *Store) PurgeDropped(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, s.choose(purgeDroppedMySQL, purgeDroppedSQLite), s.at(before), s.at(s.now()), limit)
	return int(n), s.fail("purge dropped mails", err)
}

// PurgeEvents deletes up to limit security events from before a time, to the
// millisecond that their ids begin with, and returns how many.
func (s *Store) PurgeEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	first := mail.FirstID(before)
	n, err := s.exec(ctx, s.choose(purgeEventsMySQL, purgeEventsSQLite), first[:], limit)
	return int(n), s.fail("purge events", err)
}

const (
	purgeUnknownMySQL statement = `
DELETE FROM events WHERE member_id = 0 AND at < ? AND code <> '' ORDER BY at LIMIT ?`
	purgeUnknownSQLite statement = `
DELETE FROM events WHERE id IN (SELECT e.id FROM events AS e
	WHERE e.member_id = 0 AND e.at < ? AND e.code <> '' ORDER BY e.at LIMIT ?)`
)

// PurgeUnknownEvents deletes up to limit security events from before a time
// that tell of a refusal and of no member, and returns how many.
func (s *Store) PurgeUnknownEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, s.choose(purgeUnknownMySQL, purgeUnknownSQLite), s.at(before), limit)
	return int(n), s.fail("purge unknown members' events", err)
}

const (
	purgeSessionsMySQL  statement = `DELETE FROM sessions WHERE expires_at < ? ORDER BY expires_at, id_hash LIMIT ?`
	purgeSessionsSQLite statement = `
DELETE FROM sessions WHERE id_hash IN (SELECT x.id_hash FROM sessions AS x
	WHERE x.expires_at < ? ORDER BY x.expires_at LIMIT ?)`
	purgeTokensMySQL  statement = `DELETE FROM access_tokens WHERE expires_at < ? ORDER BY expires_at, token_hash LIMIT ?`
	purgeTokensSQLite statement = `
DELETE FROM access_tokens WHERE token_hash IN (SELECT x.token_hash FROM access_tokens AS x
	WHERE x.expires_at < ? ORDER BY x.expires_at LIMIT ?)`
)

// PurgeSessions deletes up to limit sessions that ended before a time and returns how many.
func (s *Store) PurgeSessions(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, s.choose(purgeSessionsMySQL, purgeSessionsSQLite), s.at(before), limit)
	return int(n), s.fail("purge sessions", err)
}

// PurgeAccessTokens deletes up to limit access tokens that ended before a time and returns how many.
func (s *Store) PurgeAccessTokens(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, s.choose(purgeTokensMySQL, purgeTokensSQLite), s.at(before), limit)
	return int(n), s.fail("purge access tokens", err)
}

const (
	purgeSiteDaysMySQL  statement = `DELETE FROM site_days WHERE day < ? ORDER BY day, site_id LIMIT ?`
	purgeSiteDaysSQLite statement = `
DELETE FROM site_days WHERE (site_id, day) IN (SELECT x.site_id, x.day FROM site_days AS x
	WHERE x.day < ? ORDER BY x.day LIMIT ?)`
)

// PurgeSiteDays deletes up to limit counters of sites' mails whose days, in
// UTC, were over before a time, and returns how many. Every site that orders
// ends its own; this is for those that order no more.
func (s *Store) PurgeSiteDays(ctx context.Context, before time.Time, limit int) (int, error) {
	const secondsADay = 24 * 60 * 60
	n, err := s.exec(ctx, s.choose(purgeSiteDaysMySQL, purgeSiteDaysSQLite), before.Unix()/secondsADay, limit)
	return int(n), s.fail("purge counters of sites", err)
}

const (
	purgeRefreshMySQL  statement = `DELETE FROM refresh_tokens WHERE expires_at < ? ORDER BY expires_at, token_hash LIMIT ?`
	purgeRefreshSQLite statement = `
DELETE FROM refresh_tokens WHERE token_hash IN (SELECT x.token_hash FROM refresh_tokens AS x
	WHERE x.expires_at < ? ORDER BY x.expires_at LIMIT ?)`
)

// PurgeRefreshTokens deletes up to limit refresh tokens that ended before a time and returns how many.
func (s *Store) PurgeRefreshTokens(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, s.choose(purgeRefreshMySQL, purgeRefreshSQLite), s.at(before), limit)
	return int(n), s.fail("purge refresh tokens", err)
}

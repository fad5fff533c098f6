package store

import (
	"context"
	"time"
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
	ORDER BY o.settled_at, o.id LIMIT ?)`
	purgeEventsMySQL  statement = `DELETE FROM events WHERE at < ? ORDER BY at, id LIMIT ?`
	purgeEventsSQLite statement = `
DELETE FROM events WHERE id IN (SELECT e.id FROM events AS e WHERE e.at < ? ORDER BY e.at, e.id LIMIT ?)`
)

// PurgeMails deletes up to limit orders that were sent, dead or dropped before
// a time, and whose token ended before it as well, and returns how many.
func (s *Store) PurgeMails(ctx context.Context, before time.Time, limit int) (int, error) {
	at := s.at(before)
	n, err := s.exec(ctx, s.choose(purgeMailsMySQL, purgeMailsSQLite), at, at, limit)
	return int(n), s.fail("purge mails", err)
}

// PurgeEvents deletes up to limit security events from before a time and returns how many.
func (s *Store) PurgeEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, s.choose(purgeEventsMySQL, purgeEventsSQLite), s.at(before), limit)
	return int(n), s.fail("purge events", err)
}

package store

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// clockTolerance is how far the machine's clock may be off the database's
// without being corrected: time never steps by what a round trip may take.
const clockTolerance = 100 * time.Millisecond

// sharedClock is the machine's clock, corrected by the database's.
type sharedClock struct {
	machine func() time.Time

	mu     sync.Mutex
	read   time.Time // the machine's clock when it was compared last; zero: never
	offset time.Duration
}

// now returns the corrected time.
func (c *sharedClock) now() time.Time {
	t := c.machine()
	c.mu.Lock()
	defer c.mu.Unlock()
	return t.Add(c.correction(t))
}

// correction is what to add to what the machine's clock shows. If that was set
// back since it was compared, it goes on as before until it is compared again.
func (c *sharedClock) correction(t time.Time) time.Duration {
	wall := t.Round(0).Sub(c.read.Round(0))
	return c.offset - min(wall-t.Sub(c.read), 0)
}

// compare takes note of how far the machine's clock was off at a reading.
func (c *sharedClock) compare(read time.Time, offset time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = c.correction(read)
	if difference := offset - c.offset; difference.Abs() > clockTolerance {
		c.offset = offset
	}
	c.read = read
}

// Now returns the time that decides what has expired: the database's, as far as
// SyncClock was called, else the machine's.
func (s *Store) Now() time.Time { return s.clock.now() }

const (
	databaseTime statement = `SELECT UTC_TIMESTAMP(6)`
	latestTime   statement = `SELECT m.last_login_at FROM members AS m WHERE m.id = 0`
	// noteTime notes how late it is, which never gets earlier by it.
	noteTime statement = `UPDATE members SET last_login_at = ?
WHERE id = 0 AND (last_login_at IS NULL OR last_login_at < ?)`
	setBackTime statement = `UPDATE members SET last_login_at = ? WHERE id = 0 AND last_login_at = ?`
)

// endExpired ends for good what had expired at a time.
var endExpired = []statement{
	`UPDATE mails SET used_at = ? WHERE expires_at < ? AND used_at IS NULL AND token_hash IS NOT NULL`,
	`DELETE FROM sessions WHERE ? > expires_at AND expires_at < ?`,
	`DELETE FROM access_tokens WHERE ? > expires_at AND expires_at < ?`,
	`DELETE FROM refresh_tokens WHERE ? > expires_at AND expires_at < ?`,
	`DELETE FROM site_tokens WHERE ? > expires_at AND expires_at < ?`,
}

// SyncClock compares the machine's clock with the database's, which Now follows
// from then on; SQLite has none but the machine's. If it is earlier than it was
// in the database before, somebody set the clock back: what had expired by then
// is ended, so that it doesn't come back to life, and SyncClock returns by how
// much. It works on a store that is blocked.
func (s *Store) SyncClock(ctx context.Context) (setBack time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeCheckTimeout)
	defer cancel()
	if err := s.compareClocks(ctx); err != nil {
		return 0, s.fail("compare clocks", err)
	}
	s.trace(string(latestTime))
	var latest time.Time
	if err := s.read.QueryRowContext(ctx, string(latestTime)).Scan(scanTime{&latest}); err != nil {
		return 0, s.fail("read how late it was", err)
	}
	now := s.Now()
	setBack = latest.Sub(now)
	if setBack <= writeCheckAgain {
		return 0, nil
	}
	return setBack, s.fail("end what had expired", s.goBack(ctx, latest, now))
}

func (s *Store) compareClocks(ctx context.Context) error {
	before := s.clock.machine()
	if !s.mysql {
		s.clock.compare(before, 0)
		return nil
	}
	s.trace(string(databaseTime))
	var there time.Time
	if err := s.read.QueryRowContext(ctx, string(databaseTime)).Scan(scanTime{&there}); err != nil {
		return err
	}
	after := s.clock.machine()
	took := after.Sub(before)
	s.clock.compare(after, there.Add(took/2).Sub(after.Round(0)))
	return nil
}

// goBack ends what had expired by the latest time that was noted, and starts
// over with an earlier one. Of several servers one does so.
func (s *Store) goBack(ctx context.Context, latest, now time.Time) error {
	begun, err := s.begin(ctx)
	if err != nil {
		return err
	}
	t := tx{Store: s, sql: begun}
	n, err := t.exec(ctx, setBackTime, t.at(now), t.at(latest))
	if err != nil || n == 0 {
		return rollback(begun, err)
	}
	for _, q := range endExpired {
		if _, err := t.exec(ctx, q, t.at(latest), t.at(latest)); err != nil {
			return rollback(begun, fmt.Errorf("after the clock was set back: %w", err))
		}
	}
	return outOfTime(ctx, begun.Commit())
}

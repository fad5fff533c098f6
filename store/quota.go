package store

import (
	"context"
	"errors"

	"github.com/reseed-project/reseed/members"
)

// countSiteDay is the guard: of several orders the last one alone finds room.
const countSiteDay statement = `
UPDATE site_days SET mails = mails + 1 WHERE site_id = ? AND day = ? AND mails < ?`

// endSiteDays leaves yesterday to servers whose clocks are behind.
const endSiteDays statement = `DELETE FROM site_days WHERE site_id = ? AND day < ?`

// Two servers may open a day at once: one row comes of it.
const (
	openSiteDaySQLite statement = `
INSERT INTO site_days (site_id, day, mails) VALUES (?, ?, 0) ON CONFLICT DO NOTHING`
	openSiteDayMySQL statement = `
INSERT INTO site_days (site_id, day, mails) VALUES (?, ?, 0) ON DUPLICATE KEY UPDATE mails = mails`
)

// AddSiteOrder inserts an order and counts it against the site's quota, both
// or neither. It reports false if the quota is used up. An order that is
// there already, since the answer to an earlier try was lost, counts once.
func (s *Store) AddSiteOrder(ctx context.Context, o members.Order, q members.Quota) (bool, error) {
	add := func(t tx) error { return t.addSiteOrder(ctx, o, q) }
	err := s.inTx(ctx, add)
	if disconnected(err) && ctx.Err() == nil {
		err = s.inTx(ctx, add)
	}
	if errors.Is(err, errUndo) {
		return false, nil
	}
	if duplicate(err) {
		err = s.sameOrder(ctx, o, err)
	}
	return err == nil, s.fail("add order of a site", err)
}

// addSiteOrder inserts first, so that an order that is there already is found
// before it is counted.
func (t tx) addSiteOrder(ctx context.Context, o members.Order, q members.Quota) error {
	if err := t.addOrder(ctx, o); err != nil {
		return err
	}
	n, err := t.exec(ctx, countSiteDay, q.Site, q.Day, q.Max)
	if err != nil || n == 1 {
		return err
	}
	if _, err := t.exec(ctx, t.choose(openSiteDayMySQL, openSiteDaySQLite), q.Site, q.Day); err != nil {
		return err
	}
	if _, err := t.exec(ctx, endSiteDays, q.Site, q.Day-1); err != nil {
		return err
	}
	return exactlyOne(t.exec(ctx, countSiteDay, q.Site, q.Day, q.Max))
}

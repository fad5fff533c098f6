package store

import (
	"context"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/members"
)

// listMembers reads by id: names have no index, and those who list are few.
const listMembers statement = `
SELECT ` + memberColumns + ` FROM members AS m
WHERE m.id > ? AND m.id > 0 AND (m.username <> '' OR m.email <> '')
	AND (? = '' OR m.status = ?)
	AND (? = 0 OR EXISTS (SELECT s.id FROM memberships AS s WHERE s.member_id = m.id AND s.group_id = ?))
	AND (? = 0 OR m.admin = 1)
	AND (? = 0 OR m.admin_locked = 1 OR m.locked_until > ?)
	AND (? = '' OR m.username_key LIKE ? ESCAPE '!' OR m.email_key LIKE ? ESCAPE '!'
		OR LOWER(m.firstname) LIKE ? ESCAPE '!' OR LOWER(m.surname) LIKE ? ESCAPE '!')
ORDER BY m.id LIMIT ?`

// ListMembers returns up to f.Limit members that f picks, by id.
func (s *Store) ListMembers(ctx context.Context, f members.ListFilter) ([]members.Member, error) {
	start := fold.ASCII(f.Start)
	like := likeStart(start)
	rows, err := s.query(ctx, listMembers, f.After, string(f.Status), string(f.Status), f.Group, f.Group, f.Admin, f.Locked, s.at(f.Now),
		start, s.exact(like), s.exact(like), like, like, f.Limit)
	if err != nil {
		return nil, s.fail("list members", err)
	}
	list, err := collect(rows, memberDest)
	return list, s.fail("list members", err)
}

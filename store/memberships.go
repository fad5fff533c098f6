package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

// membershipColumns are those of membershipDest. The table goes by s, the
// member by m and the group by g.
const membershipColumns = `s.id, s.role, s.notification, s.email_listed, s.created_at, ` + groupColumns + `, ` + memberColumns

func membershipDest(m *members.Membership) []any {
	dest := []any{&m.ID, &m.Role, &m.Notification, &m.EmailListed, scanTime{&m.Created}}
	return append(append(dest, groupDest(&m.Group)...), memberDest(&m.Member)...)
}

const membershipTables = ` FROM memberships AS s
JOIN member_groups AS g ON g.id = s.group_id JOIN members AS m ON m.id = s.member_id `

const (
	findMembership statement = `SELECT ` + membershipColumns + membershipTables + `WHERE s.group_id = ? AND s.member_id = ?`
	membershipsOf  statement = `SELECT ` + membershipColumns + membershipTables + `WHERE s.member_id = ? ORDER BY g.name_key`
	// A key that is NULL is not asked for.
	searchMemberships statement = `SELECT ` + membershipColumns + membershipTables + `
WHERE s.group_id = ? AND s.member_id > ?
	AND (? IS NULL OR m.username_key = ?) AND (? IS NULL OR m.email_key = ?) AND (? = '' OR s.role = ?)
ORDER BY s.member_id LIMIT ?`
	joinAs statement = `
INSERT INTO memberships (group_id, member_id, role, notification, email_listed, created_at) VALUES (?, ?, ?, ?, ?, ?)`
	changeMembership statement = `
UPDATE memberships SET role = ?, notification = ?, email_listed = ? WHERE id = ?`
)

// FindMembership returns a membership, the zero Membership if there is none.
func (s *Store) FindMembership(ctx context.Context, group, member int64) (members.Membership, error) {
	var m members.Membership
	err := s.row(ctx, findMembership, []any{group, member}, membershipDest(&m)...)
	if errors.Is(err, sql.ErrNoRows) {
		return members.Membership{}, nil
	}
	if err != nil {
		return members.Membership{}, s.fail("find membership", err)
	}
	return m, nil
}

// MembershipsOf returns a member's memberships by the groups' names.
func (s *Store) MembershipsOf(ctx context.Context, member int64) ([]members.Membership, error) {
	return s.memberships(ctx, membershipsOf, member)
}

// SearchMemberships returns a page of those of a group that a search finds, by
// the members' ids. Names have no key: they are compared row by row.
func (s *Store) SearchMemberships(ctx context.Context, group int64, q members.MembershipSearch) ([]members.Membership, error) {
	size := min(max(q.PageSize, 1), members.MaxPage)
	skip := (max(q.Page, 1) - 1) * size
	username, email := s.key(q.Username), s.key(q.Email)
	var found []members.Membership
	for after := q.After; ; {
		rows, err := s.memberships(ctx, searchMemberships, group, after, username, username, email, email, string(q.Role), string(q.Role), members.MaxPage)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			after = m.Member.ID
			if !hasNames(m.Member, q) {
				continue
			}
			if skip > 0 {
				skip--
				continue
			}
			if found = append(found, m); len(found) == size {
				return found, nil
			}
		}
		if len(rows) < members.MaxPage {
			return found, nil
		}
	}
}

// hasNames reports whether a member has the names that are asked for.
func hasNames(m members.Member, q members.MembershipSearch) bool {
	return (q.Firstname == "" || fold.ASCII(q.Firstname) == fold.ASCII(m.Firstname)) &&
		(q.Surname == "" || fold.ASCII(q.Surname) == fold.ASCII(m.Surname))
}

func (s *Store) memberships(ctx context.Context, q statement, args ...any) ([]members.Membership, error) {
	rows, err := s.query(ctx, q, args...)
	if err != nil {
		return nil, s.fail("list memberships", err)
	}
	list, err := collect(rows, membershipDest)
	return list, s.fail("list memberships", err)
}

// Join joins a member to a group, or changes the membership, and reports
// whether that changed anything.
func (s *Store) Join(ctx context.Context, m members.Membership) (bool, error) {
	var changed bool
	err := s.inTx(ctx, func(t tx) (err error) {
		changed, err = t.joinOrChange(ctx, m)
		return err
	})
	return changed && err == nil, s.fail("join a group", err)
}

func (t tx) joinOrChange(ctx context.Context, m members.Membership) (bool, error) {
	var old members.Membership
	err := t.row(ctx, findMembership, []any{m.Group.ID, m.Member.ID}, membershipDest(&old)...)
	if errors.Is(err, sql.ErrNoRows) {
		return true, t.joinAs(ctx, m)
	}
	if err != nil || old.Role == m.Role && old.Notification == m.Notification && old.EmailListed == m.EmailListed {
		return false, err
	}
	_, err = t.exec(ctx, changeMembership, string(m.Role), string(m.Notification), m.EmailListed, old.ID)
	return true, err
}

// joinAs adds a membership, with the defaults if values are missing.
func (t tx) joinAs(ctx context.Context, m members.Membership) error {
	if m.Role == "" {
		m.Role = groups.Contributor
	}
	if m.Notification == "" {
		m.Notification = groups.Immediate
	}
	if m.Created.IsZero() {
		m.Created = t.now()
	}
	_, err := t.exec(ctx, joinAs, m.Group.ID, m.Member.ID, string(m.Role), string(m.Notification), m.EmailListed, t.at(m.Created))
	return err
}

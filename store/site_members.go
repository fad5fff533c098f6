package store

import (
	"context"
	"strings"

	"github.com/reseed-project/reseed/members"
)

// groupMembers takes lists as texts whose values stand between line breaks; an
// empty one selects everybody, or excludes nobody.
const (
	groupMembersFrom = `
FROM memberships AS g JOIN members AS m ON m.id = g.member_id
WHERE g.group_id = ? AND m.email_key IS NOT NULL
	AND (? = '' OR INSTR(?, CONCAT(CHAR(10), m.id, CHAR(10))) > 0) AND INSTR(?, CONCAT(CHAR(10), m.id, CHAR(10))) = 0
	AND (? = '' OR INSTR(?, CONCAT(CHAR(10), m.email_key, CHAR(10))) > 0) AND INSTR(?, CONCAT(CHAR(10), m.email_key, CHAR(10))) = 0
	AND SUBSTR(m.email_key, 1, LENGTH(?)) = ?`
	groupMembersList = `SELECT ` + memberColumns + groupMembersFrom

	countGroupMembers    statement = `SELECT COUNT(*)` + groupMembersFrom
	membersByID          statement = groupMembersList + ` ORDER BY m.id LIMIT ? OFFSET ?`
	membersByIDDown      statement = groupMembersList + ` ORDER BY m.id DESC LIMIT ? OFFSET ?`
	membersByEmail       statement = groupMembersList + ` ORDER BY m.email_key, m.id LIMIT ? OFFSET ?`
	membersByEmailDown   statement = groupMembersList + ` ORDER BY m.email_key DESC, m.id DESC LIMIT ? OFFSET ?`
	membersByCreated     statement = groupMembersList + ` ORDER BY m.created_at, m.id LIMIT ? OFFSET ?`
	membersByCreatedDown statement = groupMembersList + ` ORDER BY m.created_at DESC, m.id DESC LIMIT ? OFFSET ?`
	membersByLogin       statement = groupMembersList + ` ORDER BY m.last_login_at, m.id LIMIT ? OFFSET ?`
	membersByLoginDown   statement = groupMembersList + ` ORDER BY m.last_login_at DESC, m.id DESC LIMIT ? OFFSET ?`
)

func groupOrder(q members.MemberQuery) statement {
	orders := map[members.MemberOrder][2]statement{
		members.ByID: {membersByID, membersByIDDown}, members.ByEmail: {membersByEmail, membersByEmailDown},
		members.ByCreated: {membersByCreated, membersByCreatedDown}, members.ByLastLogin: {membersByLogin, membersByLoginDown},
	}
	if q.Backward {
		return orders[q.Order][1]
	}
	return orders[q.Order][0]
}

// GroupMembers returns a page of a group's members who have an address, and how
// many match in all.
func (s *Store) GroupMembers(ctx context.Context, group int64, q members.MemberQuery) ([]members.Member, int, error) {
	ids, emails, prefix := lines(q.ID.In), s.exact(lines(q.Email.In)), s.exact(q.Email.Prefix)
	args := []any{
		group, ids, ids, lines(q.ID.NotIn), emails, emails, s.exact(lines(q.Email.NotIn)), prefix, prefix,
	}
	var total int
	if err := s.row(ctx, countGroupMembers, args, &total); err != nil {
		return nil, 0, s.fail("count members of a group", err)
	}
	ordered := groupOrder(q)
	rows, err := s.query(ctx, ordered, append(args, q.Limit, q.Offset)...)
	if err != nil {
		return nil, 0, s.fail("list members of a group", err)
	}
	list, err := collect(rows, memberDest)
	return list, total, s.fail("list members of a group", err)
}

// lines puts every value between line breaks; "" if there is no list at all,
// which is not an empty list.
func lines(list []string) string {
	if list == nil {
		return ""
	}
	return "\n" + strings.Join(list, "\n") + "\n"
}

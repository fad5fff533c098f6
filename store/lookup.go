package store

import (
	"context"
	"database/sql"
	"hash/maphash"

	"reseed/members"
)

// memberColumns are a member's columns in the order of memberDest. The table
// goes by m in every statement.
const memberColumns = `m.id, m.username, m.email, m.firstname, m.surname, m.status,
	m.admin, m.api_account, m.admin_locked, m.locked_until, m.failed_signins, m.lock_threshold,
	m.language, m.password_hash, m.created_at, m.activated_at, m.last_login_at, m.password_changed_at`

func memberDest(m *members.Member) []any {
	return []any{
		&m.ID, &m.Username, &m.Email, &m.Firstname, &m.Surname, &m.Status,
		&m.Admin, &m.APIAccount, &m.Locked, scanTime{&m.LockedUntil}, &m.FailedSignIns, &m.LockThreshold,
		&m.Language, &m.Password, scanTime{&m.Created}, scanTime{&m.Activated},
		scanTime{&m.LastLogin}, scanTime{&m.LastPasswordChange},
	}
}

// findMember looks by each identifier in its unique key and joins the member
// that all of the given ones agree on. Where there is none it reads another
// member's row instead, always the same one for the same identifiers: a miss
// takes the same steps as a hit, over rows that are as often, or as rarely,
// asked for. The row of nobody (id 0) stands in where that id is not in use.
const findMember statement = `
SELECT ids.top, i.id, u.id, e.id,
	EXISTS (SELECT s.member_id FROM memberships AS s WHERE s.group_id = ? AND s.member_id = m.id),
	EXISTS (SELECT s.member_id FROM memberships AS s WHERE s.group_id = ? AND s.member_id = ?),
	` + memberColumns + `
FROM (SELECT MAX(x.id) AS top FROM members AS x) AS ids
LEFT JOIN members AS i ON i.id = ?
LEFT JOIN members AS u ON u.username_key = ?
LEFT JOIN members AS e ON e.email_key = ?
LEFT JOIN members AS m ON m.id = COALESCE((SELECT x.id FROM members AS x WHERE x.id = CASE
	WHEN (i.id IS NOT NULL) + (u.id IS NOT NULL) + (e.id IS NOT NULL) = ?
		AND COALESCE(i.id, u.id, e.id) = COALESCE(u.id, e.id, i.id)
		AND COALESCE(u.id, e.id, i.id) = COALESCE(e.id, i.id, u.id)
	THEN COALESCE(i.id, u.id, e.id) ELSE ? % (1 + ids.top) END), 0)`

// FindMember returns the member that l names, the zero Member where there is
// none. Its one statement yields one row in either case.
func (s *Store) FindMember(ctx context.Context, l members.Lookup) (members.Found, error) {
	var f members.Found
	var id, username, email sql.NullInt64
	args := []any{l.Group, l.Group, l.Caller, number(l.ID), s.key(l.Username), s.key(l.Email), given(l), s.standIn(l)}
	dest := append([]any{&f.Top, &id, &username, &email, &f.InGroup, &f.CallerInGroup}, memberDest(&f.Member)...)
	if err := s.row(ctx, findMember, args, dest...); err != nil {
		return members.Found{}, s.fail("find member", err)
	}
	f.Row = f.Member.ID
	f.Conflict = username.Valid && email.Valid && username.Int64 != email.Int64
	if !agree(l, id, username, email) {
		f.Member, f.InGroup = members.Member{}, false
	}
	return f, nil
}

// given counts the identifiers that must agree.
func given(l members.Lookup) int {
	n := 0
	for _, is := range []bool{l.ID != 0, l.Username != "", l.Email != ""} {
		if is {
			n++
		}
	}
	return n
}

// agree reports whether each given identifier was found, and all with one member.
func agree(l members.Lookup, found ...sql.NullInt64) bool {
	n := 0
	var one int64
	for _, id := range found {
		if !id.Valid {
			continue
		}
		if n++; n > 1 && id.Int64 != one {
			return false
		}
		one = id.Int64
	}
	return n > 0 && n == given(l)
}

// standIn picks whose row is read for somebody who isn't there.
func (s *Store) standIn(l members.Lookup) int64 {
	sum := maphash.Comparable(s.standIns, [2]string{members.Fold(l.Username), members.Fold(l.Email)})
	return int64(sum >> 1)
}

package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

const updateMember statement = `
UPDATE members SET username = ?, username_key = ?, email = ?, email_key = ?, firstname = ?, surname = ?,
	status = ?, admin = ?, api_account = ?, language = ?, activated_at = ?, password_hash = ?
WHERE id = ?`

// SetMember edits a member as an administrator does. Tokens and sessions end
// if members.EndsAccess says so. It returns errcodes.MissingMember if there is no such
// member, a *members.TakenError if an identifier is another's, and
// members.ErrUnidentified.
func (s *Store) SetMember(ctx context.Context, member int64, e members.Edit) error {
	err := s.inTx(ctx, func(t tx) error { return t.setMember(ctx, member, e) })
	if taken := (*members.TakenError)(nil); errors.As(err, &taken) {
		return taken
	}
	return s.fail("set member", err)
}

func (t tx) setMember(ctx context.Context, member int64, e members.Edit) error {
	before, err := t.member(ctx, member)
	if err == nil {
		err = t.edit(ctx, before, e)
	}
	if err != nil {
		return err
	}
	return t.tell(ctx, members.MemberChanged, member, t.now())
}

const (
	memberSQLite statement = `SELECT ` + memberColumns + ` FROM members AS m WHERE m.id = ? AND m.id > 0`
	memberMySQL            = memberSQLite + ` FOR UPDATE`
)

// member returns a member whose row nobody else changes before the transaction
// ends: errcodes.MissingMember.
func (t tx) member(ctx context.Context, id int64) (m members.Member, err error) {
	err = t.row(ctx, t.choose(memberMySQL, memberSQLite), []any{id}, memberDest(&m)...)
	if errors.Is(err, sql.ErrNoRows) {
		err = errcodes.New(errcodes.MissingMember)
	}
	return m, err
}

// edit changes the member that t.member returned.
func (t tx) edit(ctx context.Context, before members.Member, e members.Edit) error {
	m := e.Applied(before, t.now())
	if m.Username == "" && m.Email == "" {
		return members.ErrUnidentified
	}
	_, err := t.exec(ctx, updateMember, m.Username, t.key(m.Username), m.Email, t.key(m.Email), m.Firstname, m.Surname,
		string(m.Status), m.Admin, m.APIAccount, m.Language, t.at(m.Activated), t.exact(string(m.Password)), m.ID)
	if duplicate(err) {
		return &members.TakenError{Field: "username or email"}
	}
	if err != nil || !members.EndsAccess(before, m) {
		return err
	}
	return t.endAccess(ctx, m.ID, t.now(), 0)
}

const (
	removeMember     statement = `DELETE FROM members WHERE id = ? AND id > 0`
	removeMails      statement = `DELETE FROM mails WHERE member_id = ?`
	removeEvents     statement = `DELETE FROM events WHERE member_id = ?`
	removeEventsOf   statement = `DELETE FROM events WHERE identifier = ?`
	removeSiteTokens statement = `DELETE FROM site_tokens WHERE member_id = ?`
)

// RemoveMember erases a member and everything about it in one transaction:
// memberships, mails, tokens, sessions, clients that act as it, and its security
// events, also those that hold one of the identifiers as events show them. It
// returns errcodes.MissingMember if there is no such member.
func (s *Store) RemoveMember(ctx context.Context, member int64, identifiers []string) error {
	err := s.inTx(ctx, func(t tx) error {
		if err := someone(t.exec(ctx, removeMember, member)); err != nil {
			return err // what refers to the member goes with it
		}
		for _, q := range []statement{removeMails, removeEvents, removeSiteTokens, removeCalls} {
			if _, err := t.exec(ctx, q, member); err != nil {
				return err
			}
		}
		for _, identifier := range identifiers {
			if identifier == "" {
				continue
			}
			if _, err := t.exec(ctx, removeEventsOf, t.exact(identifier)); err != nil {
				return err
			}
		}
		return t.tell(ctx, members.MemberRemoved, member, t.now())
	})
	return s.fail("remove member", err)
}

const (
	updateGroup statement = `UPDATE member_groups SET title = ?, description = ? WHERE id = ?`
	removeGroup statement = `DELETE FROM member_groups WHERE id = ?`
	sitesOf     statement = `SELECT count(*) FROM sites AS s WHERE s.group_id = ?`
)

// SetGroup stores a group's title and description. It returns
// errcodes.MissingGroup if there is no such group.
func (s *Store) SetGroup(ctx context.Context, g groups.Group) error {
	n, err := s.exec(ctx, updateGroup, g.Title, g.Description, g.ID)
	if err == nil && n == 0 {
		err = errcodes.New(errcodes.MissingGroup)
	}
	return s.fail("set group", err)
}

// ErrGroupHasSites is what RemoveGroup returns for a group of Wix sites.
var ErrGroupHasSites = errors.New("the group belongs to Wix sites: remove them first")

// RemoveGroup removes a group with its memberships; its members stay. It returns
// errcodes.MissingGroup if there is no such group, and ErrGroupHasSites.
func (s *Store) RemoveGroup(ctx context.Context, group int64) error {
	err := s.inTx(ctx, func(t tx) error {
		var sites int
		if err := t.row(ctx, sitesOf, []any{group}, &sites); err != nil {
			return err
		}
		if sites > 0 {
			return ErrGroupHasSites
		}
		n, err := t.exec(ctx, removeGroup, group)
		if err == nil && n == 0 {
			return errcodes.New(errcodes.MissingGroup)
		}
		return err
	})
	if errors.Is(err, ErrGroupHasSites) {
		return ErrGroupHasSites
	}
	return s.fail("remove group", err)
}

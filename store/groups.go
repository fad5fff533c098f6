package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

// groupColumns are a group's columns in the order of groupDest. The table goes
// by g in every statement.
//
// Groups that belong to one have names that start with its name and '-': keys
// from there up to '.', the next character.
const groupColumns = `g.id, g.name, g.title, g.description,
	EXISTS (SELECT c.id FROM member_groups AS c
		WHERE c.name_key >= CONCAT(g.name_key, '-') AND c.name_key < CONCAT(g.name_key, '.'))`

func groupDest(g *groups.Group) []any {
	return []any{&g.ID, &g.Name, &g.Title, &g.Description, &g.IsProject}
}

const (
	groupByName statement = `SELECT ` + groupColumns + ` FROM member_groups AS g WHERE g.name_key = ?`
	groupByID   statement = `SELECT ` + groupColumns + ` FROM member_groups AS g WHERE g.id = ?`
	listGroups  statement = `SELECT ` + groupColumns + ` FROM member_groups AS g ORDER BY g.name_key`
	groupsOf    statement = `SELECT ` + groupColumns + ` FROM memberships AS s
JOIN member_groups AS g ON g.id = s.group_id WHERE s.member_id = ? ORDER BY g.name_key`
	addGroup   statement = `INSERT INTO member_groups (name_key, name, title, description) VALUES (?, ?, ?, ?)`
	addGroupAs statement = `INSERT INTO member_groups (id, name_key, name, title, description) VALUES (?, ?, ?, ?, ?)`
	leaveGroup statement = `DELETE FROM memberships WHERE group_id = ? AND member_id = ?`
)

// FindGroup returns the group of that name, compared after fold.ASCII, or
// else the zero Group.
func (s *Store) FindGroup(ctx context.Context, name string) (groups.Group, error) {
	var g groups.Group
	err := s.row(ctx, groupByName, []any{s.key(name)}, groupDest(&g)...)
	return found(g, s.fail("find group", ignoreNoRows(err)))
}

// FindGroupID returns the group of that id, or else the zero Group.
func (s *Store) FindGroupID(ctx context.Context, id int64) (groups.Group, error) {
	var g groups.Group
	err := s.row(ctx, groupByID, []any{id}, groupDest(&g)...)
	return found(g, s.fail("find group", ignoreNoRows(err)))
}

func found(g groups.Group, err error) (groups.Group, error) {
	if err != nil {
		return groups.Group{}, err
	}
	return g, nil
}

func ignoreNoRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// AddGroup inserts a group and returns its id. A name that is taken yields a
// *members.TakenError with the field "name".
func (s *Store) AddGroup(ctx context.Context, g groups.Group) (int64, error) {
	var id int64
	err := s.inTx(ctx, func(t tx) (err error) {
		if g.ID > 0 {
			id = g.ID
			_, err = t.exec(ctx, addGroupAs, g.ID, t.key(g.Name), g.Name, g.Title, g.Description)
			return err
		}
		id, err = t.insert(ctx, addGroup, t.key(g.Name), g.Name, g.Title, g.Description)
		return err
	})
	if duplicate(err) {
		if g.ID > 0 {
			return 0, &members.TakenError{Field: "name or id"}
		}
		return 0, &members.TakenError{Field: "name"}
	}
	if err != nil {
		return 0, s.fail("add group", err)
	}
	return id, nil
}

// ListGroups returns all groups by name.
func (s *Store) ListGroups(ctx context.Context) ([]groups.Group, error) {
	return s.groups(ctx, listGroups)
}

// GroupsOf returns the groups that a member belongs to, by name.
func (s *Store) GroupsOf(ctx context.Context, member int64) ([]groups.Group, error) {
	return s.groups(ctx, groupsOf, member)
}

func (s *Store) groups(ctx context.Context, q statement, args ...any) ([]groups.Group, error) {
	rows, err := s.query(ctx, q, args...)
	if err != nil {
		return nil, s.fail("list groups", err)
	}
	list, err := collect(rows, groupDest)
	return list, s.fail("list groups", err)
}

// SetMembership joins a member to a group, or lets it leave, and reports
// whether that changed anything. Who leaves loses the tokens of that group.
func (s *Store) SetMembership(ctx context.Context, group, member int64, in bool) (bool, error) {
	var changed bool
	err := s.inTx(ctx, func(t tx) (err error) {
		if in {
			changed, err = t.join(ctx, group, member)
			return err
		}
		changed, err = t.leave(ctx, group, member)
		return err
	})
	if err != nil {
		return false, s.fail("set membership", err)
	}
	return changed, nil
}

func (t tx) join(ctx context.Context, group, member int64) (bool, error) {
	err := t.joinAs(ctx, members.NewMembership(group, member))
	if duplicate(err) {
		return false, nil
	}
	return err == nil, err
}

func (t tx) leave(ctx context.Context, group, member int64) (bool, error) {
	n, err := t.exec(ctx, leaveGroup, group, member)
	if err != nil || n == 0 {
		return false, err
	}
	_, err = t.exec(ctx, voidGroupTokens, t.at(t.now()), member, group)
	return true, err
}

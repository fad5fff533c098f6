package store

import (
	"context"
	"database/sql"
	"errors"

	"reseed/members"
)

const addClient statement = `
INSERT INTO oauth_clients (id, name, secret_hash, member_id, created_at) VALUES (?, ?, ?, ?, ?)`

// AddClient adds an OAuth client. Created is now where it is zero.
func (s *Store) AddClient(ctx context.Context, c members.Client) error {
	if c.Created.IsZero() {
		c.Created = s.now()
	}
	_, err := s.exec(ctx, addClient, s.exact(c.ID), c.Name, c.Secret[:], number(c.Member.ID), s.at(c.Created))
	return s.fail("add client", err)
}

const (
	// Everyone has the row of nobody to join, so that the member's columns are never NULL.
	findClient statement = `
SELECT x.id, x.name, x.secret_hash, x.created_at, ` + memberColumns + `
FROM oauth_clients AS x JOIN members AS m ON m.id = COALESCE(x.member_id, 0) WHERE x.id = ?`
	listClients statement = `
SELECT x.id, x.name, x.secret_hash, x.created_at, ` + memberColumns + `
FROM oauth_clients AS x JOIN members AS m ON m.id = COALESCE(x.member_id, 0) ORDER BY x.created_at, x.id`
	removeClient statement = `DELETE FROM oauth_clients WHERE id = ?`
)

func clientDest(c *members.Client) []any {
	return append([]any{&c.ID, &c.Name, scanToken{&c.Secret}, scanTime{&c.Created}}, memberDest(&c.Member)...)
}

// FindClient returns the client of that id, or else the zero Client.
func (s *Store) FindClient(ctx context.Context, id string) (members.Client, error) {
	var c members.Client
	err := s.row(ctx, findClient, []any{s.exact(id)}, clientDest(&c)...)
	if errors.Is(err, sql.ErrNoRows) {
		return members.Client{}, nil
	}
	if err != nil {
		return members.Client{}, s.fail("find client", err)
	}
	c.Member = somebody(c.Member)
	return c, nil
}

// ListClients returns all clients, the oldest first.
func (s *Store) ListClients(ctx context.Context) ([]members.Client, error) {
	rows, err := s.query(ctx, listClients)
	if err != nil {
		return nil, s.fail("list clients", err)
	}
	var list []members.Client
	err = each(rows, func(r *sql.Rows) error {
		var c members.Client
		if err := r.Scan(clientDest(&c)...); err != nil {
			return err
		}
		c.Member = somebody(c.Member)
		list = append(list, c)
		return nil
	})
	return list, s.fail("list clients", err)
}

// RemoveClient removes a client and with it its tokens; it reports whether
// there was such a client.
func (s *Store) RemoveClient(ctx context.Context, id string) (bool, error) {
	n, err := s.exec(ctx, removeClient, s.exact(id))
	return n > 0, s.fail("remove client", err)
}

// somebody turns the row of nobody into the zero Member.
func somebody(m members.Member) members.Member {
	if m.Zero() {
		return members.Member{}
	}
	return m
}

package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"

	"github.com/reseed-project/reseed/members"
)

const addClient statement = `
INSERT INTO oauth_clients (id, given_id, grants, name, secret_hash, member_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`

// AddClient adds an OAuth client. Created is now if it is zero.
func (s *Store) AddClient(ctx context.Context, c members.Client) error {
	if c.Created.IsZero() {
		c.Created = s.now()
	}
	_, err := s.exec(ctx, addClient, s.clientKey(c.ID), s.givenID(c.ID), grantsText(c.Grants), c.Name, c.Secret[:], number(c.Member.ID), s.at(c.Created))
	return s.fail("add client", err)
}

const (
	// Everyone has the row 0 to join, so that the member's columns are never NULL.
	findClient statement = `
SELECT x.id, x.given_id, x.grants, x.name, x.secret_hash, x.created_at, ` + memberColumns + `
FROM oauth_clients AS x JOIN members AS m ON m.id = COALESCE(x.member_id, 0) WHERE x.id = ?`
	listClients statement = `
SELECT x.id, x.given_id, x.grants, x.name, x.secret_hash, x.created_at, ` + memberColumns + `
FROM oauth_clients AS x JOIN members AS m ON m.id = COALESCE(x.member_id, 0) ORDER BY x.created_at, x.id`
	removeClient statement = `DELETE FROM oauth_clients WHERE id = ?`
)

func clientDest(c *members.Client) []any {
	return append([]any{scanClientID{&c.ID}, scanGivenID{&c.ID}, scanGrants{&c.Grants}, &c.Name, scanToken{&c.Secret}, scanTime{&c.Created}}, memberDest(&c.Member)...)
}

// FindClient returns the client of that id, or else the zero Client.
func (s *Store) FindClient(ctx context.Context, id string) (members.Client, error) {
	var c members.Client
	err := s.row(ctx, findClient, []any{s.clientKey(id)}, clientDest(&c)...)
	if errors.Is(err, sql.ErrNoRows) {
		return members.Client{}, nil
	}
	if err != nil {
		return members.Client{}, s.fail("find client", err)
	}
	c.Member = somebody(c.Member)
	if c.ID != id {
		return members.Client{}, nil // another id of the same key
	}
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
	n, err := s.exec(ctx, removeClient, s.clientKey(id))
	return n > 0, s.fail("remove client", err)
}

// somebody turns the row of nobody into the zero Member.
func somebody(m members.Member) members.Member {
	if m.Zero() {
		return members.Member{}
	}
	return m
}

// clientKey returns the key of a client: its id, or for one that was given
// elsewhere as many digits of its SHA-256.
func (s *Store) clientKey(id string) any {
	if ownClientID.MatchString(id) {
		return s.exact(id)
	}
	sum := sha256.Sum256([]byte(id))
	return s.exact(hex.EncodeToString(sum[:8]))
}

var ownClientID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// givenID returns an id that was given elsewhere, "" for one of our own.
func (s *Store) givenID(id string) any {
	if ownClientID.MatchString(id) {
		return s.exact("")
	}
	return s.exact(id)
}

// scanClientID and scanGivenID read a client's id from both of its columns, in
// this order.
type scanClientID struct{ id *string }

// Scan implements sql.Scanner.
func (c scanClientID) Scan(v any) error {
	*c.id = columnText(v)
	return nil
}

type scanGivenID struct{ id *string }

// Scan implements sql.Scanner.
func (c scanGivenID) Scan(v any) error {
	if given := columnText(v); given != "" {
		*c.id = given
	}
	return nil
}

func columnText(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	text, _ := v.(string)
	return text
}

func grantsText(grants []members.Grant) string {
	words := make([]string, len(grants))
	for i, g := range grants {
		words[i] = string(g)
	}
	return strings.Join(words, " ")
}

type scanGrants struct{ grants *[]members.Grant }

// Scan implements sql.Scanner.
func (g scanGrants) Scan(v any) error {
	*g.grants = nil
	for word := range strings.FieldsSeq(columnText(v)) {
		*g.grants = append(*g.grants, members.Grant(word))
	}
	return nil
}

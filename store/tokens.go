package store

import (
	"context"
	"database/sql"
	"errors"

	"reseed/members"
	"reseed/password"
)

const (
	addAccessToken statement = `
INSERT INTO access_tokens (token_hash, client_id, member_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)`
	dropOldTokens statement = `DELETE FROM access_tokens WHERE client_id = ? AND expires_at < ?`
)

// AddAccessToken adds a token of its client, and removes the client's expired
// ones. The new row comes first: it waits for changes of the member without
// holding anything that these want.
func (s *Store) AddAccessToken(ctx context.Context, a members.AccessToken) error {
	err := s.inTx(ctx, func(t tx) error {
		client := t.exact(a.Client)
		_, err := t.exec(ctx, addAccessToken, token(a.Token), client, number(a.Member.ID), t.at(a.Created), t.at(a.Expires))
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, dropOldTokens, client, t.at(a.Created))
		return err
	})
	return s.fail("add access token", err)
}

const findAccessToken statement = `
SELECT x.client_id, x.created_at, x.expires_at, ` + memberColumns + `
FROM access_tokens AS x JOIN members AS m ON m.id = COALESCE(x.member_id, 0) WHERE x.token_hash = ?`

// FindAccessToken returns a token with its member, the zero AccessToken where there is none.
func (s *Store) FindAccessToken(ctx context.Context, t password.TokenHash) (members.AccessToken, error) {
	found := members.AccessToken{Token: t}
	dest := append([]any{&found.Client, scanTime{&found.Created}, scanTime{&found.Expires}}, memberDest(&found.Member)...)
	err := s.row(ctx, findAccessToken, []any{t[:]}, dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return members.AccessToken{}, nil
	}
	if err != nil {
		return members.AccessToken{}, s.fail("find access token", err)
	}
	found.Member = somebody(found.Member)
	return found, nil
}

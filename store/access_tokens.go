package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
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
		client := t.clientKey(a.Client)
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

// FindAccessToken returns a token with its member, the zero AccessToken if there is none.
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

// holdSignIn finds the member of a sign-in, and keeps others from changing the
// password until the transaction ends.
const holdSignIn statement = `
UPDATE members SET password_hash = password_hash
WHERE id = ? AND id > 0 AND password_hash = ? AND admin_locked = 0 AND status = 'activated'`

const (
	spendRefreshToken statement = `DELETE FROM refresh_tokens WHERE token_hash = ? AND client_id = ? AND expires_at >= ?`
	addRefreshToken   statement = `
INSERT INTO refresh_tokens (token_hash, client_id, member_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)`
	findRefreshToken statement = `
SELECT c.id, c.given_id, x.created_at, x.expires_at, ` + memberColumns + `
FROM refresh_tokens AS x JOIN oauth_clients AS c ON c.id = x.client_id JOIN members AS m ON m.id = x.member_id
WHERE x.token_hash = ?`
)

// GiveTokens adds tokens in one transaction, and spends a refresh token, if one
// is given: of several uses one alone finds it. It reports false, and changes
// nothing, if the token is not there, or if the member who signed in for them
// has another password by now or may not sign in: no token outlives a reset.
func (s *Store) GiveTokens(ctx context.Context, g members.GivenTokens) (bool, error) {
	err := s.inTx(ctx, func(t tx) error { return t.giveTokens(ctx, g) })
	if errors.Is(err, errUndo) {
		return false, nil
	}
	return err == nil, s.fail("give tokens", err)
}

func (t tx) giveTokens(ctx context.Context, g members.GivenTokens) error {
	a := g.Access
	client := t.clientKey(a.Client)
	if g.Proven != "" {
		if err := exactlyOne(t.exec(ctx, holdSignIn, a.Member.ID, t.exact(string(g.Proven)))); err != nil {
			return err
		}
	}
	if g.Spends != (password.TokenHash{}) {
		if err := exactlyOne(t.exec(ctx, spendRefreshToken, token(g.Spends), client, t.at(a.Created))); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, addAccessToken, token(a.Token), client, number(a.Member.ID), t.at(a.Created), t.at(a.Expires))
	if err != nil {
		return err
	}
	if r := g.Refresh; r.Token != (password.TokenHash{}) {
		if _, err := t.exec(ctx, addRefreshToken, token(r.Token), client, r.Member.ID, t.at(r.Created), t.at(r.Expires)); err != nil {
			return err
		}
	}
	_, err = t.exec(ctx, dropOldTokens, client, t.at(a.Created))
	return err
}

// FindRefreshToken returns a token with its member, the zero OAuthRefreshToken if there is none.
func (s *Store) FindRefreshToken(ctx context.Context, h password.TokenHash) (members.OAuthRefreshToken, error) {
	found := members.OAuthRefreshToken{Token: h}
	dest := append([]any{scanClientID{&found.Client}, scanGivenID{&found.Client}, scanTime{&found.Created}, scanTime{&found.Expires}},
		memberDest(&found.Member)...)
	err := s.row(ctx, findRefreshToken, []any{h[:]}, dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return members.OAuthRefreshToken{}, nil
	}
	if err != nil {
		return members.OAuthRefreshToken{}, s.fail("find refresh token", err)
	}
	return found, nil
}

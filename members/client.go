package members

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"reseed/errcodes"
	"reseed/password"
)

// ErrClient says that client credentials are not good, or not good any more.
var ErrClient = errors.New("bad client credentials")

var errBearer = errors.New("no such access token")

// clientIDBytes makes 16 hexadecimal digits.
const clientIDBytes = 8

// maxClientName is what the database has room for, in characters.
const maxClientName = 100

// NewClient makes an OAuth client that acts as m, or as nobody, and its
// secret, which is not kept. Random is crypto/rand where nil.
func NewClient(name string, m Member, random io.Reader) (c Client, secret string, err error) {
	if name == "" {
		return c, "", errors.New("name is missing")
	}
	if err := fieldFault("name", textFault(name, maxClientName)); err != nil {
		return c, "", err
	}
	if random == nil {
		random = rand.Reader
	}
	var id [clientIDBytes]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return c, "", fmt.Errorf("make a client id: %w", err)
	}
	if secret, err = randomText(random); err != nil {
		return c, "", err
	}
	return Client{ID: hex.EncodeToString(id[:]), Name: name, Secret: password.HashToken(secret), Member: m}, secret, nil
}

// Grant returns an access token for client credentials. A member who is locked
// by an administrator, or disabled, has no clients. Errors: ErrClient.
func (s *Service) Grant(ctx context.Context, client, secret string) (token string, err error) {
	c, err := s.Clients.FindClient(ctx, client)
	if err != nil {
		return "", err
	}
	// A secret is 256 random bits: one SHA-256 is enough, no slow hash is needed.
	if !c.Secret.Equal(password.HashToken(secret)) || c.Zero() || c.Member.Refused() {
		s.audit(ctx, Caller{}, Event{Kind: SignInRefused, MemberID: c.Member.ID, Detail: "client " + c.ID}, errcodes.BadCredentials(ErrClient))
		return "", ErrClient
	}
	if token, err = s.secret(); err != nil {
		return "", err
	}
	now := s.Now()
	err = s.Clients.AddAccessToken(ctx, AccessToken{
		Token: password.HashToken(token), Client: c.ID, Member: c.Member, Created: now, Expires: now.Add(s.Access.TokenLife),
	})
	if err != nil {
		return "", err
	}
	s.audit(ctx, Caller{}, Event{Kind: SignedIn, MemberID: c.Member.ID, Actor: "client " + c.ID, Detail: "access token"}, nil)
	return token, nil
}

// Bearer returns whom an access token speaks for: a member, or nobody where
// the token's client acts as none; that caller may do what anybody may. Errors:
// 401 0101.
func (s *Service) Bearer(ctx context.Context, token string) (Caller, error) {
	t, err := s.Clients.FindAccessToken(ctx, password.HashToken(token))
	if err != nil {
		return Caller{}, err
	}
	if t.Client == "" || s.Now().After(t.Expires) || t.Member.Refused() {
		return Caller{}, errcodes.BadCredentials(errBearer)
	}
	return Caller{Member: t.Member}, nil
}

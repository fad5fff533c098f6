package members

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/password"
)

// ErrClient says that client credentials are not good, or not good any more.
var ErrClient = errors.New("bad client credentials")

var errBearer = errors.New("no such access token")

// clientIDBytes makes 16 hexadecimal digits.
const clientIDBytes = 8

// maxClientName is what the database has room for, in characters.
const maxClientName = 100

// clientID is what an id of a client looks like (contract 1.11).
var clientID = regexp.MustCompile(`^[A-Za-z0-9=.+/_-]{16,100}$`)

// ValidClientID reports whether a string could be the id of a client.
func ValidClientID(id string) bool { return clientID.MatchString(id) }

// ValidateClient returns all that is wrong with a client to add whose id and
// secret were given elsewhere, nil if nothing is (contract 1.11).
func ValidateClient(c Client, secret string) error {
	var faults []error
	if c.Name == "" {
		faults = append(faults, errors.New("name is missing"))
	}
	faults = append(faults, fieldFault("name", textFault(c.Name, maxClientName)))
	if !ValidClientID(c.ID) {
		faults = append(faults, errors.New("the id is not 16 to 100 of the characters A-Z, a-z, 0-9, =.+/_-"))
	}
	if len(secret) < 16 || len(secret) > 512 {
		faults = append(faults, errors.New("the secret has fewer than 16 or more than 512 bytes"))
	}
	return errors.Join(faults...)
}

// NewClient makes an OAuth client that acts as m, or as nobody, and its
// secret, which is not kept. Random is crypto/rand if nil.
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

// Bearer returns whom an access token speaks for: a member, or nobody where
// the token's client acts as none; that caller may do what anybody may. Errors:
// 401 0101.
func (s *Service) Bearer(ctx context.Context, token string) (Caller, error) {
	t, err := s.Store.FindAccessToken(ctx, password.HashToken(token))
	if err != nil {
		return Caller{}, err
	}
	if t.Client == "" || s.Now().After(t.Expires) || t.Member.Refused() {
		return Caller{}, errcodes.BadCredentials(errBearer)
	}
	return Caller{Member: t.Member}, nil
}

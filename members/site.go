package members

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/password"
)

// WixSite is a site of contract 2. It maps to a group: its mails use the
// group's templates, and it reaches the group's members alone.
type WixSite struct {
	ID        int64  // from 1; 0: no site
	UUID      string // what wix-site-id says, as ParseSiteID returns it
	ClientID  string // what OAuth clients call it by, as ParseSiteID returns it
	GroupID   int64
	Redirects []string // origins that mails may lead back to and whose pages may call, as ParseOrigin returns them
	// AllowRegister lets anybody become a member of the group.
	AllowRegister bool
	Created       time.Time
}

// Zero reports whether s is no site.
func (s WixSite) Zero() bool { return s.ID == 0 }

// Scope is what an API key may do.
type Scope string

// ManageMembers lets a key send set-password mails.
const ManageMembers Scope = "manage-members"

// APIKey is a key of a site. The key itself is nowhere: its hash is stored.
type APIKey struct {
	ID      int64 // from 1; 0: no key
	Site    WixSite
	Scopes  []Scope
	Created time.Time
}

// Quota is how many orders a site may place in a day of UTC.
type Quota struct {
	Site int64
	Day  int // since 1970-01-01
	Max  int
}

// SiteStore keeps Wix sites and their keys.
type SiteStore interface {
	// AddSite adds a site. *TakenError.
	AddSite(ctx context.Context, site WixSite) error
	// RemoveSite removes a site with its keys, and reports whether there was one.
	RemoveSite(ctx context.Context, uuid string) (bool, error)
	// AddKey adds a key of a site by its hash, and returns its number. *TakenError.
	AddKey(ctx context.Context, k APIKey, hash password.TokenHash) (int64, error)
	// RemoveKey removes a key, and reports whether there was one.
	RemoveKey(ctx context.Context, id int64) (bool, error)
	// FindKey returns the key of that hash with its site, the zero APIKey if there is none.
	FindKey(ctx context.Context, hash password.TokenHash) (APIKey, error)
	// FindSite returns the site of that UUID, the zero WixSite if there is none.
	FindSite(ctx context.Context, uuid string) (WixSite, error)
	// AddSiteOrder inserts an order and counts it in one transaction. It
	// reports false, and changes nothing, if the quota is used up.
	AddSiteOrder(ctx context.Context, o Order, q Quota) (bool, error)
}

// Causes of refused keys, for the log; they say nothing about the key.
var (
	errNoKey       = errors.New("no such API key")
	errScope       = errors.New("the API key lacks the scope " + string(ManageMembers))
	errForeignSite = errors.New("the API key belongs to another site than the request names")
	errUnknownSite = errors.New("there is no such site")
)

// AuthorizeSite returns the site that a key may manage the members of. siteID
// must name that site. Errors: 401 0101 for a key that is not known; 0101 for
// one without the scope, and for a site that is not the key's (contract 2.1).
func (s *Service) AuthorizeSite(ctx context.Context, key, siteID string) (WixSite, error) {
	k, err := s.Store.FindKey(ctx, password.HashToken(key))
	if err != nil {
		return WixSite{}, err
	}
	if err := k.refusal(siteID); err != nil {
		s.audit(ctx, Caller{}, Event{Kind: SignInRefused, GroupID: k.Site.GroupID, Detail: k.name()}, err)
		return WixSite{}, err
	}
	return k.Site, nil
}

// refusal returns why a key may not manage the members of the site.
func (k APIKey) refusal(siteID string) error {
	if k.ID == 0 {
		return errcodes.BadCredentials(errNoKey)
	}
	if !slices.Contains(k.Scopes, ManageMembers) {
		return errcodes.Wrap(errcodes.Forbidden, errScope)
	}
	if uuid, err := ParseSiteID(siteID); err != nil || uuid != k.Site.UUID {
		return errcodes.Wrap(errcodes.Forbidden, errForeignSite)
	}
	return nil
}

// name is how security events tell a key.
func (k APIKey) name() string {
	if k.ID == 0 {
		return "API key that is not known"
	}
	return "API key " + strconv.FormatInt(k.ID, 10)
}

// keyPrefix lets scanners of sources and logs find keys that leaked.
const keyPrefix = "reseed_"

// NewAPIKey returns a fresh key, which goes into an HTTP header as it is.
// random is crypto/rand's reader if nil.
func NewAPIKey(random io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(orCrypto(random), b[:]); err != nil {
		return "", fmt.Errorf("make an API key: %w", err)
	}
	return keyPrefix + base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// Lengths of API keys that are carried over, in bytes: a key is as good as a
// password, and fits into a header.
const (
	MinAPIKey = 16
	MaxAPIKey = 4000
)

// CheckAPIKey returns what is wrong with a key to carry over: its length, a
// character that no header carries, or one that Reseed would take for an access
// token.
func CheckAPIKey(key string) error {
	switch {
	case len(key) < MinAPIKey || len(key) > MaxAPIKey:
		return fmt.Errorf("the key must have %d to %d characters", MinAPIKey, MaxAPIKey)
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == ',' }):
		return errors.New("the key holds a space, a comma or a character outside ASCII")
	case IsSiteToken(key):
		return errors.New("the key starts like an access token")
	}
	return nil
}

// NewSiteID returns a fresh random UUID (RFC 9562 5.4). random is crypto/rand's
// reader if nil.
func NewSiteID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(orCrypto(random), b[:]); err != nil {
		return "", fmt.Errorf("make a site id: %w", err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-"), nil
}

func orCrypto(random io.Reader) io.Reader {
	if random == nil {
		return rand.Reader
	}
	return random
}

// ParseSiteID reads a UUID in its one form of 36 characters and returns it in
// lower case.
func ParseSiteID(s string) (string, error) {
	fault := errors.New("want a UUID such as 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1")
	if len(s) != 36 {
		return "", fault
	}
	for i, c := range []byte(s) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && !isHex(c) {
			return "", fault
		}
	}
	return fold.ASCII(s), nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

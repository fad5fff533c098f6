package members

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/password"
)

// Grant is a way to get an access token (RFC 6749, 4).
type Grant string

// The grants of contract 1.5. Every client may use its own credentials; the
// others must be allowed to it.
const (
	ClientCredentials Grant = "client_credentials"
	PasswordGrant     Grant = "password"
	RefreshGrant      Grant = "refresh_token"
)

// Grants returns the grants that can be allowed to a client.
func Grants() []Grant { return []Grant{PasswordGrant, RefreshGrant} }

// Why a token is refused, beside ErrClient (RFC 6749, 5.2).
var (
	ErrBadGrant     = errors.New("the grant is not good")            // invalid_grant
	ErrUnauthorized = errors.New("the client may not use the grant") // unauthorized_client
)

// refreshLife is how long a refresh token is valid; each use gives a new one.
const refreshLife = 14 * 24 * time.Hour

// TokenRequest asks for an access token (RFC 6749, 4.3, 4.4 and 6).
type TokenRequest struct {
	Client, Secret     string
	Grant              Grant
	Username, Password string
	Refresh            string
}

// Tokens are what a client gets.
type Tokens struct {
	Access  string
	Refresh string // "": none
	ID      string // an OpenID Connect id token of the member; "" if the token is nobody's
}

// OAuthRefreshToken is what a client keeps to get further access tokens.
type OAuthRefreshToken struct {
	Token   password.TokenHash
	Client  string // id; "" if there is no such token
	Member  Member
	Created time.Time
	Expires time.Time
}

// GivenTokens are tokens as the store adds them, all or nothing.
type GivenTokens struct {
	Access  AccessToken
	Refresh OAuthRefreshToken  // none if its Token is zero
	Spends  password.TokenHash // a refresh token that is used up; zero: none
	Proven  password.Hash      // that the member of Access signed in with; "": nobody signed in
}

// Token gives an access token for a grant. A member who is locked by an
// administrator, or disabled, has no tokens. The password grant signs the member
// in, with the same lockout. Errors: ErrClient, ErrUnauthorized, ErrBadGrant, F004.
func (s *Service) Token(ctx context.Context, r TokenRequest) (Tokens, error) {
	c, err := s.Store.FindClient(ctx, r.Client)
	if err != nil {
		return Tokens{}, err
	}
	// A secret of ours is 256 random bits: one SHA-256 is enough, no slow hash is needed.
	if !c.Secret.Equal(password.HashToken(r.Secret)) || c.Zero() || c.Member.Refused() {
		s.audit(ctx, Caller{}, Event{Kind: SignInRefused, MemberID: c.Member.ID, Detail: "client " + c.ID}, errcodes.BadCredentials(ErrClient))
		return Tokens{}, ErrClient
	}
	if r.Grant != ClientCredentials && !slices.Contains(c.Grants, r.Grant) {
		return Tokens{}, ErrUnauthorized
	}
	m, spends, err := s.granted(ctx, c, r)
	if err != nil {
		return Tokens{}, err
	}
	tokens, err := s.giveTokens(ctx, c, m, r, spends)
	if err != nil {
		return Tokens{}, err
	}
	s.audit(ctx, Caller{}, Event{Kind: SignedIn, MemberID: m.ID, Actor: "client " + c.ID, Detail: "access token"}, nil)
	return tokens, nil
}

// granted returns whom the tokens speak for, and the refresh token they cost.
func (s *Service) granted(ctx context.Context, c Client, r TokenRequest) (m Member, spends password.TokenHash, err error) {
	switch r.Grant {
	case PasswordGrant:
		m, err = s.SignIn(ctx, r.Username, r.Password)
		if errcodes.From(err).Code == errcodes.Forbidden {
			err = ErrBadGrant
		}
		return m, spends, err
	case RefreshGrant:
		spends = password.HashToken(r.Refresh)
		t, err := s.Store.FindRefreshToken(ctx, spends)
		if err == nil && (t.Client == "" || t.Client != c.ID || s.Now().After(t.Expires) || t.Member.Refused()) {
			err = ErrBadGrant
		}
		return t.Member, spends, err
	default:
		return c.Member, spends, nil
	}
}

func (s *Service) giveTokens(ctx context.Context, c Client, m Member, r TokenRequest, spends password.TokenHash) (t Tokens, err error) {
	if t.Access, err = s.secret(); err != nil {
		return Tokens{}, err
	}
	now := s.Now()
	given := GivenTokens{Spends: spends, Access: AccessToken{
		Token: password.HashToken(t.Access), Client: c.ID, Member: m, Created: now, Expires: now.Add(s.Access.TokenLife),
	}}
	if r.Grant == PasswordGrant {
		given.Proven = m.Password
	}
	if r.Grant != ClientCredentials && slices.Contains(c.Grants, RefreshGrant) {
		if t.Refresh, err = s.secret(); err != nil {
			return Tokens{}, err
		}
		given.Refresh = OAuthRefreshToken{
			Token: password.HashToken(t.Refresh), Client: c.ID, Member: m, Created: now, Expires: now.Add(refreshLife),
		}
	}
	if !m.Zero() {
		if t.ID, err = s.idToken(c, m, r.Secret, now); err != nil {
			return Tokens{}, err
		}
	}
	ok, err := s.Store.GiveTokens(ctx, given)
	if err == nil && !ok { // the refresh token was used, or the password changed, meanwhile
		err = ErrBadGrant
	}
	return t, err
}

// idToken returns who the member is, signed with the client's secret (OpenID
// Connect Core, 2 and 3.1.3.7, item 8).
func (s *Service) idToken(c Client, m Member, secret string, now time.Time) (string, error) {
	claims := jwt.MapClaims{
		"iss": s.Site.HostURL, "aud": c.ID, "iat": now.Unix(), "exp": now.Add(s.Access.TokenLife).Unix(),
		"sub":                strconv.FormatInt(m.ID, 10),
		"preferred_username": m.ShownUsername(), "given_name": m.ShownFirstname(), "family_name": m.ShownSurname(),
	}
	if m.Email != "" {
		claims["email"] = m.Email
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		return "", fmt.Errorf("sign an id token: %w", err)
	}
	return signed, nil
}

package members

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/password"
)

// SiteTokenKind says what a token of a Wix site is good for.
type SiteTokenKind string

// The kinds. A refresh token gets access tokens until it ends: the vendor's SDK
// keeps the one it has, so it is not replaced by its use. A session token proves
// a sign-in and gets authorization codes. A code is exchanged once.
const (
	RefreshToken SiteTokenKind = "refresh"
	AccessOfSite SiteTokenKind = "access"
	SessionToken SiteTokenKind = "session"
	AuthCode     SiteTokenKind = "code"
)

// How long tokens of a Wix site are good for. Four hours for access tokens is
// what the vendor documents.
const (
	SiteAccessLife  = 4 * time.Hour
	visitorLife     = 30 * 24 * time.Hour
	memberGrantLife = 30 * 24 * time.Hour
	sessionLife     = 10 * time.Minute
	codeLife        = 2 * time.Minute
)

// How many tokens of one kind there are at most for the same holder; the oldest
// give way.
const (
	MaxVisitors     = 10_000 // refresh tokens without a member, a site
	MaxMemberTokens = 20     // of each kind, a member
	MaxAccess       = 8      // access tokens of a refresh token
)

// SiteToken is a token of a site's visitor or member. It is stored hashed only.
type SiteToken struct {
	ID        int64
	Hash      password.TokenHash
	Kind      SiteTokenKind
	Site      WixSite
	Member    Member // zero: a visitor
	Grant     int64  // of an access token: the id of its refresh token
	Challenge string // of a code: PKCE, S256 (RFC 7636)
	Redirect  string // of a code: where it was sent
	Created   time.Time
	Expires   time.Time
}

// Zero reports whether t is no token.
func (t SiteToken) Zero() bool { return t.ID == 0 }

// good reports whether the token can be used at a time.
func (t SiteToken) good(now time.Time) bool {
	return !t.Zero() && !now.After(t.Expires) && !t.Member.Refused()
}

// Issue gives out tokens, all or none.
type Issue struct {
	From    password.TokenHash // must be there, and not expired; zero: nothing must
	Spend   bool               // From ends
	Refresh SiteToken          // none if its Hash is zero; Token then belongs to it
	Token   SiteToken
	At      time.Time
	Keep    int // tokens of Refresh's kind, or else of Token's, that its holder may have
}

// SiteTokenStore keeps the tokens of Wix sites' clients.
type SiteTokenStore interface {
	// FindSiteToken returns the token of that kind and hash with its site and
	// member, the zero SiteToken if there is none.
	FindSiteToken(ctx context.Context, kind SiteTokenKind, hash password.TokenHash) (SiteToken, error)
	// IssueSiteTokens reports false, and changes nothing, if From is gone.
	IssueSiteTokens(ctx context.Context, i Issue) (bool, error)
	// EndGrant removes a refresh token and its access tokens.
	EndGrant(ctx context.Context, grant int64) error
	// FindClientSite returns the site of that client id, the zero WixSite if there is none.
	FindClientSite(ctx context.Context, client string) (WixSite, error)
	// SiteAllowsOrigin reports whether any site lists the origin.
	SiteAllowsOrigin(ctx context.Context, origin string) (bool, error)
	// GroupMembers returns a page of a group's members, and how many match in all.
	GroupMembers(ctx context.Context, group int64, q MemberQuery) ([]Member, int, error)
}

// GrantedTokens are what a client of a site gets. The texts are nowhere else.
type GrantedTokens struct {
	Access  string
	Refresh string
	Life    time.Duration // of Access
}

// ErrGrant says that a refresh token, code or session token is not good, or not
// good any more, or is another site's.
var ErrGrant = errors.New("the token or code is not valid")

// ErrForeignClient says that a request names the client id of another site than
// its access token is for.
var ErrForeignClient = errors.New("the client id is another site's")

// ErrClientID says that no site has the client id.
var ErrClientID = errors.New("no site has the client id")

// ErrSiteAccess says that an access token of a site is not known or has expired.
var ErrSiteAccess = errors.New("no such access token of a site")

// IsSiteToken reports whether credentials are an access token of a site, good or
// not, and no API key.
func IsSiteToken(credentials string) bool { return strings.HasPrefix(credentials, siteAccessPrefix) }

// siteAccessPrefix tells access tokens from API keys, and lets scanners of
// sources and logs find them.
const siteAccessPrefix = "reseed_at_"

// ClientSite returns the site of a client id. Error: ErrClientID.
func (s *Service) ClientSite(ctx context.Context, client string) (WixSite, error) {
	uuid, err := ParseSiteID(client)
	if err != nil {
		return WixSite{}, ErrClientID
	}
	site, err := s.Store.FindClientSite(ctx, uuid)
	if err == nil && site.Zero() {
		err = ErrClientID
	}
	return site, err
}

// GrantVisitor returns tokens of a visitor of the site. They are worth what
// anybody may do.
func (s *Service) GrantVisitor(ctx context.Context, site WixSite) (GrantedTokens, error) {
	return s.grant(ctx, Issue{Keep: MaxVisitors}, SiteToken{Site: site}, visitorLife)
}

// RenewAccess returns another access token for a refresh token of the site; the
// refresh token stays as it is. Error: ErrGrant.
func (s *Service) RenewAccess(ctx context.Context, site WixSite, refresh string) (GrantedTokens, error) {
	t, err := s.Store.FindSiteToken(ctx, RefreshToken, password.HashToken(refresh))
	if err != nil {
		return GrantedTokens{}, err
	}
	if !t.good(s.Now()) || t.Site.ID != site.ID {
		return GrantedTokens{}, ErrGrant
	}
	text, token, err := s.newSiteToken(SiteToken{Kind: AccessOfSite, Site: site, Member: t.Member, Grant: t.ID}, SiteAccessLife)
	if err != nil {
		return GrantedTokens{}, err
	}
	if err := s.issue(ctx, Issue{From: t.Hash, Token: token, Keep: MaxAccess}); err != nil {
		return GrantedTokens{}, err
	}
	return GrantedTokens{Access: text, Refresh: refresh, Life: SiteAccessLife}, nil
}

// Exchange returns a member's tokens for an authorization code. verifier and
// redirect must be those that the code was asked for with. Error: ErrGrant. A
// code that is presented with anything wrong ends all the same.
func (s *Service) Exchange(ctx context.Context, site WixSite, code, verifier, redirect string) (GrantedTokens, error) {
	t, err := s.Store.FindSiteToken(ctx, AuthCode, password.HashToken(code))
	if err != nil {
		return GrantedTokens{}, err
	}
	now := s.Now()
	if !t.good(now) || t.Site.ID != site.ID || t.Redirect != redirect || !verifies(t.Challenge, verifier) {
		if !t.Zero() {
			err = s.Store.EndGrant(ctx, t.ID)
		}
		return GrantedTokens{}, errors.Join(ErrGrant, err)
	}
	granted, err := s.grant(ctx, Issue{From: t.Hash, Spend: true, Keep: MaxMemberTokens}, SiteToken{Site: site, Member: t.Member}, memberGrantLife)
	if err == nil {
		s.audit(ctx, Caller{Member: t.Member}, Event{Kind: SignedIn, MemberID: t.Member.ID, GroupID: site.GroupID, Detail: "tokens of a Wix site"}, nil)
	}
	return granted, err
}

// verifies reports whether a verifier has the challenge (RFC 7636 4.6, S256).
func verifies(challenge, verifier string) bool {
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) == 1
}

// GrantMember returns tokens of a member of the key's site, for whom the client
// vouches. Errors: 100E for nobody of that id in the site's group, ErrGrant for a
// member who may not sign in.
func (s *Service) GrantMember(ctx context.Context, site WixSite, member int64) (GrantedTokens, error) {
	m, err := s.SiteMember(ctx, site, member)
	if err != nil {
		return GrantedTokens{}, err
	}
	if m.Refused() || m.Status != Activated {
		return GrantedTokens{}, ErrGrant
	}
	granted, err := s.grant(ctx, Issue{Keep: MaxMemberTokens}, SiteToken{Site: site, Member: m}, memberGrantLife)
	if err == nil {
		s.audit(ctx, Caller{}, Event{Kind: SignedIn, MemberID: m.ID, GroupID: site.GroupID, Detail: "tokens by an API key"}, nil)
	}
	return granted, err
}

// grant issues a refresh token of the holder with an access token.
func (s *Service) grant(ctx context.Context, i Issue, holder SiteToken, life time.Duration) (g GrantedTokens, err error) {
	holder.Kind = RefreshToken
	if g.Refresh, i.Refresh, err = s.newSiteToken(holder, life); err != nil {
		return GrantedTokens{}, err
	}
	holder.Kind = AccessOfSite
	if g.Access, i.Token, err = s.newSiteToken(holder, SiteAccessLife); err != nil {
		return GrantedTokens{}, err
	}
	g.Life = SiteAccessLife
	if err := s.issue(ctx, i); err != nil {
		return GrantedTokens{}, err
	}
	return g, nil
}

func (s *Service) issue(ctx context.Context, i Issue) error {
	i.At = s.Now()
	ok, err := s.Store.IssueSiteTokens(ctx, i)
	if err == nil && !ok {
		return ErrGrant
	}
	return err
}

// newSiteToken completes a token and returns its text.
func (s *Service) newSiteToken(t SiteToken, life time.Duration) (string, SiteToken, error) {
	text, err := s.secret()
	if err != nil {
		return "", SiteToken{}, err
	}
	if t.Kind == AccessOfSite {
		text = siteAccessPrefix + text
	}
	t.Hash, t.Created = password.HashToken(text), s.Now()
	t.Expires = t.Created.Add(life)
	return text, t, nil
}

// AuthorizeRequest asks for an authorization code (contract 2.2).
type AuthorizeRequest struct {
	SessionToken string
	Challenge    string // PKCE, S256
	Redirect     string // "" if the code comes back as a web message
}

// Authorize returns an authorization code for a session token of the site.
// Errors: ErrGrant, ErrRedirect.
func (s *Service) Authorize(ctx context.Context, site WixSite, r AuthorizeRequest) (code string, err error) {
	if r.Redirect != "" && !site.Allows(r.Redirect) {
		return "", ErrRedirect
	}
	t, err := s.Store.FindSiteToken(ctx, SessionToken, password.HashToken(r.SessionToken))
	if err != nil {
		return "", err
	}
	if !t.good(s.Now()) || t.Site.ID != site.ID {
		return "", ErrGrant
	}
	code, token, err := s.newSiteToken(SiteToken{
		Kind: AuthCode, Site: site, Member: t.Member, Challenge: r.Challenge, Redirect: r.Redirect,
	}, codeLife)
	if err != nil {
		return "", err
	}
	return code, s.issue(ctx, Issue{From: t.Hash, Token: token, Keep: MaxMemberTokens})
}

// SiteCaller is who calls a service of a Wix site: a visitor, a member, or a
// program with an API key.
type SiteCaller struct {
	Site  WixSite   // zero: the request has no credentials
	Key   bool      // an API key that may manage members
	Token SiteToken // zero if Key
}

// Visitor reports whether nobody is signed in.
func (c SiteCaller) Visitor() bool { return !c.Key && c.Token.Member.Zero() }

// IdentifySite returns who calls, by the value of Authorization: an access
// token, or an API key with the id of its site, or nothing. Errors: 401 0101;
// those of AuthorizeSite for keys.
func (s *Service) IdentifySite(ctx context.Context, credentials, siteID string) (SiteCaller, error) {
	if credentials == "" {
		return SiteCaller{}, nil
	}
	if !IsSiteToken(credentials) {
		site, err := s.AuthorizeSite(ctx, credentials, siteID)
		return SiteCaller{Site: site, Key: err == nil}, err
	}
	t, err := s.Store.FindSiteToken(ctx, AccessOfSite, password.HashToken(credentials))
	if err != nil {
		return SiteCaller{}, err
	}
	if !t.good(s.Now()) {
		return SiteCaller{}, errcodes.BadCredentials(ErrSiteAccess)
	}
	return SiteCaller{Site: t.Site, Token: t}, nil
}

// SignOut ends the caller's tokens, if there are any.
func (s *Service) SignOut(ctx context.Context, c SiteCaller) error {
	if c.Token.Grant == 0 {
		return nil
	}
	if err := s.Store.EndGrant(ctx, c.Token.Grant); err != nil {
		return err
	}
	if m := c.Token.Member; !m.Zero() {
		s.audit(ctx, Caller{Member: m}, Event{Kind: SignedOut, MemberID: m.ID, GroupID: c.Site.GroupID}, nil)
	}
	return nil
}

package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
)

// sessionCookie is the session's name, as in ;jsessionid= (contract 1.5).
const sessionCookie = "JSESSIONID"

// maxCredential bounds what is hashed and looked up, in bytes; ours have 43.
const maxCredential = 512

// maxSessions is how many sessions a request may name: each is looked up.
const maxSessions = 8

var (
	errCredentials = errors.New("unreadable credentials")
	errDisagree    = errors.New("credentials of two callers")
	// errBearer marks what is answered with the challenge of RFC 6750.
	errBearer = errors.New("bad access token")
)

// Sessions is what the server needs of signing in and being signed in.
type Sessions interface {
	// Session returns whose session that is; 401 0101.
	Session(ctx context.Context, id string) (members.Member, error)
	// Login opens a session and ends the replaced one, if any; 401 0101.
	Login(ctx context.Context, name, password, replaced string) (id string, m members.Member, err error)
	Logout(ctx context.Context, id string) error
	// Open opens a session for a member who has just signed in with a request.
	Open(ctx context.Context, m members.Member) (id string, err error)
	// Renew gives a session another id; 401 0101 if there is no such session.
	Renew(ctx context.Context, id string) (renewed string, err error)
}

// Clients is what the server needs of OAuth.
type Clients interface {
	// Token gives an access token; members.ErrClient, ErrUnauthorized, ErrBadGrant.
	Token(ctx context.Context, r members.TokenRequest) (members.Tokens, error)
	// Bearer returns whom a token speaks for; 401 0101.
	Bearer(ctx context.Context, token string) (members.Caller, error)
}

// identify finds out who is calling: anybody without credentials, a member
// with good ones. Credentials that are given but wrong are 401 with 0101,
// never "anybody" (contract 1.5). The strictest reading wins: all that are
// given must be good and name the same caller. Of several sessions any good one
// counts, since another application of the host may set the cookie, too; and
// only sessions, none of them good, are nobody on a service that is public:
// just the people who forgot a password have one that ended.
func (s *server) identify(r *http.Request, a access) (members.Caller, error) {
	var callers []members.Caller
	authorized := len(r.Header.Values("Authorization")) > 0
	if authorized {
		c, err := s.authorization(r)
		if err != nil {
			return members.Caller{}, err
		}
		callers = append(callers, c)
	}
	signedIn, given, err := s.sessions(r)
	if err != nil {
		return members.Caller{}, err
	}
	if given && len(signedIn) == 0 && (authorized || !a.public) {
		return members.Caller{}, errcodes.BadCredentials(errCredentials)
	}
	callers = append(callers, signedIn...)
	if len(callers) == 0 {
		return members.Caller{}, nil
	}
	for _, c := range callers[1:] {
		if c.Member.ID != callers[0].Member.ID {
			return members.Caller{}, errcodes.BadCredentials(errDisagree)
		}
	}
	return callers[0], nil
}

// sessions returns whose sessions a request names, and whether it names any.
func (s *server) sessions(r *http.Request) (callers []members.Caller, given bool, err error) {
	ids := sessionIDs(r)
	if len(ids) > maxSessions {
		return nil, true, errcodes.BadCredentials(errCredentials)
	}
	for _, id := range ids {
		m, err := s.session(r.Context(), id)
		if err != nil && errcodes.From(err).HTTPStatus() == http.StatusUnauthorized {
			continue
		}
		if err != nil {
			return nil, true, err
		}
		callers = append(callers, members.Caller{Member: m})
	}
	return callers, len(ids) > 0, nil
}

// authorization reads the Authorization header: Basic or Bearer, and once.
func (s *server) authorization(r *http.Request) (members.Caller, error) {
	given := r.Header.Values("Authorization")
	scheme, token, _ := strings.Cut(given[0], " ")
	if len(given) == 1 && strings.EqualFold(scheme, "Bearer") {
		return s.bearer(r.Context(), strings.TrimLeft(token, " "))
	}
	name, password, ok := r.BasicAuth()
	if len(given) > 1 || !ok || !utf8.ValidString(name) || request.HasControls(name) {
		return members.Caller{}, errcodes.BadCredentials(errCredentials)
	}
	m, err := s.Members.SignIn(r.Context(), name, password)
	return members.Caller{Member: m}, err
}

func (s *server) bearer(ctx context.Context, token string) (members.Caller, error) {
	if token == "" || len(token) > maxCredential {
		return members.Caller{}, errcodes.BadCredentials(errBearer)
	}
	c, err := s.Clients.Bearer(ctx, token)
	if err != nil && errcodes.From(err).HTTPStatus() == http.StatusUnauthorized {
		return members.Caller{}, errcodes.BadCredentials(errBearer)
	}
	return c, err
}

func (s *server) session(ctx context.Context, id string) (members.Member, error) {
	if len(id) > maxCredential {
		return members.Member{}, errcodes.BadCredentials(errCredentials)
	}
	return s.Sessions.Session(ctx, id)
}

// sessionIDs returns the sessions that a request names, in its cookies and in
// its path, each once, and at most one more than maxSessions; an empty id is
// the same as none. net/http would leave out cookies that it can't read, and
// with them the reason to refuse the request.
func sessionIDs(r *http.Request) []string {
	var given, ids []string
	for pair := range strings.SplitSeq(strings.Join(r.Header.Values("Cookie"), ";"), ";") {
		name, value, _ := strings.Cut(pair, "=")
		if strings.TrimSpace(name) == sessionCookie {
			given = append(given, strings.Trim(value, "\" \t"))
		}
	}
	for _, id := range append(given, request.AddressOf(r.Context()).Sessions...) {
		if id != "" && len(ids) <= maxSessions && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// bearer reports whether the call has an access token.
func (c *call) bearer() bool {
	scheme, _, _ := strings.Cut(c.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer")
}

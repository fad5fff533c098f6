package members

import (
	"context"
	"time"

	"github.com/reseed-project/reseed/password"
)

// BadSignIn is a sign-in that was refused: what is known about the member's
// failures before and after it. They are no one's if Was is the zero Member.
type BadSignIn struct {
	Was, Is Member
	Row     int64 // Found.Row, which is written in any case
	Touch   int64 // what it is written with, another number each time
}

// GoodSignIn is a sign-in that succeeded, unless the member's standing changed
// since it was looked up.
type GoodSignIn struct {
	MemberID int64
	Password password.Hash // that was verified
	At       time.Time
	Client   string             // as Member.LockClient has it: locks of others don't matter
	LockEnds time.Time          // a lock of another client ends by then
	Session  Session            // opened with it; none if its ID is zero
	Replaces password.TokenHash // the session that ends; zero: none
	Token    SiteToken          // given out with it; none if its Hash is zero
}

// Session is a signed-in member's session. Its id is stored hashed only.
type Session struct {
	ID      password.TokenHash
	Member  Member // zero if there is no such session
	Created time.Time
	Seen    time.Time // last use, to within a fraction of the idle time
	Expires time.Time // whatever the use
}

// Client is a program that calls in its own name, by OAuth client credentials.
type Client struct {
	ID      string // 16 hexadecimal digits, lower case, or as it was given elsewhere
	Name    string // for people
	Secret  password.TokenHash
	Member  Member  // whom it acts as; zero: nobody
	Grants  []Grant // that it may use beside its own credentials
	Created time.Time
}

// Zero reports whether c is no client.
func (c Client) Zero() bool { return c.ID == "" }

// AccessToken is what a client got for its credentials.
type AccessToken struct {
	Token   password.TokenHash
	Client  string // id; "" if there is no such token
	Member  Member // whom it acts as; zero: nobody
	Created time.Time
	Expires time.Time
}

// SessionStore keeps sign-ins and sessions.
type SessionStore interface {
	// SignInFailed records a failure by one statement that changes one row, whoever
	// is meant. It reports false, and changes nothing, if there was another change
	// meanwhile.
	SignInFailed(ctx context.Context, f BadSignIn) (bool, error)
	// SignedIn records a success, forgets the failures, and opens and ends
	// sessions, all or nothing. It reports false, and changes nothing, where
	// the member has another password by now or is locked or not activated.
	SignedIn(ctx context.Context, g GoodSignIn) (bool, error)
	// FindSession returns a session with its member, the zero Session if there is none.
	FindSession(ctx context.Context, id password.TokenHash) (Session, error)
	// TouchSession notes a use.
	TouchSession(ctx context.Context, id password.TokenHash, at time.Time) error
	// RenewSession gives a session another id; it reports whether there is such a session.
	RenewSession(ctx context.Context, id, renewed password.TokenHash) (bool, error)
	// EndSession removes a session, if it is there.
	EndSession(ctx context.Context, id password.TokenHash) error
}

// ClientStore keeps OAuth clients and their access tokens.
type ClientStore interface {
	AddClient(ctx context.Context, c Client) error
	// RemoveClient removes a client with its tokens, and reports whether there was one.
	RemoveClient(ctx context.Context, id string) (bool, error)
	// FindClient returns the client of that id, or else the zero Client.
	FindClient(ctx context.Context, id string) (Client, error)
	// AddAccessToken adds a token of its client, and removes the client's expired ones.
	AddAccessToken(ctx context.Context, t AccessToken) error
	// GiveTokens adds tokens, and spends a refresh token; false, and nothing
	// changed, if that is not there, or the member who signed in has another
	// password by now or may not sign in.
	GiveTokens(ctx context.Context, t GivenTokens) (bool, error)
	// FindRefreshToken returns a token with its member, the zero OAuthRefreshToken if there is none.
	FindRefreshToken(ctx context.Context, token password.TokenHash) (OAuthRefreshToken, error)
	// FindAccessToken returns a token with its member, the zero AccessToken if there is none.
	FindAccessToken(ctx context.Context, token password.TokenHash) (AccessToken, error)
}

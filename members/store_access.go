package members

import (
	"context"
	"time"

	"reseed/password"
)

// BadSignIn is a sign-in that was refused.
type BadSignIn struct {
	MemberID  int64 // 0: nobody of that name; the same work is done for the row of nobody
	Threshold int   // failures that lock, where none is drawn for the member yet
	At        time.Time
	Until     time.Time // end of the lock, should this failure be the one that locks
}

// GoodSignIn is a sign-in that succeeded, unless the member's standing changed
// since it was looked up.
type GoodSignIn struct {
	MemberID int64
	Password password.Hash // that was verified
	At       time.Time
	Session  Session            // opened with it; none where its ID is zero
	Replaces password.TokenHash // the session that ends; zero: none
}

// Session is a signed-in member's session. Its id is stored hashed only.
type Session struct {
	ID      password.TokenHash
	Member  Member // zero where there is no such session
	Created time.Time
	Seen    time.Time // last use, to within a fraction of the idle time
	Expires time.Time // whatever the use
}

// Client is a program that calls in its own name, by OAuth client credentials.
type Client struct {
	ID      string // 16 hexadecimal digits, lower case
	Name    string // for people
	Secret  password.TokenHash
	Member  Member // whom it acts as; zero: nobody
	Created time.Time
}

// Zero reports whether c is no client.
func (c Client) Zero() bool { return c.ID == "" }

// AccessToken is what a client got for its credentials.
type AccessToken struct {
	Token   password.TokenHash
	Client  string // id; "" where there is no such token
	Member  Member // whom it acts as; zero: nobody
	Created time.Time
	Expires time.Time
}

// Sessions is what signing in and being signed in needs of the store.
type Sessions interface {
	// SignInFailed counts a failure, and locks the account for a while where it
	// reaches the threshold; during a lock it changes neither. It runs one
	// statement that changes one row, whoever is meant.
	SignInFailed(ctx context.Context, f BadSignIn) error
	// SignedIn records a success, forgets the failures, and opens and ends
	// sessions, all or nothing. It reports false, and changes nothing, where
	// the member has another password by now or is locked or not activated.
	SignedIn(ctx context.Context, g GoodSignIn) (bool, error)
	// FindSession returns a session with its member, the zero Session where there is none.
	FindSession(ctx context.Context, id password.TokenHash) (Session, error)
	// TouchSession notes a use.
	TouchSession(ctx context.Context, id password.TokenHash, at time.Time) error
	// EndSession removes a session, if it is there.
	EndSession(ctx context.Context, id password.TokenHash) error
}

// Clients is what OAuth needs of the store.
type Clients interface {
	AddClient(ctx context.Context, c Client) error
	// FindClient returns the client of that id, or else the zero Client.
	FindClient(ctx context.Context, id string) (Client, error)
	// AddAccessToken adds a token of its client, and removes the client's expired ones.
	AddAccessToken(ctx context.Context, t AccessToken) error
	// FindAccessToken returns a token with its member, the zero AccessToken where there is none.
	FindAccessToken(ctx context.Context, token password.TokenHash) (AccessToken, error)
}

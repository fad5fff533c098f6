package members

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/password"
)

var errSession = errors.New("no such session")

// touchSteps is how many times a session's use is noted in its idle time, at most.
const touchSteps = 10

// Login signs a member in and opens a session, always with a new id; the
// session that the request came with ends (no fixation). It returns the id,
// which is stored hashed only. Errors: as SignIn.
func (s *Service) Login(ctx context.Context, name, pw, replaced string) (id string, m Member, err error) {
	return s.login(ctx, signIn{name: name, password: pw}, replaced)
}

// LoginAdmin does the same for administrators. Anybody else is refused as an
// unknown name is. Errors: as SignIn.
func (s *Service) LoginAdmin(ctx context.Context, name, pw, replaced string) (id string, m Member, err error) {
	return s.login(ctx, signIn{name: name, password: pw, admins: true}, replaced)
}

func (s *Service) login(ctx context.Context, n signIn, replaced string) (id string, m Member, err error) {
	if id, err = s.secret(); err != nil {
		return "", Member{}, err
	}
	now := s.Now()
	n.opened = Session{ID: password.HashToken(id), Created: now, Seen: now, Expires: now.Add(s.Access.SessionLife)}
	if replaced != "" {
		n.replaced = password.HashToken(replaced)
	}
	if m, err = s.enter(ctx, n); err != nil {
		return "", Member{}, err
	}
	s.audit(ctx, Caller{Member: m}, Event{Kind: SignedIn, MemberID: m.ID, Identifier: fold.ASCII(n.name), Detail: "session"}, nil)
	return id, m, nil
}

// Open opens a session for a member who has just signed in, and returns its id.
func (s *Service) Open(ctx context.Context, m Member) (string, error) {
	id, err := s.secret()
	if err != nil {
		return "", err
	}
	now := s.Now()
	ok, err := s.Store.SignedIn(ctx, GoodSignIn{
		MemberID: m.ID, Password: m.Password, At: now, Client: s.failingClient(ctx), LockEnds: now.Add(s.Access.MaxLockout),
		Session: Session{ID: password.HashToken(id), Created: now, Seen: now, Expires: now.Add(s.Access.SessionLife)},
	})
	if err == nil && !ok { // locked or changed meanwhile
		err = errcodes.BadCredentials(errSignIn)
	}
	if err != nil {
		return "", err
	}
	s.audit(ctx, Caller{Member: m}, Event{Kind: SignedIn, MemberID: m.ID, Detail: "session"}, nil)
	return id, nil
}

// Renew gives a session another id, and returns it. Error: 401 0101 if there is
// no such session.
func (s *Service) Renew(ctx context.Context, id string) (string, error) {
	renewed, err := s.secret()
	if err != nil {
		return "", err
	}
	ok, err := s.Store.RenewSession(ctx, password.HashToken(id), password.HashToken(renewed))
	if err == nil && !ok {
		err = errcodes.BadCredentials(errSession)
	}
	return renewed, err
}

// Logout ends a session, if there is such a session.
func (s *Service) Logout(ctx context.Context, id string) error {
	x, err := s.Store.FindSession(ctx, password.HashToken(id))
	if err != nil || x.Member.Zero() {
		return err
	}
	if err := s.Store.EndSession(ctx, x.ID); err != nil {
		return err
	}
	s.audit(ctx, Caller{Member: x.Member}, Event{Kind: SignedOut, MemberID: x.Member.ID}, nil)
	return nil
}

// Session returns whose session that is. Sessions end when they are not used
// for a while, at a certain age, and with their member's password or standing.
// Errors: 401 0101.
func (s *Service) Session(ctx context.Context, id string) (Member, error) {
	x, err := s.Store.FindSession(ctx, password.HashToken(id))
	if err != nil {
		return Member{}, err
	}
	now := s.Now()
	idle := now.Sub(x.Seen)
	if x.Member.Zero() || x.Member.Refused() || now.After(x.Expires) || idle > s.Access.SessionIdle {
		return Member{}, errcodes.BadCredentials(errSession)
	}
	if idle > s.Access.SessionIdle/touchSteps {
		if err := s.Store.TouchSession(ctx, x.ID, now); err != nil {
			return Member{}, err
		}
	}
	return x.Member, nil
}

// secret returns 32 random bytes in base64url: session ids, client secrets
// and access tokens.
func (s *Service) secret() (string, error) { return randomText(s.Random) }

func randomText(source io.Reader) (string, error) {
	if source == nil {
		source = rand.Reader
	}
	var b [32]byte
	if _, err := io.ReadFull(source, b[:]); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

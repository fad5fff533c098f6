package server

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/xmlresp"
)

// withSession runs a service that also opens a session for a caller who signs
// in with the request: so the bridge client signs in (contract 1.5).
func (s *server) withSession(c *call, f service) (xmlresp.Document, error) {
	signed, err := s.signInByQuery(c)
	if err != nil {
		return nil, err
	}
	doc, err := f(c)
	if err != nil {
		return nil, namelessly(c.caller, err)
	}
	basic := signed || c.Header.Get("Authorization") != "" && !c.bearer()
	if !basic || len(sessionIDs(c.Request)) > 0 || s.byForeignPage(c.Request) {
		return doc, nil
	}
	id, err := s.openSession(c)
	if err != nil {
		return nil, err
	}
	return s.withCookie(doc, id, 0), nil
}

// signInByQuery signs a caller in by username and password in the query, if the
// installation allows that: addresses end up in the logs of proxies. Errors:
// 401 0101, F004.
func (s *server) signInByQuery(c *call) (bool, error) {
	name, password := c.params.Get("username"), c.params.Get("password")
	if name == "" || password == "" || !c.caller.Member.Zero() {
		return false, nil
	}
	if !s.QueryCredentials {
		s.hint.Do(func() {
			s.Log.WarnContext(c.Context(), "a client sent username and password in the query, which is ignored: query-credentials = true accepts them, but then proxies log passwords")
		})
		return false, nil
	}
	m, err := s.Members.SignIn(c.Context(), name, password)
	c.caller = members.Caller{Member: m}
	return err == nil, err
}

// openSession returns the session of a program that signs in with each request:
// the one it got before if that is still good, so that its requests leave one
// row, also those that come at the same time.
func (s *server) openSession(c *call) (string, error) {
	record := request.RecordOf(c.Context())
	key := program{member: c.caller.Member.ID, client: record.Client, agent: c.UserAgent()}
	opened := s.opened.of(key)
	if id, err := s.stillGood(c.Context(), opened.id.Load(), key.member); id != "" || err != nil {
		return id, err
	}
	select {
	case opened.opening <- struct{}{}:
		defer func() { <-opened.opening }()
	case <-c.Context().Done():
		return "", errcodes.Wrap(errcodes.Unavailable, c.Context().Err())
	}
	if id, err := s.stillGood(c.Context(), opened.id.Load(), key.member); id != "" || err != nil {
		return id, err
	}
	id, err := s.Sessions.Open(c.Context(), c.caller.Member)
	if err == nil {
		opened.id.Store(&id)
	}
	return id, err
}

// stillGood returns the session if it is the member's and has not ended.
func (s *server) stillGood(ctx context.Context, id *string, member int64) (string, error) {
	if id == nil {
		return "", nil
	}
	m, err := s.Sessions.Session(ctx, *id)
	if err == nil && m.ID == member {
		return *id, nil
	}
	if err != nil && errcodes.From(err).Code != errcodes.Forbidden {
		return "", err
	}
	return "", nil
}

// program is who signs in with each request.
type program struct {
	member int64
	client netip.Addr
	agent  string
}

// openedSession is the session of one program.
type openedSession struct {
	id      atomic.Pointer[string] // nil: none yet
	opening chan struct{}          // holds one while a session is opened
}

// openedSessions remembers which session was opened for which program, in
// memory alone. With one too many it begins anew: then a program gets another
// session.
type openedSessions struct {
	mu       sync.Mutex
	programs map[program]*openedSession
}

// mostOpened bounds the programs that are remembered, maxAgent what of each is.
const (
	mostOpened = 4096
	maxAgent   = 200
)

func newOpenedSessions() *openedSessions {
	return &openedSessions{programs: map[program]*openedSession{}}
}

func (p program) bounded() program {
	p.agent = p.agent[:min(len(p.agent), maxAgent)]
	return p
}

// of returns the session of a program, an empty one if there is none yet.
func (o *openedSessions) of(p program) *openedSession {
	o.mu.Lock()
	defer o.mu.Unlock()
	p = p.bounded()
	if known := o.programs[p]; known != nil {
		return known
	}
	if len(o.programs) >= mostOpened {
		clear(o.programs)
	}
	added := &openedSession{opening: make(chan struct{}, 1)}
	o.programs[p] = added
	return added
}

// resetSession answers POST /resetsession: the same session under another id
// (contract 1.5). Errors: 403 0101 without a session.
func (s *server) resetSession(c *call) (xmlresp.Document, error) {
	id, err := s.goodSession(c.Context(), sessionIDs(c.Request))
	if err != nil {
		return nil, err
	}
	if id, err = s.Sessions.Renew(c.Context(), id); err != nil {
		return nil, err
	}
	return s.withCookie(xmlresp.SessionReset{Status: "session-reset"}, id, 0), nil
}

// goodSession returns the first of the sessions that is good. Error: 403 0101
// if none is.
func (s *server) goodSession(ctx context.Context, ids []string) (string, error) {
	for _, id := range ids {
		if _, err := s.session(ctx, id); err == nil {
			return id, nil
		}
	}
	return "", errcodes.New(errcodes.Forbidden)
}

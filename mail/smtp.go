package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	defaultMaxConns    = 16
	defaultMaxMessages = 100
	defaultIdle        = 30 * time.Second
)

// SMTP sends to one server over a few connections that it keeps open. Close
// ends them.
type SMTP struct {
	cfg   SMTPConfig
	slots chan struct{} // one for each connection that may be open and in use

	mu     sync.Mutex
	idle   []*session // the last used is the first to be used again
	closed bool
	timers sync.WaitGroup
}

var _ Sender = (*SMTP)(nil)

// NewSMTP checks the configuration; it doesn't connect.
func NewSMTP(cfg SMTPConfig) (*SMTP, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Port < 1 || cfg.Port > 65535 {
		return nil, errors.New("SMTP server: the port must be from 1 to 65535")
	}
	if cfg.User != "" && cfg.Password == "" && cfg.Token == nil {
		return nil, errors.New("SMTP server: the user's password is missing")
	}
	if cfg.MaxConns < 1 {
		cfg.MaxConns = defaultMaxConns
	}
	if cfg.MaxMessages < 1 {
		cfg.MaxMessages = defaultMaxMessages
	}
	if cfg.IdleTimeout <= 0 {
		cfg.IdleTimeout = defaultIdle
	}
	return &SMTP{cfg: cfg, slots: make(chan struct{}, cfg.MaxConns)}, nil
}

// Send delivers the message to its one recipient. The error is an [*Error].
// If a kept connection turns out to be of no use before the server took
// anything, it goes on with another; a server may end those at any time.
func (s *SMTP) Send(ctx context.Context, m *Message) error {
	e, err := s.seal(m)
	if err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return &Error{Class: Temporary, Stage: StageConnect, Text: "no connection became free in time", cause: ctx.Err()}
	}
	for c := s.take(); c != nil; c = s.take() {
		err := c.deliver(ctx, e)
		if !stale(ctx, err) {
			s.put(c)
			return err
		}
		c.conn.Close()
	}
	c, err := open(ctx, &s.cfg)
	if err != nil {
		return err
	}
	err = c.deliver(ctx, e)
	s.put(c)
	return err
}

// Probe connects and signs in as for a message, and mails nothing. The error is
// an [*Error].
func (s *SMTP) Probe(ctx context.Context) error {
	c, err := open(ctx, &s.cfg)
	if err != nil {
		return err
	}
	c.quit(ctx)
	return nil
}

// seal makes the envelope. A message whose bytes can't be built never will be.
func (s *SMTP) seal(m *Message) (envelope, error) {
	raw, err := m.Bytes()
	if err == nil {
		_, domain, _ := strings.Cut(m.From.Address, "@")
		raw, err = s.cfg.DKIM.Sign(domain, raw)
	}
	var refused *Error
	if err != nil && !errors.As(err, &refused) {
		return envelope{}, &Error{Class: Permanent, Stage: StageMessage, Text: "can't be built", cause: err}
	}
	if err != nil {
		return envelope{}, err
	}
	return envelope{from: cmp.Or(m.ReturnPath, m.From.Address), to: m.To.Address, data: dotStuff(raw)}, nil
}

// stale reports whether a kept connection failed before anything was accepted
// on it, so that the message may be sent over another without counting. A
// refusal, too, may be about the connection: servers limit how many messages
// come over one, and say so with codes of every kind.
func stale(ctx context.Context, err error) bool {
	var e *Error
	return errors.As(err, &e) && ctx.Err() == nil && (e.Stage == StageReset || e.Stage == StageMail)
}

// take returns a kept connection, or nil.
func (s *SMTP) take() *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) > 0 {
		c := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		if c.idle.Stop() {
			s.timers.Done()
			return c
		}
	}
	return nil
}

// put keeps the connection for the next message, or ends it.
func (s *SMTP) put(c *session) {
	if c.broken {
		c.conn.Close()
		return
	}
	if c.messages >= s.cfg.MaxMessages || !s.keep(c) {
		c.quit(context.Background())
	}
}

func (s *SMTP) keep(c *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.timers.Add(1)
	c.idle = time.AfterFunc(s.cfg.IdleTimeout, func() {
		defer s.timers.Done()
		s.forget(c)
		c.quit(context.Background())
	})
	s.idle = append(s.idle, c)
	return true
}

func (s *SMTP) forget(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.idle {
		if other == c {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			return
		}
	}
}

// Close ends the connections that are kept, each within the time for QUIT;
// those in use end with their message.
func (s *SMTP) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for c := s.take(); c != nil; c = s.take() {
		c.quit(context.Background())
	}
	s.timers.Wait()
	return nil
}

// String says where mails go.
func (s *SMTP) String() string { return fmt.Sprint(s.cfg) }

// Package reseedtest starts a Reseed in the test's own process: the services
// of PageSeeder and Wix with an inbox, a clock and faults.
//
//	func TestReset(t *testing.T) {
//		srv := reseedtest.Start(t, reseedtest.Members(reseedtest.Member{Username: "ann", Email: "ann@example.org"}))
//		resp, err := http.PostForm(srv.URL+"/members/resetpassword", url.Values{"email": {"ann@example.org"}})
//		...
//		token := srv.WaitForMail("ann@example.org").Token
//	}
//
// Servers share nothing, so tests that have one each may run in parallel.
package reseedtest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/inbox"
	"github.com/reseed-project/reseed/seed"
	"github.com/reseed-project/reseed/testserver"
)

// Document says who exists, as the documents of "reseed serve --test --seed" do.
type Document = seed.Document

// Group is a group of a [Document].
type Group = seed.Group

// Member is a member of a [Document].
type Member = seed.Member

// Site is a Wix site of a [Document].
type Site = seed.Site

// Key is an API key of a [Site].
type Key = seed.Key

// Client is an OAuth client of a [Document].
type Client = seed.Client

// Fault is something that goes wrong.
type Fault = testserver.Fault

// Request is what the server received. Secrets are masked.
type Request = testserver.Request

// Kinds of faults.
const (
	FaultUnavailable = testserver.FaultUnavailable
	FaultTooMany     = testserver.FaultTooMany
	FaultDelay       = testserver.FaultDelay
	FaultCut         = testserver.FaultCut
	FaultMalformed   = testserver.FaultMalformed
	FaultRefuse      = testserver.FaultRefuse
	FaultStall       = testserver.FaultStall
)

// Mail is a mail that was sent, taken apart.
type Mail = inbox.Mail

// Option says what a server is like.
type Option func(*Document)

// Members adds members; their status is activated unless they say another.
func Members(m ...Member) Option { return func(d *Document) { d.Members = append(d.Members, m...) } }

// Groups adds groups.
func Groups(g ...Group) Option { return func(d *Document) { d.Groups = append(d.Groups, g...) } }

// Sites adds Wix sites.
func Sites(s ...Site) Option { return func(d *Document) { d.Sites = append(d.Sites, s...) } }

// Clients adds OAuth clients.
func Clients(c ...Client) Option { return func(d *Document) { d.Clients = append(d.Clients, c...) } }

// Setting sets one of the settings of docs/reference-settings.md.
func Setting(name string, value any) Option {
	return func(d *Document) {
		if d.Settings == nil {
			d.Settings = map[string]any{}
		}
		d.Settings[name] = value
	}
}

// Server is a server that ends with the test.
type Server struct {
	URL   string            // without a path: http://127.0.0.1:PORT
	Clock *testserver.Clock // what the server takes for the time

	t       testing.TB
	server  *testserver.Server
	arrived time.Duration
}

// Start starts a server with these accounts. It fails the test if it can't.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	doc := &Document{}
	for _, o := range options {
		o(doc)
	}
	cfg, _, err := config.Load([]string{"--listen=127.0.0.1:0"}, true)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := testserver.New(t.Context(), testserver.Options{
		Config: cfg, Seed: doc, Log: slog.New(slog.DiscardHandler), Now: time.Now, Addr: l.Addr().String(),
	})
	if err != nil {
		t.Fatal(errors.Join(err, l.Close()))
	}
	s := &Server{URL: "http://" + l.Addr().String(), Clock: srv.Clock, t: t, server: srv, arrived: 5 * time.Second}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, srv.Close()); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("stop the server: %v", err)
		}
	})
	return s
}

// Mails returns the mails to an address, or with "" all mails, oldest first.
// Mails that were ordered by requests that have been answered are among them.
func (s *Server) Mails(to string) []*Mail {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), s.arrived)
	defer cancel()
	if _, err := s.server.Deliver(ctx); err != nil {
		s.t.Fatalf("deliver the mails: %v", err)
	}
	mails, err := s.server.Mails(to)
	if err != nil {
		s.t.Fatalf("read the mails: %v", err)
	}
	return mails
}

// WaitForMail returns the latest mail to an address. It fails the test if there is none.
func (s *Server) WaitForMail(to string) *Mail {
	s.t.Helper()
	mails := s.Mails(to)
	if len(mails) == 0 {
		s.t.Fatalf("no mail to %s", to)
	}
	return mails[len(mails)-1]
}

// Add adds accounts to those that are there.
func (s *Server) Add(d Document) {
	s.t.Helper()
	if _, err := s.server.Add(s.t.Context(), &d); err != nil {
		s.t.Fatalf("add accounts: %v", err)
	}
}

// Reset returns to the accounts of Start, without mails, faults and a moved clock.
func (s *Server) Reset() {
	s.t.Helper()
	if err := s.server.Reset(s.t.Context()); err != nil {
		s.t.Fatalf("reset: %v", err)
	}
}

// Fail asks for a fault.
func (s *Server) Fail(f Fault) {
	s.t.Helper()
	if err := s.server.AddFault(f); err != nil {
		s.t.Fatalf("fault: %v", err)
	}
}

// Requests returns what the server received, oldest first. Secrets are masked.
func (s *Server) Requests() []Request { return s.server.Requests() }

package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/inbox"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/seed"
	"github.com/reseed-project/reseed/store"
)

// generation is the app between two resets.
type generation struct {
	app    *app.App
	cancel context.CancelFunc
	done   chan error
	ids    seed.IDs // of what the seed added
	client string   // id of the latest OAuth client that Do made
}

// startGeneration runs the app's background work; requests reach its handler directly.
func startGeneration(ctx context.Context, a *app.App) *generation {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	g := &generation{app: a, cancel: cancel, done: make(chan error, 1)}
	go func() { g.done <- a.Run(ctx, newIdleListener()) }()
	return g
}

// close ends the work and removes the data.
func (g *generation) close() error {
	g.cancel()
	return errors.Join(<-g.done, g.app.Close(), os.RemoveAll(g.app.Config.Data))
}

// apply adds a document's accounts.
func (g *generation) apply(ctx context.Context, doc *seed.Document) (seed.IDs, error) {
	s := &seed.Seeder{Store: g.app.Store, Hash: g.app.Members.Hasher.Hash, Now: g.app.Members.Now}
	return s.Apply(ctx, doc)
}

// Deliver sends what is due and returns how many mails still wait for another attempt.
func (s *Server) Deliver(ctx context.Context) (waiting int, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for {
		pending, err := s.waiting(ctx)
		if err != nil {
			return 0, err
		}
		attempted := 0
		for i := len(pending) - 1; i >= 0; i-- { // oldest first
			err := s.run.app.Worker.Deliver(ctx, pending[i].ID)
			if !errors.Is(err, mail.ErrNotDue) && !errors.Is(err, mail.ErrPaused) {
				attempted++
			}
		}
		if attempted == 0 {
			return s.settled(ctx)
		}
	}
}

// waiting returns the mails that wait for an attempt, newest first.
func (s *Server) waiting(ctx context.Context) ([]members.OrderStatus, error) {
	var all []members.OrderStatus
	for _, state := range []mail.State{mail.New, mail.Pending} {
		mails, err := s.run.app.Store.Mails(ctx, members.MailFilter{State: state})
		if err != nil {
			return nil, err
		}
		all = append(all, mails...)
	}
	return all, nil
}

// Mails returns the captured mails to an address, or with "" all, oldest first.
func (s *Server) Mails(to string) ([]*inbox.Mail, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	captured, err := s.run.app.Capture.List()
	if err != nil {
		return nil, err
	}
	var mails []*inbox.Mail
	for _, c := range captured {
		raw, err := s.run.app.Capture.Read(c.ID)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		m := inbox.Open(c.ID.String(), c.Time, raw)
		if to == "" || strings.EqualFold(m.To, to) {
			mails = append(mails, m)
		}
	}
	return mails, nil
}

// settled waits for the mails that the worker has in hand.
func (s *Server) settled(ctx context.Context) (int, error) {
	for {
		counts, err := s.run.app.Store.Counts(ctx)
		if err != nil {
			return 0, err
		}
		if counts[mail.Sending] == 0 {
			return counts[mail.New] + counts[mail.Pending], nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// config returns the settings for a document: those of the command line, the
// document's over them, and what a test server needs over both.
func (s *Server) config(doc *seed.Document) (*config.Config, error) {
	for _, name := range []string{"config", "data", "database", "listen", "admin-listen", "smtp", "smtp-password-file", "key-file", "templates"} {
		if _, ok := doc.Settings[name]; ok {
			return nil, fmt.Errorf("settings: a test server can't have %s", name)
		}
	}
	cfg, err := s.opts.Config.With(doc.Settings)
	if err != nil {
		return nil, err
	}
	if s.opts.Addr != "" {
		cfg.Listening(s.opts.Addr)
	}
	cfg.Database, cfg.SMTP, cfg.KeyFile, cfg.AdminListen = "", "", "", ""
	cfg.Migrate, cfg.StopDelay, cfg.StopTimeout = "auto", 0, time.Second
	cfg.ClientRate, cfg.TotalRate = new(int), 0
	if _, ok := doc.Settings["mails-per-hour"]; !ok {
		cfg.MailsPerHour = 1 << 20
	}
	if _, ok := doc.Settings["site-mails-per-day"]; !ok {
		cfg.SiteMailsPerDay = 1 << 20
	}
	cfg.DevInbox = "everywhere" // a test server that others must not see listens on this machine alone
	cfg.RequestTimeout = time.Minute
	return cfg, nil
}

// migrate makes the empty database that each fresh app starts with a copy of.
func (s *Server) migrate(ctx context.Context) error {
	db, err := store.Open(ctx, store.Config{Path: s.emptyDatabase(), Now: s.Clock.Now})
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}

// writeFiles puts the document's templates, and the database of an earlier
// start without its accounts, where the app finds them.
func (s *Server) writeFiles(cfg *config.Config, doc *seed.Document) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	empty, err := os.ReadFile(s.emptyDatabase())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(cfg.Data, databaseFile), empty, 0o600); err != nil { //nolint:gosec // a name of our own
		return err
	}
	if len(doc.Templates) == 0 {
		cfg.Complete()
		return nil
	}
	cfg.Templates = filepath.Join(cfg.Data, "templates")
	for name, text := range doc.Templates {
		if !filepath.IsLocal(name) {
			return fmt.Errorf("templates: %q is not a path inside the folder", name)
		}
		file := filepath.Join(cfg.Templates, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
	}
	cfg.Complete()
	return nil
}

const databaseFile = "reseed.db"

func (s *Server) emptyDatabase() string { return filepath.Join(s.dir, "empty.db") }

// idleListener is a listener that nobody connects to.
type idleListener struct {
	once   sync.Once
	closed chan struct{}
}

func newIdleListener() *idleListener { return &idleListener{closed: make(chan struct{})} }

// Accept waits for Close.
func (l *idleListener) Accept() (net.Conn, error) {
	<-l.closed
	return nil, net.ErrClosed
}

// Close ends Accept.
func (l *idleListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns an address that means nothing.
func (l *idleListener) Addr() net.Addr { return &net.UnixAddr{Name: "none", Net: "unix"} }

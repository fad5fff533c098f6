// Package testserver is Reseed as a double in other programs' tests: a server
// that forgets, with a clock that can be set, faults on demand, and a control
// API below /dev (docs/testing.md).
package testserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/seed"
)

// cheapHashing makes passwords cost next to nothing: tests set many, and none is a secret.
var cheapHashing = password.Params{Memory: 64, Time: 1, Parallelism: 1}

// Options are what a Server is made of. Config and Log are required.
type Options struct {
	Config *config.Config // as the command line has it; what a test server must not do is overruled
	Seed   *seed.Document // who exists at the start and after each reset; nil: nobody
	Log    *slog.Logger
	Now    func() time.Time // the machine's clock
	Addr   string           // that is listened on, for links
	// Hosts are names, beside this machine's own, under which the control API answers.
	Hosts []string
}

// Server is a test server. It answers the services through an app that is
// replaced by a fresh one at each reset.
type Server struct {
	Clock *Clock

	opts     Options
	dir      string // of everything that is stored
	faults   faults
	requests requestLog
	control  http.Handler

	controlPaths map[string]bool // the control API's own

	mu    sync.RWMutex // held for writing while the app is replaced
	seed  *seed.Document
	run   *generation
	count int
}

// New returns a server with the seed's accounts in a temporary folder. Close it.
func New(ctx context.Context, o Options) (*Server, error) {
	dir, err := os.MkdirTemp("", "reseed-test-server-")
	if err != nil {
		return nil, fmt.Errorf("make the test server's folder: %w", err)
	}
	s := &Server{Clock: NewClock(o.Now), opts: o, dir: dir, seed: &seed.Document{}, controlPaths: map[string]bool{}}
	s.control = s.controlAPI()
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	doc := o.Seed
	if doc == nil {
		doc = &seed.Document{}
	}
	if _, err := s.Seed(ctx, doc); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the server and removes what it stored.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.stop()
	return errors.Join(err, os.RemoveAll(s.dir))
}

// stop ends the app that runs, if any. The caller holds mu.
func (s *Server) stop() error {
	if s.run == nil {
		return nil
	}
	err := s.run.close()
	s.run = nil
	return err
}

// Seed replaces the server by a fresh one that holds the document's accounts,
// which Reset returns to. On an error the server stays as it was.
func (s *Server) Seed(ctx context.Context, doc *seed.Document) (seed.IDs, error) {
	if err := doc.Validate(); err != nil {
		return seed.IDs{}, err
	}
	return s.replace(ctx, doc)
}

// Reset returns to the seeded state: accounts, mails, clock, faults and
// remembered requests are as they were after the latest Seed.
func (s *Server) Reset(ctx context.Context) error {
	s.mu.RLock()
	doc := s.seed
	s.mu.RUnlock()
	_, err := s.replace(ctx, doc)
	return err
}

// Add puts a document's accounts beside those that are there, until the next
// reset. Its settings, templates and clock must be empty.
func (s *Server) Add(ctx context.Context, doc *seed.Document) (seed.IDs, error) {
	if len(doc.Settings) > 0 || len(doc.Templates) > 0 || doc.Clock != "" {
		return seed.IDs{}, errors.New("settings, templates and clock are for a fresh server: seed it without add")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.run.apply(ctx, doc)
}

// replace starts a fresh app with the document, and only then ends the old one.
func (s *Server) replace(ctx context.Context, doc *seed.Document) (seed.IDs, error) {
	cfg, err := s.config(doc)
	if err != nil {
		return seed.IDs{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Clock.Reset()
	if doc.Clock != "" {
		at, err := time.Parse(time.RFC3339, doc.Clock)
		if err != nil {
			return seed.IDs{}, fmt.Errorf("clock: %w", err)
		}
		s.Clock.Stop()
		s.Clock.Set(at)
	}
	s.count++
	cfg.Data = filepath.Join(s.dir, fmt.Sprint(s.count))
	fresh, ids, err := s.start(ctx, cfg, doc)
	if err != nil {
		return ids, errors.Join(err, os.RemoveAll(cfg.Data))
	}
	err = s.stop()
	s.faults.clear()
	s.requests.clear()
	s.run, s.seed = fresh, doc
	return ids, err
}

// start makes a fresh app with its accounts.
func (s *Server) start(ctx context.Context, cfg *config.Config, doc *seed.Document) (*generation, seed.IDs, error) {
	if err := s.writeFiles(cfg, doc); err != nil {
		return nil, seed.IDs{}, err
	}
	a, err := app.NewReady(ctx, cfg, app.Deps{
		Log: s.opts.Log, Now: s.Clock.Now, Hashing: cheapHashing, TestServer: true, Fault: requestFault, More: s.describeControls(),
		Sender: func(next mail.Sender) mail.Sender { return faultySender{next, &s.faults} },
	})
	if err != nil {
		return nil, seed.IDs{}, err
	}
	g := startGeneration(ctx, a)
	if g.ids, err = g.apply(ctx, doc); err != nil {
		return nil, g.ids, errors.Join(err, g.close())
	}
	return g, g.ids, nil
}

// Run serves on l until ctx ends.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug)}
	stopped := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(grace) // requests that go on too long are cut
		_ = srv.Close()
		close(stopped)
	})()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	<-stopped
	return nil
}

// ServeHTTP answers the control API, and everything else through the app.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.controls(r) {
		s.control.ServeHTTP(w, r)
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if isDev(r) {
		s.run.app.Handler.ServeHTTP(w, r)
		return
	}
	s.answer(w, r)
}

// answer remembers the request and answers it, perhaps with a fault.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	begin := s.opts.Now()
	seen := newRequest(r, s.Clock.Now())
	status := &statusWriter{ResponseWriter: w}
	defer func() {
		seen.Status = status.status
		seen.Duration = float64(s.opts.Now().Sub(begin).Microseconds()) / 1000
		s.requests.add(seen)
	}()
	fault, ok := s.faults.take(func(f Fault) bool { return f.matches(r.URL.EscapedPath()) })
	if ok {
		fault.apply(status, r, s.run.app.Handler)
		return
	}
	s.run.app.Handler.ServeHTTP(status, r)
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers and sends the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a piece of the body.
func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

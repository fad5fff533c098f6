package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"reseed/mail"
	"reseed/members"
	"reseed/password"
	"reseed/server"
	"reseed/store"
	"reseed/templates"
	"reseed/xmlresp"
)

// app is a server with all its parts, as serve, demo and the tests run it.
// Several fit into one process.
type app struct {
	cfg     *Config
	log     *slog.Logger
	store   *store.Store
	sender  mail.Sender
	capture *mail.Capture // the sender, where mails are captured; else nil
	worker  *mail.Worker
	members *members.Service
	handler http.Handler
}

// outside is what an app takes from the world around it; tests bring their
// own. Log is required; other zero fields get the real thing.
type outside struct {
	log      *slog.Logger
	now      func() time.Time
	random   io.Reader
	hashing  password.Params
	trace    func(query string) // called for every SQL statement
	smtpRoot *x509.CertPool
}

func (o outside) withDefaults() outside {
	if o.now == nil {
		o.now = time.Now
	}
	if o.random == nil {
		o.random = rand.Reader
	}
	return o
}

// newApp opens the database, brings its schema up to date and puts the parts together.
func newApp(ctx context.Context, cfg *Config, o outside) (_ *app, err error) {
	o = o.withDefaults()
	a := &app{cfg: cfg, log: o.log}
	set, err := loadTemplates(cfg)
	if err != nil {
		return nil, err
	}
	if a.store, err = openStore(ctx, cfg, o.now, o.trace); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.store.Close())
		}
	}()
	keys, err := loadKeys(cfg, o.random)
	if err != nil {
		return nil, err
	}
	if a.sender, err = a.newSender(o); err != nil {
		return nil, err
	}
	return a, a.assemble(o, set, keys)
}

// assemble builds the use cases, the worker that delivers for them, and the HTTP surface.
func (a *app) assemble(o outside, set *templates.Set, keys password.Keys) error {
	hasher, err := password.NewHasher(password.Config{Params: o.hashing})
	if err != nil {
		return err
	}
	policy, err := a.cfg.Policy()
	if err != nil {
		return err
	}
	courier := &courier{}
	a.members = members.NewService(members.Config{
		Resets: a.store, Registry: a.store, Groups: a.store, Sessions: a.store, Clients: a.store, Sites: a.store, Courier: courier,
		Hasher: hasher, Policy: policy, Keys: keys, Templates: set,
		Site: members.Site{
			Name: a.cfg.SiteName, HostURL: a.cfg.HostURL, EmailDomain: a.cfg.EmailDomain,
			FromName: a.cfg.MailFromName, FromAddress: a.cfg.MailFromAddress,
		},
		Disclosure:      members.Disclosure(a.cfg.Disclosure),
		TokenLife:       a.cfg.TokenLife,
		MailsPerHour:    a.cfg.MailsPerHour,
		SiteMailsPerDay: a.cfg.SiteMailsPerDay,
		Access:          a.cfg.access(),
		SyncForAll:      a.cfg.SyncDelivery == "everyone",
		CompatV5:        a.cfg.Compat == 5,
		Now:             o.now, Random: o.random, Log: o.log,
	})
	delivery := mail.Config{
		Queue: a.store, Composer: a.members, Sender: a.sender, Now: o.now, Name: workerName(), Log: o.log,
		Grace: a.cfg.StopTimeout,
	}
	testBuild(&delivery)
	a.worker, err = mail.NewWorker(delivery)
	if err != nil {
		return err
	}
	courier.Worker = a.worker
	a.handler = server.New(server.Config{
		Members: a.members, Profiles: a.members, Sessions: a.members, Clients: a.members, Wix: a.members,
		SitePrefix: a.cfg.SitePrefix, Secure: a.cfg.secure(), Zone: a.cfg.zone(),
		Version:   xmlresp.Version{Major: int64(a.cfg.Compat), Build: a.cfg.VersionBuild},
		TokenLife: a.cfg.AccessTokenLife,
		Limits:    server.Limits{Body: a.cfg.MaxBody}, Now: o.now, Log: o.log,
	})
	return nil
}

// workerName is unlike any other worker's on the same queue.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%.32s/%d/%.8s", host, os.Getpid(), rand.Text())
}

// courier breaks the circle between the use cases, which order mail, and the
// worker, which asks them to compose it.
type courier struct{ *mail.Worker }

func loadTemplates(cfg *Config) (*templates.Set, error) {
	var folder fs.FS
	if cfg.Templates != "" {
		folder = os.DirFS(cfg.Templates)
	}
	set, err := templates.Load(folder, templates.Options{GlobalTemplate: cfg.GlobalTemplate})
	if err != nil {
		return nil, fmt.Errorf("templates in %s: %w", cfg.Templates, err)
	}
	return set, nil
}

// loadKeys reads the token key; beside a SQLite database it is made when missing.
func loadKeys(cfg *Config, random io.Reader) (password.Keys, error) {
	if cfg.MySQL() {
		return password.ReadKeyFile(cfg.KeyFile)
	}
	return password.LoadOrCreateKeyFile(cfg.KeyFile, random)
}

// newSender returns SMTP where a server is configured, else capture in the data folder.
func (a *app) newSender(o outside) (mail.Sender, error) {
	if a.cfg.SMTP == "" {
		capture, err := mail.NewCapture(filepath.Join(a.cfg.Data, "mail"))
		a.capture = capture
		return capture, err
	}
	smtp, err := mail.ParseURL(a.cfg.SMTP)
	if err != nil {
		return nil, err
	}
	smtp.Password = mail.Secret(a.cfg.SMTPPassword.Reveal())
	smtp.RootCAs = o.smtpRoot
	return mail.NewSMTP(smtp)
}

// serve answers on l and delivers mail until ctx ends, then lets running
// requests and deliveries finish.
func (a *app) serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           a.handler,
		ReadHeaderTimeout: a.cfg.ReadTimeout,
		ReadTimeout:       a.cfg.ReadTimeout,
		WriteTimeout:      a.cfg.WriteTimeout,
		IdleTimeout:       a.cfg.IdleTimeout,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	delivering, stopDelivering := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDelivering()
	var g errgroup.Group
	g.Go(func() error { return a.worker.Run(delivering) })
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			stopDelivering()
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		select {
		case <-ctx.Done():
		case <-delivering.Done():
			return nil
		}
		defer stopDelivering()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.StopTimeout)
		defer cancel()
		if err := srv.Shutdown(grace); err != nil {
			return errors.Join(fmt.Errorf("stop: %w", err), srv.Close())
		}
		return nil
	})
	return g.Wait()
}

// close releases the database.
func (a *app) close() error { return a.store.Close() }

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
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

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

	audit       *auditor
	lostLines   *atomic.Int64
	metrics     *metrics
	refusals    *server.Refusals
	housekeeper *housekeeper
	state       state
	overrides   []string // names of the templates folder, A-Z folded
	whenReady   func()   // called when the database is there at last
	// stopping ends when serve is about to stop, and with it what would go on for long.
	stopping context.Context
	stop     context.CancelFunc
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
	// lostLines counts what the log did not take.
	lostLines *atomic.Int64
}

func (o outside) withDefaults() outside {
	if o.now == nil {
		o.now = time.Now
	}
	if o.lostLines == nil {
		o.lostLines = &atomic.Int64{}
	}
	if o.random == nil {
		o.random = rand.Reader
	}
	return o
}

// newApp opens the database, brings its schema up to date and puts the parts together.
func newApp(ctx context.Context, cfg *Config, o outside) (*app, error) {
	a, err := newUnprepared(ctx, cfg, o)
	if err != nil {
		return nil, err
	}
	if err := a.prepare(ctx); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// newUnprepared puts the parts together without waiting for the database.
func newUnprepared(ctx context.Context, cfg *Config, o outside) (_ *app, err error) {
	o = o.withDefaults()
	a := &app{cfg: cfg, log: o.log, metrics: newMetrics(), refusals: server.NewRefusals(o.log), lostLines: o.lostLines, whenReady: func() {}}
	a.stopping, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	set, err := loadTemplates(cfg)
	if err != nil {
		return nil, err
	}
	if a.store, err = connectStore(ctx, cfg, o.now, o.trace); err != nil {
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
	hasher, err := password.NewHasher(password.Config{Params: o.hashing, Now: o.now})
	if err != nil {
		return err
	}
	policy, err := a.cfg.Policy()
	if err != nil {
		return err
	}
	names, clients := newMaskers(a.cfg, keys)
	a.audit = newAuditor(a.store, a.log, names, clients)
	courier := &courier{stopping: a.stopping}
	a.members = members.NewService(members.Config{
		Resets: a.store, Registry: a.store, Groups: a.store, Sessions: a.store, Clients: a.store, Sites: a.store,
		Courier: courier, Audit: a.audit,
		Hasher: hasher, Policy: policy, Keys: keys, Templates: set,
		Site:            a.cfg.site(),
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
		Queue: countingQueue{a.store, a.metrics.mails}, Composer: a.members, Sender: a.sender, Now: o.now, Name: workerName(), Log: o.log,
		Grace: a.cfg.StopTimeout,
	}
	testBuild(&delivery)
	a.worker, err = mail.NewWorker(delivery)
	if err != nil {
		return err
	}
	courier.Worker = a.worker
	a.housekeeper = a.newHousekeeper(o.now)
	if err := a.metrics.registry.Register(a.newGauges(o.now)); err != nil {
		return err
	}
	return a.answer(o)
}

// answer builds the HTTP surface.
func (a *app) answer(o outside) error {
	proxies, err := a.cfg.proxies()
	if err != nil {
		return err
	}
	pages, err := a.pageConfig()
	if err != nil {
		return err
	}
	a.handler = server.New(server.Config{
		Members: a.members, Profiles: a.members, Sessions: a.members, Clients: a.members, Wix: a.members,
		SitePrefix: a.cfg.SitePrefix, Secure: a.cfg.secure(), Zone: a.cfg.zone(), Pages: pages,
		Version:   xmlresp.Version{Major: int64(a.cfg.Compat), Build: a.cfg.VersionBuild},
		TokenLife: a.cfg.AccessTokenLife,
		Limits:    server.Limits{Body: a.cfg.MaxBody, InFlight: a.cfg.MaxInFlight},
		Rates:     a.cfg.rates(),
		Proxies:   server.Proxies{Trusted: proxies, Forwarded: strings.EqualFold(a.cfg.ForwardedHeader, "forwarded")},
		Health:    a, Timeout: a.cfg.RequestTimeout, Observe: a.metrics.observe, Address: a.audit.maskedClient,
		Refusals: a.refusals, Wait: a.store.Wait,
		Now: o.now, Log: o.log,
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

func loadTemplates(cfg *Config) (*templates.Set, error) {
	set, err := templates.Load(templatesFolder(cfg), templates.Options{GlobalTemplate: cfg.GlobalTemplate})
	if err != nil {
		return nil, fmt.Errorf("templates in %s: %w", cfg.Templates, err)
	}
	return set, nil
}

// loadLooks reads what the pages look like and say, from the same folder.
func loadLooks(cfg *Config) (*templates.Pages, error) {
	looks, err := templates.LoadPages(templatesFolder(cfg), templates.Options{GlobalTemplate: cfg.GlobalTemplate})
	if err != nil {
		return nil, fmt.Errorf("templates in %s: %w", cfg.Templates, err)
	}
	return looks, nil
}

func templatesFolder(cfg *Config) fs.FS {
	if cfg.Templates == "" {
		return nil
	}
	return os.DirFS(cfg.Templates)
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

// close releases the database.
func (a *app) close() error {
	a.stop()
	return a.store.Close()
}

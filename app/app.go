// Package app is the program in one process: the parts put together, started,
// watched and stopped.
package app

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

	"golang.org/x/sync/errgroup"

	"github.com/reseed-project/reseed/audit"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/metrics"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/server"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/templates"
	"github.com/reseed-project/reseed/webhooks"
	"github.com/reseed-project/reseed/xmlresp"
)

// App is a server with all its parts, as serve, demo and the tests run it.
// Several fit into one process.
type App struct {
	Config  *config.Config
	Log     *slog.Logger
	Store   *store.Store
	sender  mail.Sender
	Capture *mail.Capture // the sender, if mails are captured; else nil
	Worker  *mail.Worker
	Hooks   *webhooks.Worker
	Members *members.Service
	Handler http.Handler

	Audit       *audit.Recorder
	lostLines   *atomic.Int64
	closeLog    func() error
	metrics     *metrics.Metrics
	refusals    *server.Refusals
	testServer  bool
	sharedClock bool // the database's clock decides
	housekeeper *housekeeper
	templates   *templates.Library
	state       state
	overrides   []string       // names of the templates folder, A-Z folded
	level       *slog.LevelVar // of the log
	whenReady   func()         // called when the database is there at last
	// stopping ends when serve is about to stop, and with it what would go on for long.
	stopping context.Context
	Stop     context.CancelFunc
}

// Deps is what an app takes from the world around it; tests bring their
// own. Log is required; other zero fields get the real thing.
type Deps struct {
	Log *slog.Logger
	Now func() time.Time
	// SharedClock has Now corrected by the database's clock, which is so where
	// Now is not given.
	SharedClock bool
	Random      io.Reader
	Hashing     password.Params
	Trace       func(query string) // called for every SQL statement
	SMTPRoot    *x509.CertPool
	// HookRoots are the certificates that webhooks trust; nil: the system's.
	HookRoots *x509.CertPool
	// Sender stands before the one that the configuration names; for test servers.
	Sender func(mail.Sender) mail.Sender
	// TestServer has pages say that they are of a test server.
	TestServer bool
	// Fault returns the error to answer a request with instead; for test servers.
	Fault func(*http.Request) error
	// More is what a test server answers beside the services, for the OpenAPI document.
	More server.More
	// lostLines counts what the log did not take.
	lostLines *atomic.Int64
}

func (o Deps) withDefaults() Deps {
	if o.Now == nil {
		o.Now, o.SharedClock = time.Now, true
	}
	if o.lostLines == nil {
		o.lostLines = &atomic.Int64{}
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return o
}

// NewReady opens the database, brings its schema up to date and puts the parts together.
func NewReady(ctx context.Context, cfg *config.Config, o Deps) (*App, error) {
	a, err := New(ctx, cfg, o)
	if err != nil {
		return nil, err
	}
	if err := a.EnsureSchema(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// New puts the parts together without waiting for the database.
func New(ctx context.Context, cfg *config.Config, o Deps) (_ *App, err error) {
	o = o.withDefaults()
	a := &App{Config: cfg, Log: o.Log, metrics: metrics.New(), refusals: server.NewRefusals(o.Log), testServer: o.TestServer, lostLines: o.lostLines, whenReady: func() {}, level: &slog.LevelVar{}}
	a.stopping, a.Stop = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, a.closeParts())
		}
	}()
	if err := a.load(ctx, o); err != nil {
		return nil, err
	}
	o.Now, a.sharedClock = a.Store.Now, o.SharedClock
	keys, err := a.loadKeys(ctx, o)
	if err != nil {
		return nil, err
	}
	a.Store.Block()
	if a.sender, err = a.newSender(o); err != nil {
		return nil, err
	}
	if o.Sender != nil {
		a.sender = o.Sender(a.sender)
	}
	return a, a.wire(o, keys)
}

// load reads the templates and opens the database at the same time, since each
// takes a tenth of a start.
func (a *App) load(ctx context.Context, o Deps) error {
	var g errgroup.Group
	g.Go(func() (err error) { a.templates, err = LoadTemplates(a.Config, o); return err })
	g.Go(func() (err error) { a.Store, err = ConnectStore(ctx, a.Config, o.Now, o.Trace); return err })
	return g.Wait()
}

func (a *App) closeParts() (err error) {
	if a.Store != nil {
		err = a.Store.Close()
	}
	if a.templates != nil {
		err = errors.Join(err, a.templates.Close())
	}
	return err
}

// mailSpread is how long after its order a mail begins at most: too short for
// people to notice, and long for those who time requests.
const mailSpread = 500 * time.Millisecond

// wire builds the use cases, the worker that delivers for them, and the HTTP surface.
func (a *App) wire(o Deps, keys password.Keys) error {
	hasher, err := password.NewHasher(password.Config{Params: o.Hashing, Now: o.Now, Waited: a.metrics.HashWaited})
	if err != nil {
		return err
	}
	policy, err := a.Config.Policy()
	if err != nil {
		return err
	}
	origins, err := a.origins()
	if err != nil {
		return err
	}
	a.Audit = audit.New(a.Store, a.Log, audit.NewMaskers(a.Config.AuditIdentifiers == "hashed", a.Config.AuditAddresses == "hashed", keys))
	dispatch := &dispatcher{stopping: a.stopping}
	a.Members = members.NewService(members.Config{
		Store: a.Store, Dispatcher: dispatch, Audit: a.Audit,
		Hasher: hasher, Policy: policy, Breaches: a.Config.Breaches(), Keys: keys, Templates: a.templates,
		Site: site(a.Config), Disclosure: members.Disclosure(a.Config.Disclosure), Access: access(a.Config),
		ResetSettings: members.ResetSettings{
			TokenLife: a.Config.TokenLife, SyncForAll: a.Config.SyncDelivery == "everyone", CompatV5: a.Config.Compat == 5,
		},
		RegistrationSettings: members.RegistrationSettings{SelfRegister: a.Config.SelfRegister},
		MailSettings: members.MailSettings{
			MailsPerHour: a.Config.MailsPerHour, NoticeClients: members.NoticeClients(a.Config.NoticeAddresses), SMTPUTF8: a.Config.SMTPUTF8,
		},
		SiteSettings: members.SiteSettings{SiteMailsPerDay: a.Config.SiteMailsPerDay, Origins: origins},
		Now:          o.Now, Random: o.Random, Log: o.Log,
	})
	delivery := mail.Config{
		Queue: a.metrics.Counting(a.Store), Composer: a.Members, Sender: a.router(o), Now: o.Now, Name: workerName(), Log: o.Log,
		Grace: a.Config.StopTimeout,
		Crowded: func() bool {
			_, waiting := hasher.Load()
			return waiting > 0
		},
	}
	if a.Capture == nil {
		delivery.Spread = mailSpread
	}
	testBuild(&delivery)
	a.Worker, err = mail.NewWorker(delivery)
	if err != nil {
		return err
	}
	dispatch.Worker = a.Worker
	a.Hooks = webhooks.NewWorker(webhooks.Config{
		Queue: a.Store, Sender: webhooks.NewSender(webhooks.NewSecrets(keys), o.Now, o.HookRoots), Name: workerName(), Now: o.Now, Log: o.Log,
	})
	a.housekeeper = a.newHousekeeper(o.Now)
	a.metrics.Register(a.gauges(o.Now))
	return a.newHandler(o)
}

// newHandler builds the HTTP surface.
func (a *App) newHandler(o Deps) error {
	proxies, err := a.Config.Proxies()
	if err != nil {
		return err
	}
	pages, err := a.pageConfig()
	if err != nil {
		return err
	}
	a.Handler = server.New(server.Config{
		Members: a.Members, Profiles: a.Members, Groups: a.Members, Accounts: a.Members, Sessions: a.Members, Clients: a.Members, Wix: a.Members,
		HostURL: a.Config.HostURL, AllowsOrigin: a.Members.AllowsOrigin,
		SitePrefix: a.Config.SitePrefix, SecureCookies: a.Config.ServedByHTTPS(), Zone: a.Config.Zone(), Pages: pages,
		Version:   xmlresp.Version{Major: int64(a.Config.Compat), Build: a.Config.Build()},
		TokenLife: a.Config.AccessTokenLife, QueryCredentials: a.Config.QueryCredentials,
		Limits:  server.Limits{Body: a.Config.MaxBody, InFlight: a.Config.MaxInFlight},
		Rates:   rates(a.Config),
		Proxies: request.Proxies{Trusted: proxies, Forwarded: strings.EqualFold(a.Config.ForwardedHeader, "forwarded")},
		Health:  a, Timeout: a.Config.RequestTimeout, Observe: a.metrics.Observe, Address: a.Audit.MaskedClient,
		Refusals: a.refusals, Wait: a.Store.Wait, Fault: o.Fault, More: o.More,
		Now: o.Now, Log: o.Log,
	})
	return nil
}

// origins returns the origins whose pages may call, as browsers write them.
func (a *App) origins() ([]string, error) {
	list, err := a.Config.Origins()
	for i, text := range list {
		origin, fault := members.ParseOrigin(text)
		if fault != nil {
			return nil, fmt.Errorf("allow-origins: %q: %w", text, fault)
		}
		list[i] = origin
	}
	return list, err
}

// access returns the limits of signing in and being signed in.
func access(c *config.Config) members.Access {
	return members.Access{
		MinBadSignIns: c.MinBadLogins, MaxBadSignIns: c.MaxBadLogins,
		MinLockout: c.MinAccountLockout, MaxLockout: c.MaxAccountLockout,
		SessionIdle: c.SessionTimeout, SessionLife: c.SessionLife, TokenLife: c.AccessTokenLife,
	}
}

// site returns what the mails say about this installation.
func site(c *config.Config) members.Site {
	return members.Site{
		Name: c.SiteName, HostURL: c.HostURL, EmailDomain: c.EmailDomain,
		FromName: c.MailFromName, FromAddress: c.MailFromAddress,
	}
}

// defaultClientRate is client-rate if nothing is said.
const defaultClientRate = 600

// rates returns the limits of how much is asked. Nobody needs protection from a
// suite of tests on the machine of a server that mails nothing.
func rates(c *config.Config) server.Rates {
	if c.ClientRate != nil {
		return server.Rates{Client: *c.ClientRate, Total: c.TotalRate}
	}
	return server.Rates{Client: defaultClientRate, Total: c.TotalRate, ExemptLocal: c.SMTP == ""}
}

// workerName is unlike any other worker's on the same queue.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%.32s/%d/%.8s", host, os.Getpid(), rand.Text())
}

// loadKeys reads the token key of the installation.
func (a *App) loadKeys(ctx context.Context, o Deps) (password.Keys, error) {
	return Keys(ctx, a.Config, a.Store, o.Now, o.Random)
}

// Keys reads the token key. Beside a SQLite database it is made by random if it
// is missing, but not while mails wait whose tokens were made with the old one.
func Keys(ctx context.Context, cfg *config.Config, s *store.Store, now func() time.Time, random io.Reader) (password.Keys, error) {
	keys, err := ReadKeys(cfg)
	if cfg.Key != "" || cfg.MySQL() || !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	waiting, err := s.WaitingTokens(ctx, now())
	if err != nil {
		return password.Keys{}, err
	}
	if waiting > 0 {
		return password.Keys{}, fmt.Errorf("token key: %s is missing, and %d mails wait whose tokens were made with it: "+
			"put it back, or run reseed key rotate --fresh to make a new one, which voids all tokens and sessions", cfg.KeyFile, waiting)
	}
	return password.LoadOrCreateKeyFile(cfg.KeyFile, random)
}

// ReadKeys reads the token key, and makes none. fs.ErrNotExist.
func ReadKeys(cfg *config.Config) (password.Keys, error) {
	if cfg.Key != "" {
		return password.ParseKeys(cfg.Key.Reveal())
	}
	return password.ReadKeyFile(cfg.KeyFile)
}

// newSender returns SMTP if a server is configured, else capture in the data folder.
func (a *App) newSender(o Deps) (mail.Sender, error) {
	if a.Config.SMTP == "" {
		capture, err := mail.NewCapture(filepath.Join(a.Config.Data, "mail"))
		a.Capture = capture
		return capture, err
	}
	smtp, err := SMTPConfig(a.Config)
	if err != nil {
		return nil, err
	}
	smtp.RootCAs = o.SMTPRoot
	return mail.NewSMTP(smtp)
}

// router sends the mails of groups that have a mail server of their own through it.
func (a *App) router(o Deps) mail.Sender {
	if a.Capture != nil {
		return a.sender // nothing leaves this machine
	}
	return &mail.Router{Default: a.sender, Open: func(s mail.Server) (mail.Sender, error) {
		smtp, err := GroupSMTPConfig(a.Config, s)
		if err != nil {
			return nil, err
		}
		smtp.RootCAs = o.SMTPRoot
		return mail.NewSMTP(smtp)
	}}
}

// Close releases the database.
func (a *App) Close() error {
	a.Stop()
	err := a.closeParts()
	if a.closeLog != nil {
		err = errors.Join(err, a.closeLog())
	}
	return err
}

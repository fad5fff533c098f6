package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/wait"
)

// Run answers on l and delivers mail until ctx ends. Then it turns /readyz to 503,
// waits for stop-delay, lets running requests and deliveries finish, releases the
// mails it had claimed, and stores the last security events.
func (a *App) Run(ctx context.Context, l net.Listener) error {
	told := ctx
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	base := context.WithoutCancel(ctx)
	monitors := startGroup(base, stop, a.watch, a.watchWrites, a.watchClock, a.Audit.Run, a.refusals.Run)
	workers := startGroup(base, stop, a.work)
	sites, err := a.open(ctx, l)
	if err != nil {
		stop()
	}
	listeners := startGroup(base, stop, sites...)
	<-ctx.Done()
	a.state.stopping.Store(true)
	a.tellSystemd(base, nowStopping)
	if told.Err() != nil {
		_ = wait.For(base, a.Config.StopDelay)
	}
	return errors.Join(err, listeners.stopAndWait(), workers.stopAndWait(), monitors.stopAndWait())
}

// work delivers mail and keeps house, once the database is ready.
func (a *App) work(ctx context.Context) error {
	if err := a.start(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.Worker.Run(ctx) })
	g.Go(func() error { return a.Hooks.Run(ctx) })
	g.Go(func() error { return a.housekeeper.Run(ctx) })
	g.Go(func() error { return a.learnHashes(ctx) })
	return g.Wait()
}

// open returns what serves the site and, if configured, the admin port.
func (a *App) open(ctx context.Context, l net.Listener) ([]func(context.Context) error, error) {
	sites := []func(context.Context) error{
		func(ctx context.Context) error {
			return a.site(ctx, a.siteServer(), limitConnections(l, a.connectionLimits()))
		},
	}
	if a.Config.AdminListen == "" {
		return sites, nil
	}
	admin, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.Config.AdminListen)
	if err != nil {
		return sites, fmt.Errorf("admin-listen: %w", err)
	}
	a.Log.InfoContext(ctx, "metrics and profiles", "listen", admin.Addr().String())
	return append(sites, func(ctx context.Context) error { return a.site(ctx, a.adminServer(), admin) }), nil
}

func (a *App) connectionLimits() connectionLimits {
	trusted, err := a.Config.Proxies()
	if err != nil { // can't be: the configuration was found valid
		trusted = nil
	}
	proxies := request.Proxies{Trusted: trusted}
	return connectionLimits{
		total: a.Config.MaxConnections, client: a.Config.MaxClientConnections,
		exempt: func(client netip.Addr) bool { return client.IsLoopback() || proxies.Trusts(client) },
	}
}

func (a *App) siteServer() *http.Server {
	srv := &http.Server{
		Handler:           http.HandlerFunc(a.part),
		ReadHeaderTimeout: a.Config.ReadTimeout,
		ReadTimeout:       a.Config.ReadTimeout,
		WriteTimeout:      a.Config.WriteTimeout,
		IdleTimeout:       a.Config.IdleTimeout,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug),
		// "OPTIONS *" gets the headers that all answers have.
		DisableGeneralOptionsHandler: true,
	}
	srv.RegisterOnShutdown(a.Stop)
	return srv
}

// part answers, and while the server is stopping also closes the connection: if it
// were kept alive, the stop could cut off a request that is on its way.
func (a *App) part(w http.ResponseWriter, r *http.Request) {
	if a.state.stopping.Load() {
		w.Header().Set("Connection", "close")
	}
	a.Handler.ServeHTTP(w, r)
}

// site serves until ctx ends, then lets open requests finish within stop-timeout.
func (a *App) site(ctx context.Context, srv *http.Server, l net.Listener) error {
	var g errgroup.Group
	failed, fail := context.WithCancel(ctx)
	defer fail()
	g.Go(func() error {
		defer fail()
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	<-failed.Done()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(a.Config.StopTimeout, time.Millisecond))
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("stop: %w", err), srv.Close(), g.Wait())
	}
	return g.Wait()
}

// group is background work that is stopped together.
type group struct {
	group  errgroup.Group
	cancel context.CancelFunc
}

// startGroup starts the work; if a part of it fails, failed is called.
func startGroup(ctx context.Context, failed func(), work ...func(context.Context) error) *group {
	c := &group{}
	ctx, c.cancel = context.WithCancel(ctx)
	for _, run := range work {
		c.group.Go(func() error {
			err := run(ctx)
			if err != nil {
				failed()
			}
			return err
		})
	}
	return c
}

// stopAndWait stops the work and waits for it to end.
func (c *group) stopAndWait() error {
	c.cancel()
	return c.group.Wait()
}

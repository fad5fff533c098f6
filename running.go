package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// serve answers on l and delivers mail until ctx ends. Then it says so on
// /readyz, waits for stop-delay, lets running requests and deliveries finish,
// gives back what it had claimed, and stores the last security events.
func (a *app) serve(ctx context.Context, l net.Listener) error {
	told := ctx
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	base := context.WithoutCancel(ctx)
	keepers := hire(base, stop, a.watch, a.audit.Run, a.refusals.Run)
	workers := hire(base, stop, a.work)
	sites, err := a.open(ctx, l)
	if err != nil {
		stop()
	}
	web := hire(base, stop, sites...)
	<-ctx.Done()
	a.state.stopping.Store(true)
	if told.Err() != nil {
		rest(base, a.cfg.StopDelay)
	}
	return errors.Join(err, web.dismiss(), workers.dismiss(), keepers.dismiss())
}

// work delivers mail and keeps house, once the database is ready.
func (a *app) work(ctx context.Context) error {
	if err := a.start(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.worker.Run(ctx) })
	g.Go(func() error { return a.housekeeper.Run(ctx) })
	return g.Wait()
}

// open returns what serves the site, and where it is configured, the
// administrators' port.
func (a *app) open(ctx context.Context, l net.Listener) ([]func(context.Context) error, error) {
	sites := []func(context.Context) error{
		func(ctx context.Context) error {
			return a.site(ctx, a.siteServer(), limitConnections(l, a.cfg.MaxConnections))
		},
	}
	if a.cfg.AdminListen == "" {
		return sites, nil
	}
	admin, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.AdminListen)
	if err != nil {
		return sites, fmt.Errorf("admin-listen: %w", err)
	}
	a.log.InfoContext(ctx, "metrics and profiles", "listen", admin.Addr().String())
	return append(sites, func(ctx context.Context) error { return a.site(ctx, a.adminServer(), admin) }), nil
}

func (a *app) siteServer() *http.Server {
	srv := &http.Server{
		Handler:           http.HandlerFunc(a.part),
		ReadHeaderTimeout: a.cfg.ReadTimeout,
		ReadTimeout:       a.cfg.ReadTimeout,
		WriteTimeout:      a.cfg.WriteTimeout,
		IdleTimeout:       a.cfg.IdleTimeout,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
		// "OPTIONS *" is answered like all else, with the headers that all answers have.
		DisableGeneralOptionsHandler: true,
	}
	srv.RegisterOnShutdown(a.stop)
	return srv
}

// part answers. While the server is about to stop, it ends the connection with
// the answer: one that is kept would be cut when the time has come, and a
// request that was on its way with it.
func (a *app) part(w http.ResponseWriter, r *http.Request) {
	if a.state.stopping.Load() {
		w.Header().Set("Connection", "close")
	}
	a.handler.ServeHTTP(w, r)
}

// site serves until ctx ends, and then for stop-timeout at most those who are there.
func (a *app) site(ctx context.Context, srv *http.Server, l net.Listener) error {
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
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(a.cfg.StopTimeout, time.Millisecond))
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("stop: %w", err), srv.Close(), g.Wait())
	}
	return g.Wait()
}

// crew is background work that ends together.
type crew struct {
	group  errgroup.Group
	cancel context.CancelFunc
}

// hire starts the work; where one part of it fails, failed is called.
func hire(ctx context.Context, failed func(), work ...func(context.Context) error) *crew {
	c := &crew{}
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

// dismiss ends the work and waits for it.
func (c *crew) dismiss() error {
	c.cancel()
	return c.group.Wait()
}

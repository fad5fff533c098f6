package main

import (
	"context"
	"errors"
	"sync/atomic"
)

// state is how far the server has come.
type state struct {
	prepared atomic.Bool // the database is there and its schema current
	away     atomic.Bool // the database has gone since
	stopping atomic.Bool
}

var (
	errStarting = errors.New("starting")
	errStopping = errors.New("stopping")
	errAway     = errors.New("the database is away")
)

// Ready returns nil when requests can be served.
func (a *app) Ready(context.Context) error {
	switch {
	case a.state.stopping.Load():
		return errStopping
	case !a.state.prepared.Load():
		return errStarting
	case a.state.away.Load():
		return errAway
	default:
		return nil
	}
}

// Detail says in a word how each part is. A paused mail queue is no reason not
// to be ready: requests are taken, and mailed later.
func (a *app) Detail(context.Context) map[string]string {
	parts := map[string]string{"server": "ok", "database": "ok", "mail": "ok"}
	if a.state.stopping.Load() {
		parts["server"] = "stopping"
	}
	if !a.state.prepared.Load() {
		parts["database"] = "starting"
	}
	if a.state.away.Load() {
		parts["database"] = "away"
	}
	switch s := a.worker.Status(); {
	case s.Paused:
		parts["mail"] = "paused"
	case s.QueueDown != "":
		parts["mail"] = "queue away"
	}
	return parts
}

// watch looks after the database until ctx ends.
func (a *app) watch(ctx context.Context) error {
	return a.store.Watch(ctx, func(err error) {
		a.state.away.Store(err != nil)
		if err != nil {
			a.log.ErrorContext(ctx, "the database is away", "err", err)
			return
		}
		a.log.InfoContext(ctx, "the database is back")
	})
}

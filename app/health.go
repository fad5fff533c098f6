package app

import (
	"context"
	"errors"
	"sync/atomic"
)

// state tells whether the server can answer.
type state struct {
	prepared    atomic.Bool // the database was reached and its schema is current
	unavailable atomic.Bool // the database has become unavailable since
	unwritable  atomic.Bool // the database answers, but takes no writes
	stopping    atomic.Bool
}

var (
	errStarting   = errors.New("starting")
	errStopping   = errors.New("stopping")
	errAway       = errors.New("the database is unavailable")
	errUnwritable = errors.New("the database takes no writes")
)

// Ready returns nil when requests can be served.
func (a *App) Ready(context.Context) error {
	switch {
	case a.state.stopping.Load():
		return errStopping
	case !a.state.prepared.Load():
		return errStarting
	case a.state.unavailable.Load():
		return errAway
	case a.state.unwritable.Load():
		return errUnwritable
	default:
		return nil
	}
}

// Detail returns the state of each part in a word. A server whose mail queue is
// paused is ready all the same: it accepts requests and mails them later.
func (a *App) Detail(context.Context) map[string]string {
	parts := map[string]string{"server": "ok", "database": "ok", "mail": "ok"}
	if a.state.stopping.Load() {
		parts["server"] = "stopping"
	}
	if !a.state.prepared.Load() {
		parts["database"] = "starting"
	}
	if a.state.unwritable.Load() {
		parts["database"] = "takes no writes"
	}
	if a.state.unavailable.Load() {
		parts["database"] = "unavailable"
	}
	switch s := a.Worker.Status(); {
	case s.Paused:
		parts["mail"] = "paused"
	case s.QueueDown != "":
		parts["mail"] = "queue unavailable"
	}
	return parts
}

// watch follows whether the database is available until ctx ends.
func (a *App) watch(ctx context.Context) error {
	return a.Store.Watch(ctx, func(err error) {
		a.state.unavailable.Store(err != nil)
		if err != nil {
			a.Log.ErrorContext(ctx, "the database is unavailable", "err", err)
			return
		}
		a.Log.InfoContext(ctx, "the database is available again")
	})
}

// watchWrites follows whether the database takes writes until ctx ends.
func (a *App) watchWrites(ctx context.Context) error {
	return a.Store.WatchWrites(ctx, func(err error) {
		a.state.unwritable.Store(err != nil)
		if err != nil {
			a.Log.ErrorContext(ctx, "the database takes no writes", "err", err)
			return
		}
		a.Log.InfoContext(ctx, "the database takes writes again")
	})
}

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/wait"
)

// schema is the part of the store that a start needs.
type schema interface {
	Migrate(ctx context.Context) error
	CheckSchema(ctx context.Context) error
}

// ensureSchema brings the schema up to date, or with migrate = "never" checks
// that it is.
func ensureSchema(ctx context.Context, s schema, migrate string) error {
	if migrate == "auto" {
		return s.Migrate(ctx)
	}
	err := s.CheckSchema(ctx)
	if errors.Is(err, store.ErrOldSchema) {
		return fmt.Errorf("%w: run reseed migrate", err)
	}
	return err
}

// waitForSchema repeats ensureSchema, with growing pauses, while the database can't
// be reached or has yet to be migrated by someone else, for at most limit (0: for
// ever). Any other failure ends it.
func waitForSchema(ctx context.Context, s schema, migrate string, limit time.Duration, log *slog.Logger) error {
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if limit > 0 {
		waiting, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	delays := mail.Backoff{First: 100 * time.Millisecond, Max: time.Second}
	for failures := 0; ; failures++ {
		err := ensureSchema(ctx, s, migrate)
		switch {
		case err == nil && failures > 0:
			log.InfoContext(ctx, "the database is ready")
			return nil
		case err == nil, !errors.Is(err, errcodes.New(errcodes.Unavailable)) && !errors.Is(err, store.ErrOldSchema):
			return err
		case waiting.Err() != nil:
			return err
		case failures == 0:
			log.WarnContext(ctx, "waiting for the database", "at most", limit, "err", err)
		}
		_ = wait.For(waiting, delays.Delay(failures, 0.5))
	}
}

// EnsureSchema makes the database ready without waiting for it.
func (a *App) EnsureSchema(ctx context.Context) error {
	if err := ensureSchema(ctx, a.Store, a.Config.Migrate); err != nil {
		return err
	}
	if err := a.syncClock(ctx); err != nil {
		return err
	}
	a.Store.Unblock()
	if _, err := a.Store.RefreshWebhooks(ctx); err != nil {
		return err
	}
	a.warnOfUnusedTemplates(ctx)
	a.state.prepared.Store(true)
	return nil
}

// start waits for the database and makes it ready. It also returns nil if ctx ends
// while it waits.
func (a *App) start(ctx context.Context) error {
	if a.state.prepared.Load() {
		return nil
	}
	if err := waitForSchema(ctx, a.Store, a.Config.Migrate, a.Config.StartTimeout, a.Log); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("start: %w", err)
	}
	a.warn(ctx)
	for a.syncClock(ctx) != nil { // what has expired can't be told without it
		if ctx.Err() != nil {
			return nil
		}
		_ = wait.For(ctx, time.Second)
	}
	a.Store.Unblock()
	if _, err := a.Store.RefreshWebhooks(ctx); err != nil {
		a.Log.WarnContext(ctx, "webhooks are not known for now", "err", err)
	}
	a.warnOfUnusedTemplates(ctx)
	a.state.prepared.Store(true)
	a.whenReady()
	return nil
}

// warn logs the settings of the database that put requests or mails at risk.
func (a *App) warn(ctx context.Context) {
	warnings, err := a.Store.Check(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "the database's settings can't be checked", "err", err)
	}
	for _, w := range warnings {
		a.Log.WarnContext(ctx, "database: "+w)
	}
}

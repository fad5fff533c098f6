package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"reseed/errcodes"
	"reseed/mail"
	"reseed/store"
)

// schema is what a start needs of the store.
type schema interface {
	Migrate(ctx context.Context) error
	CheckSchema(ctx context.Context) error
}

// readySchema brings the schema up to date, or with migrate = "never" makes
// sure that it is.
func readySchema(ctx context.Context, s schema, migrate string) error {
	if migrate == "auto" {
		return s.Migrate(ctx)
	}
	err := s.CheckSchema(ctx)
	if errors.Is(err, store.ErrOldSchema) {
		return fmt.Errorf("%w: run reseed migrate", err)
	}
	return err
}

// awaitSchema repeats readySchema, with growing waits, while the database can't
// be reached or somebody else is still to migrate it; at most for limit, unless
// that is 0. Any other failure ends it: waiting would not help.
func awaitSchema(ctx context.Context, s schema, migrate string, limit time.Duration, log *slog.Logger) error {
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if limit > 0 {
		waiting, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	delays := mail.Backoff{First: 100 * time.Millisecond, Max: time.Second}
	for failures := 0; ; failures++ {
		err := readySchema(ctx, s, migrate)
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
		rest(waiting, delays.Delay(failures, 0.5))
	}
}

// prepare makes the database ready at once, for those who don't serve yet.
func (a *app) prepare(ctx context.Context) error {
	if err := readySchema(ctx, a.store, a.cfg.Migrate); err != nil {
		return err
	}
	a.state.prepared.Store(true)
	return nil
}

// start waits for the database and makes it ready. It returns nil, too, where
// it is told to stop meanwhile.
func (a *app) start(ctx context.Context) error {
	if a.state.prepared.Load() {
		return nil
	}
	if err := awaitSchema(ctx, a.store, a.cfg.Migrate, a.cfg.StartTimeout, a.log); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("start: %w", err)
	}
	a.warn(ctx)
	a.store.Release()
	a.warnOfStrays(ctx)
	a.state.prepared.Store(true)
	a.whenReady()
	return nil
}

// warn says what about the database endangers what is promised.
func (a *app) warn(ctx context.Context) {
	warnings, err := a.store.Check(ctx)
	if err != nil {
		a.log.WarnContext(ctx, "the database's settings can't be checked", "err", err)
	}
	for _, w := range warnings {
		a.log.WarnContext(ctx, "database: "+w)
	}
}

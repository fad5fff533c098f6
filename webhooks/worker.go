package webhooks

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/wait"
)

// Pace of the worker.
const (
	atOnce    = 16               // requests under way
	lease     = 30 * time.Second // longer than a request takes, with what follows
	pollTime  = time.Second
	idleTime  = 5 * time.Second // between looks for the first hook
	stopGrace = 5 * time.Second // for writing down what became of the last requests
	giveUp    = 72 * time.Hour
)

// Config is what a worker works with. All fields are required.
type Config struct {
	Queue  Queue
	Sender *Sender
	Name   string // no other worker has it
	Now    func() time.Time
	Log    *slog.Logger
}

// Worker sends calls. Several, on several machines, may share a queue.
type Worker struct{ Config }

// NewWorker returns a worker.
func NewWorker(c Config) *Worker { return &Worker{c} }

// Run sends what is due until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	failed := false
	for ctx.Err() == nil {
		pause, err := w.round(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			w.Log.WarnContext(ctx, "webhooks are not sent for now", "err", err)
		}
		failed = err != nil
		_ = wait.For(ctx, pause)
	}
	return nil
}

// round sends a batch, and returns how long to wait for the next.
func (w *Worker) round(ctx context.Context) (time.Duration, error) {
	hooks, err := w.Queue.RefreshWebhooks(ctx)
	if err != nil || !hooks {
		return idleTime, err
	}
	calls, err := w.Queue.ClaimCalls(ctx, w.Name, w.Now(), lease, atOnce)
	if err != nil {
		return pollTime, err
	}
	var g errgroup.Group
	for _, c := range calls {
		g.Go(func() error { return w.try(ctx, c) })
	}
	if err := g.Wait(); err != nil || len(calls) < atOnce {
		return pollTime, err
	}
	return 0, nil
}

// try makes an attempt and writes down what became of it, also when the server
// is about to stop.
func (w *Worker) try(ctx context.Context, c Call) error {
	err := w.Sender.Send(ctx, c)
	settled, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	s := w.settlement(ctx, c, err)
	w.Log.InfoContext(ctx, "webhook", "hook", c.Hook.ID, "call", c.ID, "event", c.Kind, "state", string(s.State), "attempt", c.Attempts+1, "err", s.Outcome)
	return w.Queue.SettleCall(settled, w.Name, w.Now(), s)
}

// settlement returns what becomes of a call after an attempt.
func (w *Worker) settlement(ctx context.Context, c Call, err error) Settlement {
	now := w.Now()
	switch {
	case err == nil:
		return Settlement{ID: c.ID, State: Sent}
	case ctx.Err() != nil: // the server stops
		return Settlement{ID: c.ID, State: Pending, Due: now, Outcome: "interrupted"}
	case final(err) || now.Sub(c.At) > giveUp && c.Attempts > 0:
		return Settlement{ID: c.ID, State: Dead, Outcome: err.Error()}
	}
	delays := mail.Backoff{First: 5 * time.Second, Max: time.Hour}
	return Settlement{ID: c.ID, State: Pending, Due: now.Add(delays.Delay(c.Attempts, rand.Float64())), Outcome: err.Error()} //nolint:gosec // G404: spreads retries
}

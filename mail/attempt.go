package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// Undeliverable is a composer's word that there is no mail to send.
type Undeliverable struct {
	State  State // Dead or Dropped
	Reason string
}

// Error returns state and reason.
func (u *Undeliverable) Error() string { return string(u.State) + ": " + u.Reason }

// Drop says that there never was anybody to mail to.
func Drop(reason string) error { return &Undeliverable{State: Dropped, Reason: reason} }

// Kill says that the mail can't be sent and somebody should know.
func Kill(reason string) error { return &Undeliverable{State: Dead, Reason: reason} }

// attempt is a claimed order and what becomes of it.
type attempt struct {
	order  Order
	draft  Draft
	domain string // the recipient's

	ctx    context.Context // ends with the lease
	cancel context.CancelFunc
	lease  *time.Timer // cancels
	began  time.Time   // zero: it waits for a slot; the worker's mu guards it

	over       chan struct{} // closed when there is an outcome
	err        error         // read after over
	settlement Settlement    // likewise
}

func (a *attempt) isOver() bool {
	select {
	case <-a.over:
		return true
	default:
		return false
	}
}

// perform makes the attempt and returns its outcome. Where it is too late to
// begin, it gives the order back.
func (w *Worker) perform(a *attempt) Settlement {
	w.hook("after-claim")
	if a.ctx.Err() != nil {
		a.err = ErrStopped
		return w.giveBack(a, w.cfg.Now(), "not begun")
	}
	if w.pause.wait(w.cfg.Now()) > 0 {
		a.err = ErrPaused
		return w.giveBack(a, w.cfg.Now(), "not begun: delivery is paused")
	}
	began := w.cfg.Now()
	limited, cancel := context.WithTimeout(a.ctx, w.cfg.Attempt)
	defer cancel()
	a.err = w.try(limited, a)
	s := w.judge(a)
	w.report(a, s, w.cfg.Now().Sub(began))
	return s
}

// try composes and sends. A panic is a failure like others: it must cost
// neither the order nor the mails beside it.
func (w *Worker) try(ctx context.Context, a *attempt) (err error) {
	order := a.order
	stage := StageCompose
	defer func() {
		if v := recover(); v != nil {
			w.cfg.Log.Error("mail delivery panicked", "mail", order.ID.String(), "stage", string(stage),
				"panic", sanitise(fmt.Sprint(v)), "stack", string(debug.Stack()))
			err = &Error{Class: Temporary, Stage: stage, Text: "internal error"}
		}
	}()
	if !order.Decoy && w.expired(order) {
		return Kill("expired")
	}
	m, err := a.draft.Compose(ctx)
	if order.Decoy {
		return Drop("no such member")
	}
	if err != nil {
		return err
	}
	if m == nil || m.ID != order.ID {
		return &Error{Class: Temporary, Stage: StageCompose, Text: "internal error: not the order's mail"}
	}
	if w.expired(order) {
		return Kill("expired")
	}
	stage = StageSend
	if err := w.cfg.Sender.Send(ctx, m); err != nil {
		return sendError(err)
	}
	w.hook("after-250")
	return nil
}

// deadline is when the mail of an order is no longer worth sending.
func (w *Worker) deadline(order Order) time.Time {
	if order.Expires.IsZero() {
		return order.Created.Add(w.cfg.GiveUp)
	}
	return order.Expires
}

// expired reports whether it is too late to send. An order that doesn't expire
// gets one attempt whatever its age: it may have been put back by hand, or have
// waited for a mail server that was away.
func (w *Worker) expired(order Order) bool {
	if order.Expires.IsZero() && order.Attempts == 0 {
		return false
	}
	return !w.cfg.Now().Before(w.deadline(order))
}

// lately is for how long a mail that got through shows that a fault which the
// server told of another is that one's alone.
const lately = time.Minute

// judge turns the outcome of an attempt into the order's settlement, and tells
// the pause.
func (w *Worker) judge(a *attempt) Settlement {
	now := w.cfg.Now()
	var none *Undeliverable
	if errors.As(a.err, &none) {
		return w.final(a, none.State, none.Reason)
	}
	if a.err == nil {
		w.pause.succeed(now, true)
		return w.final(a, Sent, "")
	}
	e := failure(a.err)
	if e.Class != OurFault && e.Stage.inTransaction() {
		w.pause.succeed(now, false)
	}
	if e.Class == OurFault && e.Stage.inTransaction() && now.Sub(w.pause.status().LastSent) < lately {
		e.Class = Temporary
	}
	switch e.Class {
	case Permanent:
		return w.final(a, Dead, e.Error())
	case OurFault:
		return w.pauseFor(a, e)
	}
	due := now.Add(w.cfg.Retry.Delay(a.order.Attempts, w.cfg.Rand()))
	if end := w.deadline(a.order); due.After(end) {
		due = end // it is settled as expired then, not sent
	}
	s := w.giveBack(a, due, e.Error())
	s.Attempted = true
	return s
}

// pauseFor pauses the queue. The order keeps its place, except if the server
// spoke about the sender: should that be about this mail after all, it must not
// be the one to be probed each time.
func (w *Worker) pauseFor(a *attempt, e *Error) Settlement {
	now := w.cfg.Now()
	until := w.pause.fail(now, e.Error(), w.cfg.Rand())
	due := now
	if e.Stage.inTransaction() {
		due = until.Add(until.Sub(now))
	}
	return w.giveBack(a, due, e.Error())
}

// sendError makes an Error of any error of a sender. One that doesn't say what
// it is counts as temporary (MAI-9).
func sendError(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return &Error{Class: Temporary, Stage: StageSend, Text: describe(err), cause: err}
}

// failure reads the error of an attempt.
func failure(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Class: Temporary, Stage: StageCompose, Text: sanitise(err.Error()), cause: err}
}

func (w *Worker) giveBack(a *attempt, due time.Time, reason string) Settlement {
	return Settlement{ID: a.order.ID, State: Pending, Due: due, Reason: reason}
}

func (w *Worker) final(a *attempt, state State, reason string) Settlement {
	return Settlement{ID: a.order.ID, State: state, Due: w.cfg.Now(), Reason: reason, Attempted: true, Ordered: a.order.Created}
}

// report logs the attempt, in one line, without address or token.
func (w *Worker) report(a *attempt, s Settlement, took time.Duration) {
	level := slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("mail", a.order.ID.String()),
		slog.Int("attempt", a.order.Attempts+1),
		slog.String("outcome", string(s.State)),
		slog.Duration("took", took),
	}
	if s.Reason != "" {
		attributes = append(attributes, slog.String("reason", s.Reason))
	}
	var none *Undeliverable
	if a.err != nil && !errors.As(a.err, &none) {
		e := failure(a.err)
		level = slog.LevelWarn
		attributes = append(attributes, slog.String("class", e.Class.String()),
			slog.String("stage", string(e.Stage)), slog.Int("code", e.Code))
	}
	if s.State == Pending {
		attributes = append(attributes, slog.Time("due", s.Due))
	}
	w.cfg.Log.LogAttrs(context.Background(), level, "mail delivery", attributes...)
}

func (w *Worker) hook(point string) {
	if w.cfg.Hook != nil {
		w.cfg.Hook(point)
	}
}

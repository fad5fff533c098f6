package mail

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/reseed-project/reseed/wait"
)

// round makes one round with the queue, as plan completes it, and returns what
// it claimed; what Run claims is started. It isn't cut off when the caller goes:
// orders claimed by a call whose answer nobody read would lie about until their
// lease ends.
func (w *Worker) round(ctx context.Context, plan func(*Round)) ([]*attempt, error) {
	w.rounds.Lock()
	defer w.rounds.Unlock()
	if w.isStopped() {
		return nil, ErrStopped
	}
	r := w.newRound()
	plan(&r)
	orders, err := w.ask(ctx, r)
	if err != nil {
		return nil, err
	}
	claimed := w.hold(orders, w.drafts(ctx, orders))
	if r.Only != nil {
		w.beginAll(claimed)
		return claimed, nil
	}
	w.more = r.Claim > 0 && len(orders) == r.Claim
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range claimed {
		if d := w.delay(a.order, r.Now); d > 0 {
			w.putOff(a, d)
		} else {
			w.waiting = append(w.waiting, a)
		}
	}
	w.startWaiting()
	return claimed, nil
}

// delay is how long an order waits for its random moment. One that is older than
// any such moment doesn't wait.
func (w *Worker) delay(o Order, now time.Time) time.Duration {
	if now.Sub(o.Created) >= w.cfg.Spread || o.Attempts > 0 {
		return 0
	}
	return time.Duration(w.cfg.Rand() * float64(w.cfg.Spread))
}

// putOff has the attempt wait for a slot later. mu is held.
func (w *Worker) putOff(a *attempt, d time.Duration) {
	w.delayed++
	w.attempts.Go(func() {
		_ = wait.For(w.base, d)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.delayed--
		w.waiting = append(w.waiting, a)
		w.startWaiting()
	})
}

// settle records the outcomes that there are, and renews leases when it is time.
func (w *Worker) settle() error {
	w.rounds.Lock()
	defer w.rounds.Unlock()
	r := w.newRound()
	if len(r.Settle)+len(r.Renew) == 0 {
		return nil
	}
	_, err := w.ask(context.Background(), r)
	return err
}

// ask has the queue make a round and takes note of what it settled and renewed.
func (w *Worker) ask(ctx context.Context, r Round) ([]Order, error) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.QueueTimeout)
	defer cancel()
	if len(r.Settle) > 0 {
		w.hook("before-round")
	}
	claimed, err := w.cfg.Queue.Round(limited, r)
	w.noteQueue("round", err)
	if err != nil {
		w.Wake() // a mail whose sending isn't recorded is sent twice
		return nil, fmt.Errorf("mail round: %w", err)
	}
	w.settled(r)
	if len(r.Settle)+len(claimed) > 0 {
		w.hook("after-round")
	}
	return claimed, nil
}

// newRound returns a round that settles what has an outcome and, four times in
// a lease, renews what is held and rescues what others lost.
func (w *Worker) newRound() Round {
	now := w.cfg.Now()
	r := Round{Worker: w.cfg.Name, Now: now, Lease: w.cfg.Lease,
		Latest: now.Add(max(w.cfg.Retry.Max, 2*w.cfg.Pause.Max, 2*w.cfg.Lease))}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.outcomes {
		r.Settle = append(r.Settle, a.settlement)
	}
	if since := now.Sub(w.maintained); since < 0 || since >= w.cfg.Lease/4 {
		r.Rescue = true
		for id, a := range w.held {
			if !a.isOver() {
				r.Renew = append(r.Renew, id)
			}
		}
	}
	return r
}

// planRound completes a round of Run's.
func (w *Worker) planRound(r *Round) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.returnSlow(r.Now)
	r.Announce, r.Claim = w.cfg.Batch, w.room(r.Now)
	w.begins = w.allowance()
	r.Decoys = w.decoys(r.Claim)
	w.finished = 0
}

// decoys is how many orders for unknown members are worked on like those for members, up
// to the moment when there is no mail: without it, a member would be known by
// what that takes from the requests beside it. It is done for as many as one
// client may place at once while slots are free, and not for the rest of a flood.
func (w *Worker) decoys(room int) int {
	if len(w.waiting) > 0 || w.pause.probing() {
		return 0
	}
	return max(min(w.cfg.Decoys, room, w.cfg.Parallel-w.busy), 0)
}

// room is how many orders may be claimed: enough to keep the slots busy until
// the next round as far as the last one tells. While the queue is being probed
// it is one at a time, since its result decides whether the next is touched.
func (w *Worker) room(now time.Time) int {
	held := len(w.held) - len(w.outcomes)
	switch {
	case w.pause.wait(now) > 0:
		return 0
	case w.pause.probing():
		return max(1-held, 0)
	}
	return max(min(2*w.cfg.Parallel+4*w.finished+w.delayed, w.cfg.Batch)-held, 0)
}

// hold registers claimed orders with their drafts. One that we hold already is
// passed over: its lease was lost, and is ours again.
func (w *Worker) hold(orders []Order, drafts []Draft) []*attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	claimed := make([]*attempt, 0, len(orders))
	for i, order := range orders {
		if w.held[order.ID] != nil {
			continue
		}
		a := &attempt{order: order, draft: drafts[i], over: make(chan struct{})}
		if !order.Decoy {
			a.domain = drafts[i].Domain()
		}
		a.ctx, a.cancel = context.WithCancel(w.base)
		a.lease = time.AfterFunc(w.leaseTime(), a.cancel)
		w.held[order.ID] = a
		claimed = append(claimed, a)
	}
	return claimed
}

// leaseTime is how long we work on an order without its lease being renewed; the
// rest is for the settlement.
func (w *Worker) leaseTime() time.Duration { return w.cfg.Lease / 8 * 7 }

// drafts reads what all mails are made of; if that fails, each of them does.
func (w *Worker) drafts(ctx context.Context, orders []Order) []Draft {
	if len(orders) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.QueueTimeout)
	defer cancel()
	drafts, err := w.cfg.Composer.Drafts(limited, orders)
	if err == nil && len(drafts) == len(orders) {
		return drafts
	}
	if err == nil {
		err = &Error{Class: Temporary, Stage: StageCompose, Text: "internal error: not a draft for each order"}
	}
	return slices.Repeat([]Draft{failedDraft{err}}, len(orders))
}

// failedDraft is a draft that could not be read.
type failedDraft struct{ err error }

// Domain is unknown.
func (failedDraft) Domain() string { return "" }

// Compose returns why there is no mail.
func (d failedDraft) Compose(context.Context) (*Message, error) { return nil, d.err }

// settled takes note of a round that was made.
func (w *Worker) settled(r Round) {
	w.mu.Lock()
	settled := w.outcomes[:len(r.Settle)]
	w.outcomes = append([]*attempt(nil), w.outcomes[len(r.Settle):]...)
	for _, a := range settled {
		delete(w.held, a.order.ID)
	}
	for _, id := range r.Renew {
		if a := w.held[id]; a != nil && a.ctx.Err() == nil {
			a.lease.Reset(w.leaseTime())
		}
	}
	w.mu.Unlock()
	if r.Rescue {
		w.maintained = r.Now
	}
	for range settled {
		w.hook("after-settle")
	}
}

func (w *Worker) isStopped() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped
}

// noteQueue logs the begin and the end of an outage of the queue, once each.
func (w *Worker) noteQueue(doing string, err error) {
	w.mu.Lock()
	before := w.outage
	w.outage = ""
	if err != nil {
		w.outage = sanitise(doing + ": " + err.Error())
	}
	after := w.outage
	w.mu.Unlock()
	switch {
	case before == "" && after != "":
		w.cfg.Log.Error("mail queue is unavailable", "error", after)
	case before != "" && after == "":
		w.cfg.Log.Info("mail queue is available again")
	}
}

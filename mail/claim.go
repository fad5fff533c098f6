package mail

import (
	"context"
	"fmt"
	"time"
)

// claim asks the queue for orders and registers them as under way. It isn't
// cut off when the caller goes: an order claimed by a call whose answer nobody
// read would lie about until its lease ends.
func (w *Worker) claim(ctx context.Context, limit int, only *ID) ([]*attempt, error) {
	w.claiming.Lock()
	defer w.claiming.Unlock()
	if w.isStopped() {
		return nil, ErrStopped
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.QueueTimeout)
	defer cancel()
	if err := w.regain(limited); err != nil {
		w.noteQueue("claim", err)
		return nil, fmt.Errorf("regain mail: %w", err)
	}
	now := w.cfg.Now()
	jobs, err := w.cfg.Queue.Claim(limited, Claim{
		Worker: w.cfg.Name, Now: now, Lease: w.cfg.Lease, Limit: limit, Only: only,
		Latest: now.Add(max(w.cfg.Retry.Max, 2*w.cfg.Pause.Max, 2*w.cfg.Lease)),
	})
	w.noteQueue("claim", err)
	if err != nil {
		w.unsure = true
		return nil, fmt.Errorf("claim mail: %w", err)
	}
	attempts := make([]*attempt, 0, len(jobs))
	for _, job := range jobs {
		if w.claimedAgain(job.ID) {
			continue
		}
		attempts = append(attempts, &attempt{job: job, lease: now.Add(w.cfg.Lease), done: make(chan struct{})})
	}
	w.register(attempts)
	return attempts, nil
}

// regain gives back what an earlier call claimed without our knowing, since its
// answer was lost: nobody would begin it before its lease ended.
func (w *Worker) regain(ctx context.Context) error {
	if !w.unsure {
		return nil
	}
	held, err := w.cfg.Queue.Held(ctx, w.cfg.Name)
	for _, id := range held {
		if err == nil && w.underway(id) == nil {
			lost := &attempt{job: Job{ID: id}}
			err = w.cfg.Queue.Settle(ctx, w.giveBack(lost, w.cfg.Now(), "not begun: the claim's answer was lost"))
		}
	}
	w.unsure = err != nil
	return err
}

func (w *Worker) isStopped() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped
}

// register counts the attempts among those that Run waits for.
func (w *Worker) register(attempts []*attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range attempts {
		w.attempts.Add(1)
		w.inFlight[a.job.ID] = a
	}
}

// claimedAgain notes that an order was claimed which is still under way here,
// and reports whether it is: the clock jumped past the end of its lease, or its
// outcome has been recorded and it is due at once.
func (w *Worker) claimedAgain(id ID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.inFlight[id]
	if a != nil {
		a.again = true
	}
	return a != nil
}

// finish ends the attempt. An order claimed again meanwhile is given back,
// where its outcome didn't do that: nobody would begin it before its lease ended.
func (w *Worker) finish(a *attempt) {
	for !w.leave(a) {
		w.settle(a, w.giveBack(a, w.cfg.Now(), "not begun: it was being settled"))
	}
	close(a.done)
	w.attempts.Done()
}

// leave takes the attempt from those under way, unless its order was claimed again.
func (w *Worker) leave(a *attempt) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.again {
		a.again = false
		return false
	}
	delete(w.inFlight, a.job.ID)
	return true
}

// settle records the outcome, again and again while the lease lasts: a mail
// whose sending isn't recorded is sent twice. When the worker has to stop now,
// it tries once.
func (w *Worker) settle(a *attempt, s Settlement) {
	delays := Backoff{First: 100 * time.Millisecond, Max: time.Second}
	for failures := 0; ; failures++ {
		err := w.settleOnce(s)
		w.noteQueue("settle", err)
		if err == nil {
			return
		}
		if !w.cfg.Now().Before(a.lease) || !w.sleep(w.base, delays.Delay(failures, w.cfg.Rand())) {
			w.cfg.Log.Error("mail not settled, it will be tried again", "mail", s.ID.String(),
				"outcome", string(s.State), "error", sanitise(err.Error()))
			return
		}
	}
}

func (w *Worker) settleOnce(s Settlement) error {
	limited, cancel := context.WithTimeout(context.Background(), w.cfg.QueueTimeout)
	defer cancel()
	return w.cfg.Queue.Settle(limited, s)
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
		w.cfg.Log.Error("mail queue is away", "error", after)
	case before != "" && after == "":
		w.cfg.Log.Info("mail queue is back")
	}
}

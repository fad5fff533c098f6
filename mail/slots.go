package mail

import (
	"math"
	"time"
)

// startWaiting begins as many of the waiting orders as there are slots for,
// oldest first. Of a domain, no more are under way than slots are left free: a
// few domains that don't answer leave room for the others. mu is held.
func (w *Worker) startWaiting() {
	if w.stopped {
		w.returnWaiting(ErrStopped, "not begun")
		return
	}
	if w.pause.wait(w.cfg.Now()) > 0 {
		w.returnWaiting(ErrPaused, "not begun: delivery is paused")
		return
	}
	kept := w.waiting[:0]
	for i, a := range w.waiting {
		if w.pause.probing() && w.busy > 0 || w.busy >= w.cfg.Parallel || w.begins == 0 {
			kept = append(kept, w.waiting[i:]...)
			break
		}
		if !w.admits(a.domain) || !w.takeSlot() {
			kept = append(kept, a)
			continue
		}
		w.begin(a)
	}
	clear(w.waiting[len(kept):])
	w.waiting = kept
}

// crowdedBegins is how many mails are begun a second while callers wait.
const crowdedBegins = 100

// allowance is how many may begin until the next round, a beat later.
func (w *Worker) allowance() int {
	if w.cfg.Crowded == nil || !w.cfg.Crowded() {
		return math.MaxInt
	}
	return max(int(crowdedBegins*w.cfg.Beat/time.Second), 1)
}

// admits reports whether one more mail to the domain may be sent now.
func (w *Worker) admits(domain string) bool { return w.domains[domain] < w.cfg.Parallel-w.busy }

func (w *Worker) takeSlot() bool {
	select {
	case w.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (w *Worker) release() { <-w.slots }

// begin makes the attempt in the slot that was taken for it. mu is held.
func (w *Worker) begin(a *attempt) {
	a.began = w.cfg.Now()
	w.begins = max(w.begins-1, 0)
	w.busy++
	w.domains[a.domain]++
	w.attempts.Go(func() {
		s := w.perform(a)
		w.release()
		w.mu.Lock()
		w.busy--
		if w.domains[a.domain]--; w.domains[a.domain] == 0 {
			delete(w.domains, a.domain)
		}
		w.finish(a, s)
		w.startWaiting()
		w.mu.Unlock()
	})
}

// beginAll makes attempts for which slots were taken.
func (w *Worker) beginAll(attempts []*attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range attempts {
		w.begin(a)
	}
}

// finish has the outcome settled in the next round. mu is held.
func (w *Worker) finish(a *attempt, s Settlement) {
	a.lease.Stop()
	a.cancel()
	a.settlement = s
	w.outcomes = append(w.outcomes, a)
	w.finished++
	close(a.over)
	w.Wake()
}

// returnWaiting gives back what hasn't begun. mu is held.
func (w *Worker) returnWaiting(why error, reason string) {
	for _, a := range w.waiting {
		a.err = why
		w.finish(a, w.giveBack(a, w.cfg.Now(), reason))
	}
	w.waiting = nil
}

// returnSlow puts off waiting orders for domains whose share of the slots is
// taken by slow attempts, so that what we hold isn't theirs alone. mu is held.
func (w *Worker) returnSlow(now time.Time) {
	slow := map[string]bool{}
	for _, a := range w.held {
		if !a.began.IsZero() && !a.isOver() && now.Sub(a.began) >= w.cfg.Slow {
			slow[a.domain] = true
		}
	}
	kept := w.waiting[:0]
	for _, a := range w.waiting {
		if !slow[a.domain] || w.admits(a.domain) {
			kept = append(kept, a)
			continue
		}
		w.finish(a, w.giveBack(a, now.Add(w.cfg.Retry.Delay(0, w.cfg.Rand())), "not begun: its domain is slow"))
	}
	clear(w.waiting[len(kept):])
	w.waiting = kept
}

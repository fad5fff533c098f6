package mail

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reseed-project/reseed/wait"
)

// ErrNotDue is returned by [Worker.Deliver] for an order that can't be claimed:
// sent or given up already, not due yet, or in another worker's hands.
var ErrNotDue = errors.New("no such mail is due")

// ErrPaused is returned by [Worker.Deliver] while the queue rests.
var ErrPaused = errors.New("mail delivery is paused")

// ErrStopped is returned by [Worker.Deliver] once the worker has stopped.
var ErrStopped = errors.New("mail delivery has stopped")

// Worker sends the mails of a queue. Any number of them may share one.
//
// It speaks to the queue in rounds, one transaction each, at a fixed beat:
// outcomes are recorded and orders claimed. Neither how
// long sending takes nor whether anybody gets a mail changes when a round comes
// or how many there are, so the time of other requests doesn't tell. What a mail
// itself takes from requests is spread over half a second or so, in which many
// other things happen.
type Worker struct {
	cfg   Config
	pause *pause
	wake  chan struct{}
	slots chan struct{}   // one for each mail that may be sent at once
	base  context.Context // of attempts; ends when the time to stop is over
	abort context.CancelFunc

	rounds     sync.Mutex // one round at a time
	maintained time.Time  // when leases were renewed and rescued last; rounds guards it
	more       bool       // the last round left something; rounds guards it

	mu       sync.Mutex
	held     map[ID]*attempt // claimed and not settled
	waiting  []*attempt      // held and not begun, oldest first
	delayed  int             // held and not waiting yet
	outcomes []*attempt      // held and over, to be settled
	finished int             // attempts since the last round
	busy     int             // attempts under way
	begins   int             // attempts that may begin until the next round
	domains  map[string]int  // the same by recipient's domain
	attempts sync.WaitGroup
	stopped  bool
	outage   string
}

// NewWorker checks the configuration; nothing runs until Run or Deliver.
func NewWorker(cfg Config) (*Worker, error) {
	cfg.setDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	w := &Worker{
		cfg:     cfg,
		pause:   &pause{backoff: cfg.Pause},
		wake:    make(chan struct{}, 1),
		slots:   make(chan struct{}, cfg.Parallel),
		held:    make(map[ID]*attempt),
		domains: make(map[string]int),
	}
	w.base, w.abort = context.WithCancel(context.Background())
	return w, nil
}

// Wake has Run look at the queue at the next beat. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Status tells how the worker is doing.
func (w *Worker) Status() Status {
	s := w.pause.status()
	w.mu.Lock()
	defer w.mu.Unlock()
	s.QueueDown, s.Held, s.Sending = w.outage, len(w.held), w.busy
	return s
}

// Run sends what is due, oldest first, until the context ends. Then it takes no
// more, gives back what it hasn't begun, lets mails being sent finish within
// Grace, cuts off the rest and returns nil. A worker runs once.
func (w *Worker) Run(ctx context.Context) error {
	w.Wake()
	for failures := 0; w.ready(ctx, failures); {
		if _, err := w.round(ctx, w.planRound); err != nil {
			failures++
			continue
		}
		failures = 0
	}
	w.drain()
	return nil
}

// ready waits until there may be something to do, and then for the beat. It
// returns false when it is time to stop.
func (w *Worker) ready(ctx context.Context, failures int) bool {
	switch {
	case failures > 0:
		_ = wait.For(ctx, Backoff{First: 100 * time.Millisecond, Max: time.Second}.Delay(failures-1, w.cfg.Rand()))
	case !w.more:
		w.rest(ctx)
	}
	beat := w.cfg.Beat
	_ = wait.For(ctx, beat-time.Duration(w.cfg.Now().UnixNano())%beat)
	return ctx.Err() == nil
}

// rest waits for whatever may need a round.
func (w *Worker) rest(ctx context.Context) {
	timer := time.NewTimer(min(w.cfg.Poll, w.cfg.Lease/4))
	defer timer.Stop()
	select {
	case <-w.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// drain gives back what waits, and settles the attempts, first patiently, then
// after cutting them off.
func (w *Worker) drain() {
	w.rounds.Lock() // a round that is under way registers its orders first
	w.mu.Lock()
	w.stopped = true
	w.returnWaiting(ErrStopped, "not begun")
	w.mu.Unlock()
	w.rounds.Unlock()
	over := make(chan struct{})
	go func() {
		w.attempts.Wait()
		close(over)
	}()
	grace := time.AfterFunc(w.cfg.Grace, w.abort)
	defer grace.Stop()
	for w.settleUntil(over) {
	}
	w.abort()
	if err := w.settle(); err != nil {
		w.cfg.Log.Error("mails not settled, they will be tried again", "error", sanitise(err.Error()))
	}
}

// settleUntil settles what has an outcome and waits for more; it returns false
// once over is closed.
func (w *Worker) settleUntil(over <-chan struct{}) bool {
	_ = w.settle() // noteQueue told of a failure; it is tried again
	timer := time.NewTimer(min(w.cfg.Poll, w.cfg.Lease/4))
	defer timer.Stop()
	select {
	case <-over:
		return false
	case <-w.wake:
	case <-timer.C:
	}
	return true
}

// Deliver makes one attempt to send the mail of an order now and waits for it,
// for a caller who wants to know. A mail that failed stays queued. Where Run
// has the order in hands already, it waits for that attempt. It takes its turn
// beside Run: no more mails are sent at once than Parallel. When the context
// ends before that turn, the order is left to Run; after it, the attempt goes on
// without the caller. Errors: [ErrNotDue], [ErrPaused], [ErrStopped], the
// queue's, the context's, or that of the attempt.
func (w *Worker) Deliver(ctx context.Context, id ID) error {
	if w.pause.wait(w.cfg.Now()) > 0 {
		return ErrPaused
	}
	if a := w.underway(id); a != nil {
		return w.await(ctx, a)
	}
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait to send mail %s: %w", id, ctx.Err())
	}
	claimed, err := w.round(ctx, func(r *Round) { r.Only, r.Claim = &id, 1 })
	if err != nil || len(claimed) == 0 {
		w.release()
	}
	if err != nil {
		return err
	}
	if len(claimed) == 0 {
		return w.await(ctx, w.underway(id))
	}
	return w.await(ctx, claimed[0])
}

func (w *Worker) underway(id ID) *attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held[id]
}

// await waits for the outcome and records it.
func (w *Worker) await(ctx context.Context, a *attempt) error {
	if a == nil {
		return ErrNotDue
	}
	select {
	case <-a.over:
	case <-ctx.Done():
		return fmt.Errorf("wait for mail %s: %w", a.order.ID, ctx.Err())
	}
	_ = w.settle() // left to Run if it fails
	return a.err
}

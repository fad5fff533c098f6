package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// ErrNotDue is returned by [Worker.Deliver] for an order that can't be claimed:
// sent or given up already, not due yet, or in another worker's hands.
var ErrNotDue = errors.New("no such mail is due")

// ErrPaused is returned by [Worker.Deliver] while the queue rests.
var ErrPaused = errors.New("mail delivery is paused")

// ErrStopped is returned by [Worker.Deliver] once the worker has stopped.
var ErrStopped = errors.New("mail delivery has stopped")

// Composer makes the mail of an order. It returns what [Drop] or [Kill] made
// where there is none to send; any other error has the order tried again.
//
// An order that is dropped costs the queue the same statements as one that is
// sent: a claim and a settlement. A composer keeps it so that it, too, asks as
// much of the database for the one as for the other.
type Composer interface {
	Compose(ctx context.Context, job Job) (*Message, error)
}

// Config is what a worker works with. Zero values stand for the defaults, where
// one is given.
type Config struct {
	Queue    Queue
	Composer Composer
	Sender   Sender
	Now      func() time.Time
	Rand     func() float64 // from 0 up to 1, safe for concurrent use; math/rand/v2's
	Name     string         // unlike any other worker's on the same queue
	Log      *slog.Logger   // slog.Default

	Lease        time.Duration // how long an order is ours; 15 min
	Attempt      time.Duration // the longest attempt; 4/5 of Lease, always less than it
	Batch        int           // orders claimed at once; as many as Parallel, at most that
	Parallel     int           // mails sent at once; 4
	Poll         time.Duration // the queue is looked at again after; 1 s
	Grace        time.Duration // time for mails being sent when the worker stops; 30 s
	QueueTimeout time.Duration // for one call of the queue; 5 s
	GiveUp       time.Duration // for orders that don't expire, from their making; 72 h
	Retry        Backoff       // of one order; 30 s to 1 h
	Pause        Backoff       // of the whole queue; 5 s to 5 min

	// Hook is called at the points after-claim, after-250 and after-settle of
	// each order, for tests that crash there. It may be nil.
	Hook func(point string)
}

// Worker sends the mails of a queue. Any number of them may share one.
type Worker struct {
	cfg   Config
	pause *pause
	wake  chan struct{}
	slots chan struct{}   // one for each mail that may be sent at once
	base  context.Context // of attempts; ends when the time to stop is over
	abort context.CancelFunc

	claiming sync.Mutex // a claimed order is in inFlight before the next claim
	unsure   bool       // a claim failed, and may have been made; claiming guards it

	mu       sync.Mutex
	inFlight map[ID]*attempt
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
		cfg:      cfg,
		pause:    &pause{backoff: cfg.Pause},
		wake:     make(chan struct{}, 1),
		slots:    make(chan struct{}, cfg.Parallel),
		inFlight: make(map[ID]*attempt),
	}
	w.base, w.abort = context.WithCancel(context.Background())
	return w, nil
}

// Wake has Run look at the queue at once. It never blocks.
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
	s.QueueDown, s.InFlight = w.outage, len(w.inFlight)
	return s
}

// Run sends what is due, oldest first, until the context ends. Then it takes no
// more, gives back what it hasn't begun, lets mails being sent finish within
// Grace, cuts off the rest and returns nil. A worker runs once.
func (w *Worker) Run(ctx context.Context) error {
	for failures := 0; w.ready(ctx); {
		want, release := w.reserve()
		jobs, err := w.claim(ctx, want, nil)
		release(want - len(jobs))
		if err != nil {
			w.sleep(ctx, Backoff{First: 100 * time.Millisecond, Max: time.Second}.Delay(failures, w.cfg.Rand()))
			failures++
			continue
		}
		failures = 0
		w.start(ctx, jobs)
		if len(jobs) < want {
			w.rest(ctx)
		}
	}
	w.drain()
	return nil
}

// ready waits for the end of a pause and for a free slot, which it takes. It
// returns false when it is time to stop.
func (w *Worker) ready(ctx context.Context) bool {
	for wait := w.pause.wait(w.cfg.Now()); wait > 0; wait = w.pause.wait(w.cfg.Now()) {
		if !w.sleep(ctx, min(wait, w.cfg.Poll)) {
			return false
		}
	}
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if ctx.Err() != nil {
		<-w.slots
		return false
	}
	return true
}

// reserve takes further slots beside the one that ready took, without waiting,
// so that no order is claimed that would only lie about. It returns how many it
// has, and what gives back some.
func (w *Worker) reserve() (int, func(int)) {
	n := 1
	for !w.pause.probing() && n < w.cfg.Batch {
		select {
		case w.slots <- struct{}{}:
			n++
			continue
		default:
		}
		break
	}
	return n, func(unused int) {
		for range unused {
			<-w.slots
		}
	}
}

// start begins the attempts. While the queue is being probed it waits for the
// result, since that decides whether the next order is touched.
func (w *Worker) start(ctx context.Context, jobs []*attempt) {
	probing := w.pause.probing()
	for _, a := range jobs {
		go w.performInSlot(ctx, a)
		if probing {
			select {
			case <-a.done:
			case <-ctx.Done():
			}
		}
	}
}

// performInSlot makes the attempt and gives back the slot that was taken for it.
func (w *Worker) performInSlot(ctx context.Context, a *attempt) {
	defer func() { <-w.slots }()
	w.perform(ctx, a)
}

// rest waits until there may be something to do.
func (w *Worker) rest(ctx context.Context) {
	timer := time.NewTimer(w.cfg.Poll)
	defer timer.Stop()
	select {
	case <-w.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// sleep waits, and returns false when the context ended first.
func (w *Worker) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// drain waits for the attempts, first patiently, then after cutting them off.
func (w *Worker) drain() {
	w.claiming.Lock() // a claim that is under way registers its orders first
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.claiming.Unlock()
	timer := time.AfterFunc(w.cfg.Grace, w.abort)
	w.attempts.Wait()
	timer.Stop()
	w.abort()
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
	jobs, err := w.claim(ctx, 1, &id)
	if err != nil || len(jobs) == 0 {
		<-w.slots
	}
	if err != nil {
		return err
	}
	if len(jobs) == 0 {
		return w.await(ctx, w.underway(id))
	}
	go w.performInSlot(context.WithoutCancel(ctx), jobs[0])
	return w.await(ctx, jobs[0])
}

func (w *Worker) underway(id ID) *attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.inFlight[id]
}

func (w *Worker) await(ctx context.Context, a *attempt) error {
	if a == nil {
		return ErrNotDue
	}
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
		return fmt.Errorf("wait for mail %s: %w", a.job.ID, ctx.Err())
	}
}

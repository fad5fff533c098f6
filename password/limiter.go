package password

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrBusy says that as many passwords are being hashed, and as many callers
// wait for it, as the Hasher allows. The caller should try again later.
var ErrBusy = errors.New("too many passwords are being hashed")

// Share says on whose behalf passwords are hashed. While many callers wait,
// those of one client get one turn in each round, however many they are, and
// vouched ones come before all others.
type Share struct {
	// Vouched says that the caller has shown a valid token or session.
	Vouched bool
	// Client tells callers apart: by the member if vouched, else by network.
	Client string
}

type shareKey struct{}

// WithShare returns a context in which the Hasher works on behalf of s.
func WithShare(ctx context.Context, s Share) context.Context {
	return context.WithValue(ctx, shareKey{}, s)
}

func shareOf(ctx context.Context) Share {
	s, _ := ctx.Value(shareKey{}).(Share)
	return s
}

// limiter lets a bounded number of callers work and a bounded number wait, none
// of them for long.
type limiter struct {
	slots int           // callers that may work at once
	queue int           // callers that may wait
	limit time.Duration // the longest that a caller may expect to wait

	mu              sync.Mutex
	working         int
	vouched, others fairQueue
	announced       fairQueue // callers that may yet become vouched ones
	reasons         map[string]*announcement
	each            time.Duration // what work took lately, averaged
}

// waiter is one caller that waits for a slot. Its channel gets nil for a slot,
// or ErrBusy if it must make room.
type waiter struct {
	share   Share
	outcome chan error
}

func newLimiter(c Config) *limiter {
	return &limiter{slots: c.Concurrency, queue: max(c.Queue, 0), limit: c.Wait, reasons: map[string]*announcement{}}
}

// do runs work once there is room for it. Errors: ErrBusy if too many wait
// already, the context's if the caller is gone before its turn.
func (l *limiter) do(ctx context.Context, work func()) error {
	if ctx.Err() != nil {
		return fmt.Errorf("hash a password: %w", context.Cause(ctx))
	}
	if err := l.acquire(ctx); err != nil {
		return err
	}
	defer l.release()
	work()
	return nil
}

func (l *limiter) acquire(ctx context.Context) error {
	w, err := l.enter(shareOf(ctx))
	if w == nil {
		return err
	}
	select {
	case err := <-w.outcome:
		return err
	case <-ctx.Done():
		l.leave(w)
		return fmt.Errorf("wait to hash a password: %w", context.Cause(ctx))
	}
}

// enter takes a free slot, and returns nil, or a place in the queue.
func (l *limiter) enter(s Share) (*waiter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.working < l.slots {
		l.working++
		return nil, nil
	}
	if l.full(s) {
		return nil, ErrBusy
	}
	if l.waiting() == l.queue {
		l.others.dropLast().outcome <- ErrBusy
	}
	w := &waiter{share: s, outcome: make(chan error, 1)}
	l.queueOf(s).push(w)
	return w, nil
}

// leave gives a place in the queue up, or the slot that came meanwhile.
func (l *limiter) leave(w *waiter) {
	l.mu.Lock()
	waited := l.queueOf(w.share).remove(w)
	l.mu.Unlock()
	if !waited && <-w.outcome == nil {
		l.release()
	}
}

// release hands the slot to the next caller.
func (l *limiter) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range []*fairQueue{&l.vouched, &l.others} {
		if w := q.pop(); w != nil {
			w.outcome <- nil
			return
		}
	}
	l.working--
}

func (l *limiter) queueOf(s Share) *fairQueue {
	if s.Vouched {
		return &l.vouched
	}
	return &l.others
}

func (l *limiter) waiting() int { return l.vouched.size + l.others.size }

// announcement is the place of all callers with one reason.
type announcement struct {
	waiter  *waiter
	callers int
}

// announce counts a caller of the client in, or returns ErrBusy if its turn
// among the vouched ones would come too late. Another one with the same reason
// takes no place of its own.
func (l *limiter) announce(client, reason string) (withdraw func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.reasons[reason]
	if a == nil {
		free := l.slots - l.working
		if l.late(l.vouched.size + l.announced.ahead(client) - free) {
			return nil, ErrBusy
		}
		a = &announcement{waiter: &waiter{share: Share{Client: client}}}
		l.announced.push(a.waiter)
		l.reasons[reason] = a
	}
	a.callers++
	return func() { l.withdraw(reason, a) }, nil
}

func (l *limiter) withdraw(reason string, a *announcement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.callers--; a.callers == 0 {
		l.announced.remove(a.waiter)
		delete(l.reasons, reason)
	}
}

// late reports whether a caller with so many ahead would wait too long.
func (l *limiter) late(ahead int) bool {
	return time.Duration(ahead+1)*l.each/time.Duration(l.slots) > l.limit
}

// full reports whether a caller may not wait: too many do already, none of
// them with a larger share, or its turn would come too late. On a machine that
// is busy with other things fewer may wait.
func (l *limiter) full(s Share) bool {
	ahead := l.queueOf(s).ahead(s.Client)
	if !s.Vouched {
		ahead += l.vouched.size
	}
	if l.late(ahead) {
		return true
	}
	if l.waiting() < l.queue {
		return false
	}
	longest := l.others.longest()
	return longest == 0 || !s.Vouched && longest <= l.others.length(s.Client)+1
}

// smoothing is how many works the average goes back, about.
const smoothing = 8

// learn adds the time that work took to the average.
func (l *limiter) learn(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.each == 0 {
		l.each = took
	}
	l.each += (took - l.each) / smoothing
}

// fairQueue is a queue in which the clients take turns.
type fairQueue struct {
	size  int
	order []string // of the clients that wait
	lines map[string][]*waiter
}

func (q *fairQueue) push(w *waiter) {
	if q.lines == nil {
		q.lines = map[string][]*waiter{}
	}
	client := w.share.Client
	if len(q.lines[client]) == 0 {
		q.order = append(q.order, client)
	}
	q.lines[client] = append(q.lines[client], w)
	q.size++
}

// pop returns the first of the client whose turn it is; nil if nobody waits.
func (q *fairQueue) pop() *waiter {
	if q.size == 0 {
		return nil
	}
	client := q.order[0]
	w := q.lines[client][0]
	q.order = append(q.order[1:], client)
	q.cut(client, 0)
	return w
}

// dropLast takes the youngest of the client with the longest line, and its place.
func (q *fairQueue) dropLast() *waiter {
	longest := q.longest()
	for client, line := range q.lines {
		if len(line) == longest {
			w := line[longest-1]
			q.cut(client, longest-1)
			return w
		}
	}
	return nil
}

func (q *fairQueue) remove(w *waiter) bool {
	at := slices.Index(q.lines[w.share.Client], w)
	if at >= 0 {
		q.cut(w.share.Client, at)
	}
	return at >= 0
}

func (q *fairQueue) cut(client string, at int) {
	q.size--
	q.lines[client] = slices.Delete(q.lines[client], at, at+1)
	if len(q.lines[client]) == 0 {
		delete(q.lines, client)
		at := slices.Index(q.order, client)
		q.order = slices.Delete(q.order, at, at+1)
	}
}

func (q *fairQueue) length(client string) int { return len(q.lines[client]) }

func (q *fairQueue) longest() int {
	longest := 0
	for _, line := range q.lines {
		longest = max(longest, len(line))
	}
	return longest
}

// ahead returns how many have their turn before one more of the client.
func (q *fairQueue) ahead(client string) int {
	rounds := len(q.lines[client]) + 1
	n := 0
	for _, line := range q.lines {
		n += min(len(line), rounds)
	}
	return n
}

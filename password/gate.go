package password

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ErrBusy says that as many passwords are being hashed, and as many callers
// wait for it, as the Hasher allows. The caller should try again later.
var ErrBusy = errors.New("too many passwords are being hashed")

// gate lets a bounded number of callers work and a bounded number wait, none of
// them for long.
type gate struct {
	tickets chan struct{} // held by those who work or wait
	slots   chan struct{} // held by those who work
	wait    time.Duration // the longest that a newcomer may expect to wait
	now     func() time.Time
	each    atomic.Int64 // what work took lately, averaged, in nanoseconds
}

func newGate(c Config) *gate {
	return &gate{
		tickets: make(chan struct{}, c.Concurrency+max(c.Queue, 0)),
		slots:   make(chan struct{}, c.Concurrency),
		wait:    c.Wait,
		now:     c.Now,
	}
}

// full reports whether a newcomer would be turned away: too many wait already,
// or so long that the newcomer would wait longer than it may. On a machine that
// is busy with other things fewer may wait.
func (g *gate) full() bool {
	ahead := len(g.tickets) - cap(g.slots) + 1
	return len(g.tickets) == cap(g.tickets) ||
		ahead > 0 && time.Duration(ahead)*time.Duration(g.each.Load())/time.Duration(cap(g.slots)) > g.wait
}

// do runs work when there is room for it: ErrBusy at once where too many wait
// already, the context's error where the caller is gone before its turn.
func (g *gate) do(ctx context.Context, work func()) error {
	if ctx.Err() != nil {
		return fmt.Errorf("hash a password: %w", context.Cause(ctx))
	}
	if g.full() {
		return ErrBusy
	}
	select {
	case g.tickets <- struct{}{}:
		defer func() { <-g.tickets }()
	default:
		return ErrBusy
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", context.Cause(ctx))
	}
	g.timed(work)
	return nil
}

// smoothing is how many works the average goes back, about.
const smoothing = 8

// timed runs work and adds the time it took to the average. Of two that end at
// once one may not count.
func (g *gate) timed(work func()) {
	if g.now == nil {
		work()
		return
	}
	began := g.now()
	work()
	took := int64(max(g.now().Sub(began), 0)) // a clock set back tells nothing
	each := g.each.Load()
	if each == 0 {
		each = took
	}
	g.each.Store(each + (took-each)/smoothing)
}

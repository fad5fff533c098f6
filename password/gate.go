package password

import (
	"context"
	"errors"
	"fmt"
)

// ErrBusy says that as many passwords are being hashed, and as many callers
// wait for it, as the Hasher allows. The caller should try again later.
var ErrBusy = errors.New("too many passwords are being hashed")

// gate lets a bounded number of callers work and a bounded number wait.
type gate struct {
	tickets chan struct{} // held by those who work or wait
	slots   chan struct{} // held by those who work
}

func newGate(concurrency, queue int) *gate {
	return &gate{
		tickets: make(chan struct{}, concurrency+queue),
		slots:   make(chan struct{}, concurrency),
	}
}

// do runs work when there is room for it: ErrBusy at once where too many wait
// already, the context's error where the caller is gone before its turn.
func (g *gate) do(ctx context.Context, work func()) error {
	if ctx.Err() != nil {
		return fmt.Errorf("hash a password: %w", context.Cause(ctx))
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
	work()
	return nil
}

package app

import (
	"context"

	"github.com/reseed-project/reseed/mail"
)

// dispatcher connects the use cases, which order mail, with the worker, which
// asks them to compose it.
type dispatcher struct {
	*mail.Worker
	stopping context.Context
}

// Wake tells the worker that a mail was queued.
func (d *dispatcher) Wake() {
	committed()
	d.Worker.Wake()
}

// Deliver waits for the attempt to deliver, but not beyond the start of a stop: a
// mail server may take minutes to fail. The attempt itself goes on.
func (d *dispatcher) Deliver(ctx context.Context, id mail.ID) error {
	committed()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.stopping, cancel)()
	return d.Worker.Deliver(ctx, id)
}

package main

import (
	"context"

	"reseed/mail"
)

// courier breaks the circle between the use cases, which order mail, and the
// worker, which asks them to compose it.
type courier struct {
	*mail.Worker
	stopping context.Context
}

// Wake tells the worker that there is something to do.
func (c *courier) Wake() {
	committed()
	c.Worker.Wake()
}

// Deliver waits for the attempt until the server is to stop, and has seconds
// left where a mail server may take minutes to fail. The attempt goes on.
func (c *courier) Deliver(ctx context.Context, id mail.ID) error {
	committed()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.stopping, cancel)()
	return c.Worker.Deliver(ctx, id)
}

package main

import (
	"context"
	"time"

	"reseed/mail"
)

// courier breaks the circle between the use cases, which order mail, and the
// worker, which asks them to compose it.
type courier struct {
	*mail.Worker
	patience time.Duration
	stopping context.Context
}

// Deliver waits for the attempt only for so long that the answer still gets
// out: a mail server may take minutes to fail, and a server that stops has
// seconds. The attempt goes on.
func (c *courier) Deliver(ctx context.Context, id mail.ID) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	defer context.AfterFunc(c.stopping, cancel)()
	return c.Worker.Deliver(ctx, id)
}

package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

// notifyBy has the import mail those who are added. Batches get small enough for
// their mails to be due soon.
func (im *importer) notifyBy(ctx context.Context, cfg *config.Config, c *ImportCmd) error {
	im.pace = members.Pace{PerMinute: c.NotifyRate}
	im.size = min(im.size, im.pace.Most())
	if im.dry {
		im.links = &members.Service{}
		return nil
	}
	var err error
	im.links, err = app.Links(ctx, cfg, im.Store, nil, nil, im.std.Now)
	return err
}

// noticeEvery is after how long it is said again that an import waits.
const noticeEvery = time.Minute

// welcome has the batch order its members' mails, and waits for the time for it:
// until those before are nearly due, and no more are in the queue than half an
// hour's.
func (im *importer) welcome(ctx context.Context, batch *members.ImportBatch) error {
	if im.links == nil || len(batch.Add) == 0 {
		return nil
	}
	var said time.Time
	for {
		waiting, err := im.waitingMails(ctx)
		if err != nil {
			return fmt.Errorf("look at the queue: %w%s", err, im.standing())
		}
		now := im.std.Now()
		if !im.pace.Ahead(now) && waiting < 2*im.pace.Most() {
			break
		}
		if now.Sub(said) >= noticeEvery {
			said = now
			fmt.Fprintf(im.std.Err, "%d members added; %d mails wait for the server to send them\n", im.added, waiting)
		}
		if err := im.pause(ctx, time.Second); err != nil {
			return fmt.Errorf("%w%s", err, im.standing())
		}
	}
	batch.Order = im.orders(*batch)
	return nil
}

// orders returns what makes the mails of a batch. A transaction that is repeated
// asks again and gets the same times.
func (im *importer) orders(batch members.ImportBatch) func(members.Member) (members.Order, bool, error) {
	now := im.std.Now().UTC()
	due := map[string]time.Time{}
	for _, m := range batch.Add {
		if members.Welcomes(m.Member) {
			due[fold.ASCII(m.Email)] = im.pace.Next(now)
		}
	}
	return func(m members.Member) (members.Order, bool, error) {
		return im.links.Welcome(m, due[fold.ASCII(m.Email)])
	}
}

func (im *importer) waitingMails(ctx context.Context) (int, error) {
	counts, err := im.Counts(ctx)
	return counts[mail.New] + counts[mail.Pending] + counts[mail.Sending], err
}

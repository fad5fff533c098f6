package app

import (
	"context"
	"time"

	"github.com/reseed-project/reseed/wait"
)

// clockEvery is how often the machine's clock is compared with the database's.
const clockEvery = 5 * time.Second

// watchClock keeps to the database's clock until ctx ends.
func (a *App) watchClock(ctx context.Context) error {
	for a.sharedClock && ctx.Err() == nil {
		_ = wait.For(ctx, clockEvery)
		if a.Ready(ctx) == nil {
			_ = a.syncClock(ctx) // which tells of it; the clock goes on as it was
		}
	}
	return nil
}

// syncClock compares the clocks. Of one that was set back it says so.
func (a *App) syncClock(ctx context.Context) error {
	if !a.sharedClock {
		return nil
	}
	setBack, err := a.Store.SyncClock(ctx)
	if err != nil && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "clock not compared with the database's", "err", err)
	}
	if setBack > 0 {
		a.Log.WarnContext(ctx, "the clock was set back: what had expired by the time it showed before stays expired", "by", setBack)
	}
	return err
}

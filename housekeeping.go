package main

import (
	"context"
	"log/slog"
	"time"
)

// Pace of the housekeeping: small batches with rests between, so that it never
// holds a lock for long and leaves the database to those who wait for it. How
// many rows that are depends on the database and what else it does, so a batch
// is smaller after one that took long, and bigger after a quick one.
const (
	purgeFirst = 50 // rows
	purgeLeast = 10
	purgeMost  = 500
	purgeQuick = 10 * time.Millisecond
	purgeLong  = 50 * time.Millisecond
	purgeRest  = 100 * time.Millisecond
	purgeEvery = 15 * time.Minute
)

// nextBatch returns the size of the batch after one that took a time.
func nextBatch(size int, took time.Duration) int {
	switch {
	case took > purgeLong:
		return max(size/4, purgeLeast)
	case took < purgeQuick:
		return min(2*size, purgeMost)
	}
	return size
}

// purge deletes up to limit old rows of one kind, and returns how many.
type purge struct {
	what string
	run  func(ctx context.Context, before time.Time, limit int) (int, error)
}

// housekeeper deletes what is older than keep. Any number of servers may have one.
type housekeeper struct {
	purges []purge
	keep   time.Duration // 0: for ever
	now    func() time.Time
	log    *slog.Logger
	done   func(what string, rows int)
}

func (a *app) newHousekeeper(now func() time.Time) *housekeeper {
	return &housekeeper{keep: a.cfg.Keep, now: now, log: a.log, done: a.metrics.purged, purges: []purge{
		{"mails", a.store.PurgeMails},
		{"events", a.store.PurgeEvents},
		{"sessions", a.store.PurgeSessions},
		{"access_tokens", a.store.PurgeAccessTokens},
		{"site_days", a.store.PurgeSiteDays},
	}}
}

// Run purges now and then until ctx ends.
func (h *housekeeper) Run(ctx context.Context) error {
	for h.keep > 0 && ctx.Err() == nil {
		for _, p := range h.purges {
			h.clear(ctx, p)
		}
		rest(ctx, purgeEvery)
	}
	return nil
}

// clear deletes batch after batch until none is left. A failure is left to the
// next round.
func (h *housekeeper) clear(ctx context.Context, p purge) {
	before := h.now().Add(-h.keep)
	total, size := 0, purgeFirst
	for ctx.Err() == nil {
		begin := h.now()
		n, err := p.run(ctx, before, size)
		total += n
		if err != nil && ctx.Err() == nil {
			h.log.WarnContext(ctx, "old rows not purged", "what", p.what, "err", err)
		}
		if err != nil || n < size {
			break
		}
		size = nextBatch(size, h.now().Sub(begin))
		rest(ctx, purgeRest)
	}
	if total > 0 {
		h.done(p.what, total)
		h.log.InfoContext(ctx, "old rows purged", "what", p.what, "rows", total)
	}
}

// rest waits, unless ctx ends before.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

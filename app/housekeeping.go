package app

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/wait"
)

// Pace of the housekeeping: small batches with pauses between them, so that no
// lock is held for long. How many rows fit depends on the database and its load:
// a slow batch makes the next one smaller, a quick one bigger.
const (
	purgeFirst = 50 // rows
	purgeLeast = 10
	purgeMost  = 500
	purgeQuick = 10 * time.Millisecond
	purgeLong  = 50 * time.Millisecond
	purgeRest  = 100 * time.Millisecond
	purgeEvery = 15 * time.Minute
)

// nextBatch returns the size of the batch after one of a size that took a time.
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
	age  func() time.Duration // from which rows are old; nil: keep
}

// housekeeper deletes rows that are older than keep, or than an age of their
// own. Several servers may do so at once.
type housekeeper struct {
	purges []purge
	keep   time.Duration // 0: for ever
	now    func() time.Time
	log    *slog.Logger
	done   func(what string, rows int)
}

func (a *App) newHousekeeper(now func() time.Time) *housekeeper {
	return &housekeeper{keep: a.Config.Keep, now: now, log: a.Log, done: a.metrics.Purged, purges: []purge{
		{"dropped_mails", a.Store.PurgeDropped, a.longestToken},
		{"unknown_members_events", a.Store.PurgeUnknownEvents, func() time.Duration { return unknownEventsAge }},
		{"mails", a.Store.PurgeMails, nil},
		{"events", a.Store.PurgeEvents, nil},
		{"sessions", a.Store.PurgeSessions, nil},
		{"registrations", a.Store.PurgeDecoys, nil},
		{"access_tokens", a.Store.PurgeAccessTokens, nil},
		{"refresh_tokens", a.Store.PurgeRefreshTokens, nil},
		{"site_tokens", a.Store.PurgeSiteTokens, nil},
		{"site_days", a.Store.PurgeSiteDays, nil},
		{"webhook_calls", a.Store.PurgeCalls, nil},
	}}
}

// unknownEventsAge is how long events stay that anybody can cause in any number:
// refusals that name no member.
const unknownEventsAge = 7 * 24 * time.Hour

// longestToken is how long a link may work, whichever service or group mails it.
// An order that was dropped is of no use beyond that; anybody can place one.
func (a *App) longestToken() time.Duration {
	longest := max(a.Config.TokenLife, members.RecoveryLife)
	for _, own := range a.templates.Mails().AllSettings() {
		longest = max(longest, time.Duration(own.TokenLife))
	}
	return longest
}

// learnHashes keeps the times of refused sign-ins alike as members are imported.
func (a *App) learnHashes(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := a.Members.LearnHashes(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "kinds of password hashes not looked up", "err", err)
		}
		_ = wait.For(ctx, purgeEvery)
	}
	return nil
}

// Run purges now and then until ctx ends.
func (h *housekeeper) Run(ctx context.Context) error {
	purges := slices.DeleteFunc(slices.Clone(h.purges), func(p purge) bool { return h.age(p) <= 0 })
	for len(purges) > 0 && ctx.Err() == nil {
		for _, p := range purges {
			h.clear(ctx, p)
		}
		_ = wait.For(ctx, purgeEvery)
	}
	return nil
}

// age is from when on rows of a kind are old; 0: never.
func (h *housekeeper) age(p purge) time.Duration {
	if p.age != nil {
		return p.age()
	}
	return h.keep
}

// clear deletes batch after batch until none is left. A failure is left to the
// next round.
func (h *housekeeper) clear(ctx context.Context, p purge) {
	before := h.now().Add(-h.age(p))
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
		_ = wait.For(ctx, purgeRest)
	}
	if total > 0 {
		h.done(p.what, total)
		h.log.InfoContext(ctx, "old rows purged", "what", p.what, "rows", total)
	}
}

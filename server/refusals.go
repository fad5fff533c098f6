package server

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/reseed-project/reseed/errcodes"
)

// Refusals logs the requests that are turned away before any work is done for
// them. An overload must not be made worse by a line for each: of every second
// the first few have theirs, the others are counted, and the counts logged when
// it is over.
type Refusals struct {
	log *slog.Logger

	mu     sync.Mutex
	lines  int // written this second
	others map[rejection]int
}

// rejection is what refused requests have in common.
type rejection struct {
	code  errcodes.Code
	cause string
}

const (
	refusalLines  = 20 // a second
	refusalPeriod = time.Second
)

// NewRefusals returns Refusals whose Run must be running.
func NewRefusals(log *slog.Logger) *Refusals {
	return &Refusals{log: log, others: map[rejection]int{}}
}

// Run logs the counts every second until ctx ends, and the last ones then.
func (r *Refusals) Run(ctx context.Context) error {
	tick := time.NewTicker(refusalPeriod)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		r.flush(ctx)
	}
	return nil
}

// count reports whether a refused request is to be logged by itself; else it
// is counted. Without Refusals every request is logged.
func (r *Refusals) count(e *errcodes.Error) bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lines < refusalLines {
		r.lines++
		return true
	}
	what := rejection{code: e.Code}
	if e.Cause != nil {
		what.cause = e.Cause.Error()
	}
	r.others[what]++
	return false
}

func (r *Refusals) flush(ctx context.Context) {
	r.mu.Lock()
	others := r.others
	r.lines, r.others = 0, map[rejection]int{}
	r.mu.Unlock()
	for _, what := range sortedRejections(others) {
		r.log.LogAttrs(ctx, slog.LevelError, "more requests refused",
			slog.Int("requests", others[what]),
			slog.Int("status", errcodes.New(what.code).HTTPStatus()),
			slog.String("code", what.code.String()),
			slog.String("cause", what.cause))
	}
}

func sortedRejections(counts map[rejection]int) []rejection {
	var list []rejection
	for what := range counts {
		list = append(list, what)
	}
	slices.SortFunc(list, func(a, b rejection) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.cause, b.cause))
	})
	return list
}

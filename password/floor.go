package password

import (
	"context"
	"sync"
	"time"

	"github.com/reseed-project/reseed/wait"
)

// floor makes refused sign-ins take the same time whatever kind of hash they
// were verified by: as long as the slowest kind needs, with a margin for a
// machine that is busy with other things.
type floor struct {
	mu    sync.Mutex
	kinds map[string]time.Duration // what verifying each kind of hash took lately, averaged
}

// margin is how much longer than the slowest kind a refusal takes, and
// longestFloor what it takes at most, on a machine that is busy with other things.
const (
	margin       = 2
	longestFloor = 2 * time.Second
)

func (f *floor) learn(kind string, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kinds == nil {
		f.kinds = map[string]time.Duration{}
	}
	each, known := f.kinds[kind]
	if !known {
		each = took
	}
	f.kinds[kind] = each + (took-each)/smoothing
}

// least returns how long a refusal must take at least: nothing while all hashes
// are of one kind.
func (f *floor) least() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.kinds) < 2 {
		return 0
	}
	var slowest time.Duration
	for _, each := range f.kinds {
		slowest = max(slowest, each)
	}
	return min(margin*slowest, longestFloor)
}

// EvenOut waits until a refused sign-in has taken as long as any would, given
// how long its verification took. The slot is free meanwhile. The context's end
// ends the wait.
func (h *Hasher) EvenOut(ctx context.Context, took time.Duration) {
	if left := h.floor.least() - took; left > 0 {
		_ = wait.For(ctx, left)
	}
}

// Learn verifies one of each kind of the hashes, for the time it takes, so that
// the first sign-in of a kind is no different from later ones. Hashes that can't
// be read are left out. Errors: as Verify.
func (h *Hasher) Learn(ctx context.Context, hashes []Hash) error {
	learned := map[string]bool{}
	for _, hash := range hashes {
		v, err := h.parse(hash)
		if err != nil || learned[v.kind()] {
			continue
		}
		learned[v.kind()] = true
		if _, err := h.Verify(ctx, hash, ""); err != nil {
			return err
		}
	}
	return nil
}

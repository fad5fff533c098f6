package members

import (
	"context"
	"sync"

	"reseed/password"
)

// rivals lets those who use the same token at once go one after the other.
// Hashing their passwords takes long, and all hashes but one are for nothing:
// whoever comes second finds the token spent. Which of the servers on one
// database wins, the store decides. The zero value is ready to use.
type rivals struct {
	mu    sync.Mutex
	turns map[password.TokenHash]*turn
}

// turn is held by one of those who use a token.
type turn struct {
	free  chan struct{} // holds one element while nobody has the turn
	users int           // that have it or wait for it
}

// enter waits for the caller's turn, which lasts until it calls leave, and tells
// whether anybody was before it. The error is the context's.
func (r *rivals) enter(ctx context.Context, t password.TokenHash) (waited bool, leave func(), err error) {
	mine, first := r.join(t)
	select {
	case <-mine.free:
		return !first, func() { mine.free <- struct{}{}; r.part(t, mine) }, nil
	case <-ctx.Done():
		r.part(t, mine)
		return true, nil, ctx.Err()
	}
}

func (r *rivals) join(t password.TokenHash) (mine *turn, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.turns == nil {
		r.turns = map[password.TokenHash]*turn{}
	}
	mine = r.turns[t]
	if first = mine == nil; first {
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		r.turns[t] = mine
	}
	mine.users++
	return mine, first
}

func (r *rivals) part(t password.TokenHash, mine *turn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(r.turns, t)
	}
}

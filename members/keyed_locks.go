package members

import (
	"context"
	"sync"
)

// keyedLocks let what is done for one key at this server go one after the
// other. The zero value is ready to use.
type keyedLocks[K comparable] struct {
	mu    sync.Mutex
	locks map[K]*keyedLock
}

// keyedLock is held by one of those who want the same key.
type keyedLock struct {
	free  chan struct{} // holds one element while it is not locked
	users int           // that have it or wait for it
}

// lock waits for the key's lock and tells whether others had it before. The
// error is the context's.
func (l *keyedLocks[K]) lock(ctx context.Context, key K) (waited bool, unlock func(), err error) {
	mine, first := l.join(key)
	unlock = func() { mine.free <- struct{}{}; l.leave(key, mine) }
	if first {
		return false, unlock, nil
	}
	select {
	case <-mine.free:
		return true, unlock, nil
	case <-ctx.Done():
		l.leave(key, mine)
		return true, nil, ctx.Err()
	}
}

func (l *keyedLocks[K]) join(key K) (mine *keyedLock, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locks == nil {
		l.locks = map[K]*keyedLock{}
	}
	mine = l.locks[key]
	if first = mine == nil; first {
		mine = &keyedLock{free: make(chan struct{}, 1)} // the first one has it
		l.locks[key] = mine
	}
	mine.users++
	return mine, first
}

func (l *keyedLocks[K]) leave(key K, mine *keyedLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(l.locks, key)
	}
}

package store

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever came first goes first; one that gives up holds up nobody.
func TestTurnsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{}
		pool := newPoolQueue(1, time.Now)
		done, err := s.acquire(t.Context(), pool)
		if err != nil {
			t.Fatal(err)
		}
		var order, want []int
		impatient, giveUp := context.WithCancel(t.Context())
		for i := range 100 {
			ctx := t.Context()
			if i%10 == 3 {
				ctx = impatient
			} else {
				want = append(want, i)
			}
			go func() {
				done, err := s.acquire(ctx, pool)
				if err != nil {
					return
				}
				order = append(order, i)
				done()
			}()
			synctest.Wait()
		}
		giveUp()
		synctest.Wait()
		done()
		synctest.Wait()
		if !slices.Equal(order, want) {
			t.Errorf("in the order %v", order)
		}
	})
}

// How long a new request would wait follows from who waits and how fast turns
// come: nothing while only a few wait, and more with every moment in which none comes.
func TestWaitIsForetold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPoolQueue(1, time.Now)
		s := &Store{readQueue: pool, writeQueue: newPoolQueue(1, time.Now), orders: &orderWriter{backlog: &backlog{now: time.Now}}}
		work := func() {
			done, err := s.acquire(t.Context(), pool)
			if err != nil {
				t.Error(err)
				return
			}
			<-time.After(10 * time.Millisecond) // the bubble's clock
			done()
		}
		if got := s.Wait(); got != 0 {
			t.Errorf("at first %v", got)
		}
		var all sync.WaitGroup
		for range 101 {
			all.Go(work)
		}
		synctest.Wait()
		<-time.After(505 * time.Millisecond)
		if got, want := s.Wait(), 500*time.Millisecond; got < want || got > want+10*time.Millisecond {
			t.Errorf("behind 50 at 10 ms each: %v", got)
		}
		all.Wait()
		if got := s.Wait(); got != 0 {
			t.Errorf("when all is done %v", got)
		}
		if err := pool.places.Acquire(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for range minBacklog - 1 {
			all.Go(work)
		}
		<-time.After(time.Minute)
		if got := s.Wait(); got != 0 {
			t.Errorf("with one less than the minimum %v", got)
		}
		all.Go(work)
		synctest.Wait()
		if got := s.Wait(); got < 59*time.Second || got > 61*time.Second {
			t.Errorf("a minute without a turn: %v", got)
		}
		pool.places.Release(1)
		all.Wait()
	})
}

// Who gives up waiting is not waited for, and says nothing about the pace.
func TestWaitForgetsThoseWhoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newPoolQueue(1, time.Now)
		s := &Store{readQueue: pool, writeQueue: pool, orders: &orderWriter{backlog: &backlog{now: time.Now}}}
		if err := pool.places.Acquire(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.acquire(ctx, pool); err == nil {
			t.Fatal("the turn came")
		}
		if got := s.Wait(); got != 0 {
			t.Errorf("nobody waits, and yet %v", got)
		}
		if pool.backlog.each != 0 {
			t.Errorf("from turn to turn %v", pool.backlog.each)
		}
	})
}

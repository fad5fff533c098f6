package store

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// Whoever came first goes first; one that gives up holds up nobody.
func TestTurnsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{}
		pool := newTurns(1)
		done, err := s.await(t.Context(), pool)
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
				done, err := s.await(ctx, pool)
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

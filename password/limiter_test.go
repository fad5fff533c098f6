package password

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// slowHasher hashes one password in 100 ms, one at once.
func slowHasher(t *testing.T, queue int) *Hasher {
	h := newHasher(t, Config{Params: cheap, Concurrency: 1, Queue: queue, Now: time.Now})
	h.derive = func([]byte, []byte, uint32, uint32, uint8, uint32) []byte {
		<-time.After(100 * time.Millisecond)
		return make([]byte, keySize)
	}
	return h
}

// TestOneClientCannotCrowdOutOthers holds that a flood of sign-ins from one
// network leaves others their turn, and those with a valid token theirs first.
func TestOneClientCannotCrowdOutOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slowHasher(t, 8)
		crowd := WithShare(t.Context(), Share{Client: "198.51.100.0"})
		refused, done := 0, make(chan struct{})
		go func() {
			defer close(done)
			results := make(chan error)
			for range 40 {
				go func() {
					_, err := h.VerifyDecoy(crowd, "guess")
					results <- err
				}()
			}
			for range 40 {
				if err := <-results; errors.Is(err, ErrBusy) {
					refused++
				}
			}
		}()
		synctest.Wait()
		for _, c := range []struct {
			share Share
			most  time.Duration
		}{
			{Share{Client: "192.0.2.1"}, 300 * time.Millisecond},
			{Share{Client: "2001:db8::"}, 300 * time.Millisecond},
			{Share{Vouched: true, Client: "12"}, 200 * time.Millisecond},
		} {
			began := time.Now()
			if _, err := h.VerifyDecoy(WithShare(t.Context(), c.share), "guess"); err != nil {
				t.Errorf("%+v beside a flood: %v", c.share, err)
			}
			if took := time.Since(began); took > c.most {
				t.Errorf("%+v beside a flood took %v, want at most %v", c.share, took, c.most)
			}
		}
		<-done
		if refused < 40-1-8 { // one worked at once, eight could wait
			t.Errorf("%d of 40 are refused", refused)
		}
		checkIdle(t, h)
	})
}

// TestRoomIsMadeForTheOneAmongMany holds that a full queue is no reason to
// refuse a client with a smaller share: the longest line loses its last.
func TestRoomIsMadeForTheOneAmongMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slowHasher(t, 3)
		results := make(chan string, 8)
		verify := func(name string, s Share) {
			go func() {
				_, err := h.VerifyDecoy(WithShare(t.Context(), s), "guess")
				results <- fmt.Sprintf("%s %t", name, err == nil)
			}()
			synctest.Wait()
		}
		verify("crowd 1", Share{Client: "crowd"})
		verify("crowd 2", Share{Client: "crowd"})
		verify("crowd 3", Share{Client: "crowd"})
		verify("crowd 4", Share{Client: "crowd"})
		verify("crowd 5", Share{Client: "crowd"})          // refused: full
		verify("one", Share{Client: "one"})                // in the place of crowd 4
		verify("two", Share{Client: "two"})                // in the place of crowd 3
		verify("member", Share{Vouched: true, Client: ""}) // in the place of one of the three
		var got []string
		for range 8 {
			got = append(got, <-results)
		}
		want := fmt.Sprint([]string{"crowd 5 false", "crowd 4 false", "crowd 3 false"})
		if fmt.Sprint(got[:3]) != want {
			t.Errorf("refused first: %q, want %q", got[:3], want)
		}
		if got[4] != "crowd 1 true" || got[5] != "member true" {
			t.Errorf("then %q, want one refused, crowd 1 and the member", got[3:])
		}
		checkIdle(t, h)
	})
}

// TestAnnouncedCallers holds that only so many look at their tokens as can be
// served in time, that one client's keep another's out for one turn at most, and
// that they give their places back (LOD-1).
func TestAnnouncedCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slowHasher(t, 0)
		if _, err := h.Hash(t.Context(), "password"); err != nil {
			t.Fatal(err)
		}
		crowd, tokens := WithShare(t.Context(), Share{Client: "198.51.100.0"}), 0
		announce := func(ctx context.Context, most int) (withdraw []func()) {
			for {
				tokens++
				w, err := h.Announce(ctx, HashToken(fmt.Sprint(tokens)))
				if err != nil {
					return withdraw
				}
				if withdraw = append(withdraw, w); len(withdraw) > most {
					t.Fatalf("more than %d are let in", most)
				}
			}
		}
		all := announce(crowd, 11)
		if len(all) != 11 { // hashes of 100 ms, one at once: ten wait, for a second at most
			t.Errorf("%d are let in, want 11", len(all))
		}
		if others := announce(t.Context(), 11); len(others) < 5 {
			t.Errorf("beside them %d of another client are let in", len(others))
		} else {
			all = append(all, others...)
		}
		for _, withdraw := range all {
			withdraw()
		}
		checkNobodyIsAnnounced(t, h)

		working := make(chan error)
		for range 5 {
			go func() {
				_, err := h.Hash(WithShare(t.Context(), Share{Vouched: true, Client: "12"}), "password")
				working <- err
			}()
		}
		synctest.Wait()
		if all = announce(crowd, 6); len(all) != 6 { // four wait already
			t.Errorf("beside four that wait %d are let in, want 6", len(all))
		}
		for range 5 {
			if err := <-working; err != nil {
				t.Error(err)
			}
		}
		for _, withdraw := range all {
			withdraw()
		}
		checkNobodyIsAnnounced(t, h)
	})
}

// TestCheckAndHashTakeOneTurn holds that nobody waits for the check of a password
// and is then refused its hash, and that refused passwords, which take no time,
// don't have others expect a short wait.
func TestCheckAndHashTakeOneTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slowHasher(t, -1)
		beside := make(chan error, 1)
		_, err := h.HashChecked(t.Context(), "password", func() error {
			go func() { beside <- h.Run(t.Context(), func() {}) }()
			synctest.Wait()
			return nil
		})
		if err != nil {
			t.Errorf("beside another caller: %v", err)
		}
		if err := <-beside; !errors.Is(err, ErrBusy) {
			t.Errorf("the other caller: %v, want ErrBusy", err)
		}
		learned, weak := h.limiter.each, errors.New("weak")
		for range 20 {
			if hash, err := h.HashChecked(t.Context(), "a", func() error { return weak }); hash != "" || !errors.Is(err, weak) {
				t.Errorf("a refused password: %q, %v", hash, err)
			}
		}
		if h.limiter.each != learned {
			t.Errorf("a hash is expected to take %v, not %v", h.limiter.each, learned)
		}
		checkIdle(t, h)
	})
}

// TestUsesOfOneTokenArePlacedTogether holds that however many use one token at
// once, they are let in: one of them hashes, and the others are told of it.
func TestUsesOfOneTokenArePlacedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slowHasher(t, 0)
		if _, err := h.Hash(t.Context(), "password"); err != nil {
			t.Fatal(err)
		}
		var withdraw []func()
		announce := func(token string) {
			w, err := h.Announce(t.Context(), HashToken(token))
			if err != nil {
				t.Fatalf("token %q, after %d uses of any: %v", token, len(withdraw), err)
			}
			withdraw = append(withdraw, w)
		}
		for range 100 {
			announce("one")
		}
		for i := range 10 {
			announce(fmt.Sprint("other", i))
		}
		for _, w := range withdraw {
			w()
		}
		checkNobodyIsAnnounced(t, h)
	})
}

func checkNobodyIsAnnounced(t *testing.T, h *Hasher) {
	t.Helper()
	if a := h.limiter.announced; a.size != 0 || len(a.order) != 0 || len(a.lines) != 0 || len(h.limiter.reasons) != 0 {
		t.Errorf("%d are announced at the end", a.size)
	}
}

// TestLeavingTheQueue holds that a caller who is gone leaves no place taken,
// not even if the slot came at that moment.
func TestLeavingTheQueue(t *testing.T) {
	h := newHasher(t, Config{Params: cheap, Concurrency: 1, Queue: 4})
	for range 2000 {
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 3)
		for range 3 {
			go func() { results <- h.Run(ctx, func() {}) }()
		}
		go cancel()
		for range 3 {
			<-results //nolint:errcheck // that it ended is what counts
		}
	}
	checkIdle(t, h)
}

func checkIdle(t *testing.T, h *Hasher) {
	t.Helper()
	if working, waiting := h.Load(); working != 0 || waiting != 0 || len(h.limiter.others.order) != 0 || len(h.limiter.others.lines) != 0 {
		t.Errorf("%d work and %d wait at the end", working, waiting)
	}
}

package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSignInFlood has sixty clients of a few networks sign in with wrong names and
// passwords, without a pause, at what hashing costs by default. Members who sign
// in from elsewhere get in meanwhile, each at the first try, and who has a token
// sets a password (LOD-1; 15 of 15 right sign-ins got 503).
func TestSignInFlood(t *testing.T) {
	const rights = 15
	s := onSQLite(t)
	r := s.add("RESEED_TRUSTED_PROXIES=127.0.0.1")
	s.populate(rights + 3)
	r.startReady()
	client := newClient(30 * time.Second)
	step2 := func(ctx context.Context, i int, token, from string) int {
		form := url.Values{"email": {address(i)}, "token": {token}, "member-password": {floodPassword}}
		return flooding(ctx, client, http.MethodPost, r.url+"/members/resetpassword", from, "", form)
	}
	tokens := map[int]string{}
	for i := range rights + 3 {
		tokens[i] = s.token(client, i).token
	}
	for i := range rights {
		if status := step2(t.Context(), i, tokens[i], "192.0.2.1"); status != http.StatusOK {
			t.Fatalf("member %d: %d before the flood", i, status)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var refused, busy atomic.Int64
	for n := range 60 {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				switch flooding(ctx, client, http.MethodGet, r.url+"/self", fmt.Sprintf("203.0.113.%d", n%4), fmt.Sprintf("nobody%d-%d", n, i), nil) {
				case http.StatusUnauthorized:
					refused.Add(1)
				case http.StatusServiceUnavailable:
					busy.Add(1)
				}
			}
		})
	}
	eventually(t, 30*time.Second, "the flood is felt", func() bool { return busy.Load() > 20 })
	begun := time.Now()
	for i := range rights {
		from := fmt.Sprintf("198.51.100.%d", i)
		if status := flooding(t.Context(), client, http.MethodGet, r.url+"/self", from, address(i), nil); status != http.StatusOK {
			t.Errorf("right sign-in %d: %d", i, status)
		}
	}
	took := time.Since(begun)
	for i := rights; i < rights+3; i++ {
		if status := step2(t.Context(), i, tokens[i], fmt.Sprintf("198.51.100.%d", i)); status != http.StatusOK {
			t.Errorf("a good token, member %d: %d", i, status)
		}
	}
	stop()
	all.Wait()
	t.Logf("%d right sign-ins in %v, beside %d refused and %d turned away", rights, took.Round(time.Millisecond), refused.Load(), busy.Load())
}

const floodPassword = "violet-Harbor-93-maple"

// flooding sends a request on behalf of an address, signed in if a name is given,
// and returns the status, 0 if there is no answer.
func flooding(ctx context.Context, client *http.Client, method, to, from, name string, form url.Values) int {
	req, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(form.Encode()))
	if err != nil {
		return 0
	}
	req.Header.Set("X-Forwarded-For", from)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if name != "" {
		req.SetBasicAuth(name, floodPassword)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestMebibytePasswordsCostNothing sends a hundred passwords of 1 MiB, which are
// refused before they are hashed (PWD-6).
func TestMebibytePasswordsCostNothing(t *testing.T) {
	s := onSQLite(t)
	r := s.add()
	s.populate(1)
	r.startReady()
	client := newClient(30 * time.Second)
	token := s.token(client, 0).token
	s.quiet()
	long := strings.Repeat("a", 1<<20)
	before := r.processorTime()
	for i := range 100 {
		form := url.Values{"email": {address(0)}, "token": {token}, "member-password": {long}}
		if status := flooding(t.Context(), client, http.MethodPost, r.url+"/members/resetpassword", "192.0.2.1", "", form); status != http.StatusRequestEntityTooLarge && status != 0 {
			t.Fatalf("password %d: %d, want 413 or a closed connection", i, status)
		}
	}
	used := r.processorTime() - before
	t.Logf("100 passwords of 1 MiB: %v of processor time", used)
	if used > time.Second {
		t.Errorf("%v of processor time for passwords that are refused", used)
	}
	form := url.Values{"email": {address(0)}, "token": {token}, "member-password": {floodPassword}}
	if status := flooding(t.Context(), client, http.MethodPost, r.url+"/members/resetpassword", "192.0.2.1", "", form); status != http.StatusOK {
		t.Errorf("the token is spent: %d", status)
	}
}

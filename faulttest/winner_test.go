package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"reseed/password"
	"reseed/store/mariadbtest"
)

// What one token's round is made of (RELIABILITY 4.2).
const (
	tokensAtOnce = 50
	rivals       = 5 // uses of one token at once
)

// TestOneWinner has many clients use each token at once, through two servers
// whose connections to the database are reset, delayed and cut in pieces all
// the while. Whatever the clients were told, one use at most may have happened,
// and the stored password must be one that somebody could have set (TOK-3).
func TestOneWinner(t *testing.T) {
	rounds := knob(t, "ROUNDS", 100, 10_000)
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2", Networking: true})
	s := onMariaDB(t, server)
	proxies := s.addBehindProxies(server, 2, "RESEED_FAILPOINT_HASHING=cheap")
	s.populate(rounds)
	for _, r := range s.servers {
		r.startReady()
	}
	chaos, stop := context.WithCancel(context.Background())
	var broken sync.WaitGroup
	for _, p := range proxies {
		broken.Go(func() { p.torment(chaos) })
	}
	t.Cleanup(func() { stop(); broken.Wait() })
	w := &contest{site: s, client: newClient(20 * time.Second), faults: &faults{t: t}, tally: map[outcome]int{}}
	for first := 0; first < rounds; first += tokensAtOnce {
		w.batch(first, min(first+tokensAtOnce, rounds))
	}
	stop()
	broken.Wait()
	t.Logf("%d rounds of %d uses: %v, %d tokens without a winner that was told so", rounds, rivals, w.tally, w.unclaimed)
	if w.tally[ok] < rounds/2 || w.tally[refused] < rounds || w.tally[unknown] == 0 {
		t.Errorf("the contest was no contest: %v", w.tally)
	}
}

// addBehindProxies adds servers that each reach MariaDB through a proxy of their own.
func (s *site) addBehindProxies(server *mariadbtest.Server, n int, env ...string) []*proxy {
	s.t.Helper()
	var proxies []*proxy
	for range n {
		p := newProxy(s.t, fmt.Sprintf("127.0.0.1:%d", server.Port()))
		r := s.add(env...)
		r.dsn = throughProxy(s.dsn, server.Port(), p)
		proxies = append(proxies, p)
	}
	return proxies
}

// torment breaks the connections in one way after the other.
func (p *proxy) torment(ctx context.Context) {
	toxics := []toxic{
		{}, {latency: time.Millisecond, jitter: 5 * time.Millisecond}, {slice: 7}, {limit: 20_000},
		{cut: "COMMIT", forward: true}, {cut: "COMMIT"}, {},
	}
	for ctx.Err() == nil {
		p.set(toxics[rand.IntN(len(toxics))])
		if rand.IntN(2) == 0 {
			p.reset()
		}
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(60 * time.Millisecond)):
		}
	}
	p.set(toxic{})
}

// contest is who used which token, and what came of it.
type contest struct {
	site      *site
	client    *http.Client
	faults    *faults
	tally     map[outcome]int
	unclaimed int
}

// batch gives a token to each of some members, has all of them used at once by
// everybody, and judges.
func (w *contest) batch(first, end int) {
	w.site.t.Helper()
	tokens := w.request(first, end)
	var mu sync.Mutex
	history := map[string][]change{}
	var all sync.WaitGroup
	for _, d := range tokens {
		for rival := range rivals {
			all.Go(func() {
				c := change{to: d.to, token: d.token, password: fmt.Sprintf("Rival-%d-%s-lantern", rival, d.token[:12])}
				c.outcome = complete(w.client, w.site.servers[rand.IntN(2)], c)
				mu.Lock()
				history[c.to] = append(history[c.to], c)
				mu.Unlock()
			})
		}
	}
	all.Wait()
	standings := w.site.standings()
	for email, changes := range history {
		w.judge(standings[email], changes)
	}
}

// request has a token mailed to each member and waits for all of them.
func (w *contest) request(first, end int) map[string]delivery {
	w.site.t.Helper()
	var all sync.WaitGroup
	for i := first; i < end; i++ {
		all.Go(func() {
			for try := range 1000 {
				status, _, err := post(context.Background(), w.client, w.site.servers[(i+try)%2].url+"/members/resetpassword",
					url.Values{"email": {address(i)}})
				if err == nil && status == http.StatusOK {
					return
				}
				<-time.After(20 * time.Millisecond)
			}
		})
	}
	all.Wait()
	tokens := map[string]delivery{}
	limit := time.After(60 * time.Second)
	for len(tokens) < end-first {
		select {
		case d := <-w.site.box.tokens:
			var i int
			if _, err := fmt.Sscanf(d.to, "m%d@", &i); err == nil && i >= first && i < end {
				tokens[d.to] = d
			}
		case <-limit:
			w.site.t.Fatalf("only %d of %d tokens came", len(tokens), end-first)
		}
	}
	return tokens
}

// judge holds what the clients of one token saw against the database.
func (w *contest) judge(m *standing, changes []change) {
	w.site.t.Helper()
	email := changes[0].to
	var winners, maybe []change
	for _, c := range changes {
		w.tally[c.outcome]++
		switch c.outcome {
		case ok:
			winners = append(winners, c)
		case unknown:
			maybe = append(maybe, c)
		case refused:
		default:
			w.faults.errorf("%s: %s", email, c.outcome)
		}
	}
	possible := maybe
	switch len(winners) {
	case 0:
		w.unclaimed++
	case 1:
		possible = winners
	default:
		w.faults.errorf("%s: %d uses of one token succeeded", email, len(winners))
	}
	wholeChange(w.faults, email, m)
	if !m.changed && len(maybe) == len(changes)-len(winners) && len(winners) == 0 {
		return // nothing happened, and nobody was told otherwise
	}
	if !slices.ContainsFunc(possible, func(c change) bool { return w.matches(m.hash, c.password) }) {
		w.faults.errorf("%s: the stored password (changed: %t) is none that may have been set; outcomes %v", email, m.changed, changes)
	}
}

// matches verifies a password against a stored hash.
func (w *contest) matches(hash, pw string) bool {
	hasher, err := password.NewHasher(password.Config{})
	if err != nil {
		w.site.t.Fatal(err)
	}
	if hash == "" {
		return false
	}
	good, _, err := hasher.Verify(context.Background(), password.Hash(hash), pw)
	return err == nil && good
}

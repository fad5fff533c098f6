package faults

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

	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

// What one token's round is made of (requirements 4.2).
const (
	tokensAtOnce = 50
	users        = 5 // uses of one token at once
	stormyTries  = 3 // of each user while connections break
)

// TestOneWinner has many clients use each token at once, through two servers
// whose connections to the database are reset, delayed and cut in pieces.
// Whatever the clients were told, one use at most may have happened, and the
// stored password must be one that someone could have set (TOK-3). A client
// that was told nothing tries again, in the end with whole connections, so that
// every token finds its winner.
func TestOneWinner(t *testing.T) {
	rounds := knob(t, "ROUNDS", 100, 10_000)
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2", Networking: true})
	s := onMariaDB(t, server)
	proxies := s.addBehindProxies(server, 2, "RESEED_FAILPOINT_HASHING=cheap")
	s.populate(rounds)
	for _, r := range s.servers {
		r.startReady()
	}
	w := &contest{
		site: s, proxies: proxies, client: newClient(20 * time.Second), hasher: newHasher(t),
		faults: &faults{t: t}, tally: map[outcome]int{},
	}
	for first := 0; first < rounds; first += tokensAtOnce {
		w.batch(first, min(first+tokensAtOnce, rounds))
	}
	t.Logf("%d rounds of %d users: %v, %d winners that nobody told so", rounds, users, w.tally, w.untold)
	if w.tally[refused] == 0 || w.tally[unknown] == 0 {
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

// torment breaks the connections in one way after the other, first by cutting
// them at a COMMIT.
func (p *proxy) torment(ctx context.Context) {
	toxics := []toxic{
		{}, {latency: time.Millisecond, jitter: 5 * time.Millisecond}, {slice: 7}, {limit: 20_000},
		{cut: "COMMIT", forward: true}, {cut: "COMMIT"}, {},
	}
	for next := 4 + rand.IntN(2); ctx.Err() == nil; next = rand.IntN(len(toxics)) {
		p.set(toxics[next])
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(250 * time.Millisecond)):
		}
		if rand.IntN(2) == 0 {
			p.reset()
		}
	}
	p.set(toxic{})
}

// contest is who used which token, and what came of it.
type contest struct {
	site    *site
	proxies []*proxy
	client  *http.Client
	hasher  *password.Hasher
	faults  *faults
	tally   map[outcome]int
	untold  int
}

// attempt is one use of a token as its client saw it.
type attempt struct {
	change
	user             int
	called, returned time.Time
}

// batch gives a token to each of some members, has all of them used at once by
// everybody, and judges.
func (w *contest) batch(first, end int) {
	w.site.t.Helper()
	tokens := w.request(first, end)
	before := w.site.standings()
	var mu sync.Mutex
	history := map[string][]attempt{}
	storm, calm := context.WithCancel(context.Background())
	defer calm()
	var weather, struck, all sync.WaitGroup
	for _, p := range w.proxies {
		weather.Go(func() { p.torment(storm) })
	}
	for _, d := range tokens {
		for user := range users {
			struck.Add(1)
			all.Go(func() {
				tries := w.use(storm, d, user, struck.Done)
				mu.Lock()
				history[d.to] = append(history[d.to], tries...)
				mu.Unlock()
			})
		}
	}
	struck.Wait()
	calm()
	all.Wait()
	weather.Wait()
	after := w.site.standings()
	for email, tries := range history {
		w.judge(before[email], after[email], tries)
	}
}

// use tries until it is told what became of its use: a few times while
// connections break, then again when they don't.
func (w *contest) use(storm context.Context, d delivery, user int, struck func()) []attempt {
	c := change{to: d.to, token: d.token, password: fmt.Sprintf("Use-%d-%s-lantern", user, d.token[:12])}
	var tries []attempt
	try := func() outcome {
		a := attempt{change: c, user: user, called: time.Now()}
		a.outcome = complete(w.client, w.site.servers[rand.IntN(2)], c)
		a.returned = time.Now()
		tries = append(tries, a)
		return a.outcome
	}
	for n := 0; n < stormyTries && try() == unknown; n++ {
		continue
	}
	struck()
	<-storm.Done()
	for limit := time.Now().Add(time.Minute); tries[len(tries)-1].outcome == unknown && time.Now().Before(limit); try() {
		<-time.After(rand.N(50 * time.Millisecond))
	}
	return tries
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
func (w *contest) judge(before, after *standing, tries []attempt) {
	w.site.t.Helper()
	email := tries[0].to
	last, winners := map[int]outcome{}, 0
	for _, a := range tries {
		w.tally[a.outcome]++
		last[a.user] = a.outcome
		switch a.outcome {
		case ok:
			winners++
		case refused, unknown:
		default:
			w.faults.errorf("%s: %s", email, a.outcome)
		}
	}
	for user, o := range last {
		if o == unknown {
			w.faults.errorf("%s: user %d was never told", email, user)
		}
	}
	switch {
	case winners > 1:
		w.faults.errorf("%s: %d uses of one token succeeded", email, winners)
	case winners == 0:
		w.untold++
	}
	// A token that was asked for later is none of the change's business.
	after.requests = slices.DeleteFunc(after.requests, func(o order) bool {
		return !slices.ContainsFunc(before.requests, func(b order) bool { return b.id == o.id })
	})
	wholeChange(w.faults, email, after)
	if stored := w.holder(after.hash, tries); !linearizable(tries, stored) {
		w.faults.errorf("%s: the password is user %d's, which is not in keeping with %+v", email, stored, tries)
	}
}

// holder returns the user whose password is stored, -1 for nobody's.
func (w *contest) holder(hash string, tries []attempt) int {
	for i, a := range tries {
		if i > 0 && tries[i-1].user == a.user || hash == "" {
			continue
		}
		if v, err := w.hasher.Verify(context.Background(), password.Hash(hash), a.password); err == nil && v.OK {
			return a.user
		}
	}
	return -1
}

func newHasher(t testing.TB) *password.Hasher {
	t.Helper()
	h, err := password.NewHasher(password.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// linearizable reports whether the attempts and the password that was found
// after them could have come from a register that is set once: an attempt of
// the user who has it took effect while it ran (one of unknown outcome: then
// or later), it alone may have been told so, and nobody was refused before.
func linearizable(tries []attempt, stored int) bool {
	var winner *attempt
	for i, a := range tries {
		switch {
		case a.outcome == ok && (a.user != stored || winner != nil && winner.outcome == ok):
			return false
		case a.outcome == ok, a.outcome == unknown && a.user == stored && winner == nil:
			winner = &tries[i]
		}
	}
	return !slices.ContainsFunc(tries, func(a attempt) bool {
		return a.outcome == refused && (winner == nil || a.returned.Before(winner.called))
	}) && (winner != nil) == (stored != -1)
}

// TestLinearizable tests the judgement itself.
func TestLinearizable(t *testing.T) {
	began := time.Now()
	at := func(user int, o outcome, called, returned int) attempt {
		return attempt{change: change{outcome: o}, user: user,
			called: began.Add(time.Duration(called)), returned: began.Add(time.Duration(returned))}
	}
	for name, c := range map[string]struct {
		tries  []attempt
		stored int
		want   bool
	}{
		"one winner":                    {[]attempt{at(0, ok, 0, 9), at(1, refused, 1, 8)}, 0, true},
		"two winners":                   {[]attempt{at(0, ok, 0, 9), at(1, ok, 1, 8)}, 0, false},
		"another's password":            {[]attempt{at(0, ok, 0, 9), at(1, refused, 1, 8)}, 1, false},
		"nobody's password":             {[]attempt{at(0, ok, 0, 9), at(1, refused, 1, 8)}, -1, false},
		"nobody won and one is refused": {[]attempt{at(0, refused, 0, 9), at(1, refused, 1, 8)}, -1, false},
		"refused before anybody came":   {[]attempt{at(0, refused, 0, 1), at(1, ok, 2, 3)}, 1, false},
		"an untold winner":              {[]attempt{at(0, unknown, 0, 1), at(1, refused, 2, 3)}, 0, true},
		"nothing came of it":            {[]attempt{at(0, unknown, 0, 1), at(1, unknown, 2, 3)}, -1, true},
		"told in the second try":        {[]attempt{at(0, unknown, 0, 1), at(1, refused, 2, 3), at(0, ok, 4, 5)}, 0, false},
		"told in the second try, late":  {[]attempt{at(0, unknown, 0, 1), at(1, refused, 2, 5), at(0, ok, 4, 5)}, 0, true},
		"late effect":                   {[]attempt{at(0, unknown, 0, 1), at(1, unknown, 2, 3), at(0, refused, 5, 6)}, 1, true},
		"untold after a winner":         {[]attempt{at(0, ok, 0, 1), at(1, unknown, 2, 3)}, 1, false},
	} {
		if got := linearizable(c.tries, c.stored); got != c.want {
			t.Errorf("%s: linearizable is %t", name, got)
		}
	}
}

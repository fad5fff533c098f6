package server

import (
	"errors"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/server/request"
)

// Rates bound how much is asked, in requests a minute; as many may come at
// once. 0: no limit. They don't apply to /livez and /readyz.
type Rates struct {
	Client int // from one IPv4 address or IPv6 /64; 4 times as many from a /56, 16 times from a /48
	Total  int // from all clients together
	// ExemptLocal says that requests from this machine itself count in total alone.
	ExemptLocal bool
}

// guessWeight is how many requests a wrong password or token counts for,
// beside itself, against its client. Nobody else's account is locked by it (LOD-7).
const guessWeight = 9

// rememberedClients bounds each of the two generations that a limiter keeps.
const rememberedClients = 1 << 15

// limiter keeps a bucket for every client and one for all. A bucket holds what
// may still be asked, and fills up evenly.
//
// Clients are kept in two generations: when the younger is full the older one
// is forgotten, and with it those who did not ask for as long. So any number
// of addresses takes up a fixed space.
type limiter struct {
	rates Rates
	most  int // clients in a generation

	mu         sync.Mutex
	total      bucket
	young, old map[netip.Prefix]bucket
}

type bucket struct {
	used float64 // of the rate; what is above is a debt
	at   time.Time
}

func newLimiter(r Rates) *limiter {
	return &limiter{rates: r, most: rememberedClients, young: map[netip.Prefix]bucket{}}
}

// take counts a request. If that would be over a limit it doesn't count, and
// take returns how long to wait.
func (l *limiter) take(client netip.Addr, now time.Time) time.Duration {
	if l.rates == (Rates{}) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.total.drained(l.rates.Total, now)
	wait := all.wait(l.rates.Total)
	networks := networksOf(client, l.rates.Client)
	for _, n := range networks {
		wait = max(wait, l.client(n.prefix).drained(n.rate, now).wait(n.rate))
	}
	counted := 1.0
	if wait > 0 {
		counted = 0 // who keeps asking is not forgotten
	}
	for _, n := range networks {
		b := l.client(n.prefix).drained(n.rate, now)
		b.used += counted
		l.keep(n.prefix, b)
	}
	all.used += counted
	l.total = all
	return wait
}

// network is a part of the internet with a limit of its own.
type network struct {
	prefix netip.Prefix
	rate   int // requests a minute
}

// networksOf returns the networks that a client counts in. Providers hand out
// IPv6 by /64, /56 and /48, so that one subscriber may have 65,536 of the first.
func networksOf(client netip.Addr, rate int) []network {
	if !client.Is6() {
		return []network{{netip.PrefixFrom(client, client.BitLen()), rate}}
	}
	var list []network
	for _, n := range []struct{ bits, times int }{{64, 1}, {56, 4}, {48, 16}} {
		prefix, err := client.Prefix(n.bits)
		if err == nil {
			list = append(list, network{prefix, n.times * rate})
		}
	}
	return list
}

// takeTotal counts a request of a client without a limit of its own.
func (l *limiter) takeTotal(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.total.drained(l.rates.Total, now)
	if wait := all.wait(l.rates.Total); wait > 0 {
		return wait
	}
	all.used++
	l.total = all
	return 0
}

// charge counts n more requests against a client, also beyond its limit; never
// so many that it takes longer than a minute to be let in again.
func (l *limiter) charge(client netip.Addr, n int, now time.Time) {
	if l.rates.Client == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, in := range networksOf(client, l.rates.Client) {
		b := l.client(in.prefix).drained(in.rate, now)
		b.used = min(b.used+float64(n), 2*float64(in.rate))
		l.keep(in.prefix, b)
	}
}

func (l *limiter) client(a netip.Prefix) bucket {
	if b, ok := l.young[a]; ok {
		return b
	}
	return l.old[a]
}

func (l *limiter) keep(a netip.Prefix, b bucket) {
	if l.rates.Client == 0 {
		return
	}
	if _, ok := l.young[a]; !ok && len(l.young) >= l.most {
		l.old, l.young = l.young, map[netip.Prefix]bucket{}
	}
	l.young[a] = b
}

// drained returns the bucket as it is by now. A clock set back drains nothing.
func (b bucket) drained(perMinute int, now time.Time) bucket {
	gone := max(now.Sub(b.at), 0).Minutes() * float64(perMinute)
	return bucket{used: max(b.used-gone, 0), at: now}
}

// wait returns how long until one more fits in.
func (b bucket) wait(perMinute int) time.Duration {
	over := b.used + 1 - float64(perMinute)
	if perMinute == 0 || over <= 0 {
		return 0
	}
	return time.Duration(over / float64(perMinute) * float64(time.Minute))
}

// allow returns F003 if a request is over a limit, or what a test server is to
// answer it with.
func (s *server) allow(n *request.Record, r *http.Request) error {
	if s.Fault != nil {
		if err := s.Fault(r); err != nil {
			return err
		}
	}
	wait := time.Duration(0)
	if n.Exempt {
		wait = s.limiter.takeTotal(s.Now())
	} else {
		wait = s.limiter.take(request.Network(n.Client), s.Now())
	}
	if wait == 0 {
		return nil
	}
	e := errcodes.New(errcodes.TooManyRequests)
	e.RetryAfter = int(math.Ceil(wait.Seconds()))
	return e
}

// penalize makes a wrong password, token or other secret count for more.
func (s *server) penalize(n *request.Record) {
	guessed := n.Status == http.StatusUnauthorized ||
		n.Err != nil && (n.Err.HTTPStatus() == http.StatusUnauthorized || errors.Is(n.Err, errcodes.New(errcodes.InvalidToken)))
	if guessed && !n.Exempt {
		s.limiter.charge(request.Network(n.Client), guessWeight, s.Now())
	}
}

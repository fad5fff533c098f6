package server

import (
	"errors"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"reseed/errcodes"
)

// Rates bound how much is asked, in requests a minute; as many may come at
// once. 0: no limit. They don't apply to /livez and /readyz.
type Rates struct {
	Client int // from one IPv4 address or IPv6 /64
	Total  int // from all clients together
	// SpareHere says that requests from this machine itself count in total alone.
	SpareHere bool
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
	young, old map[netip.Addr]bucket
}

type bucket struct {
	used float64 // of the rate; what is above is a debt
	at   time.Time
}

func newLimiter(r Rates) *limiter {
	return &limiter{rates: r, most: rememberedClients, young: map[netip.Addr]bucket{}}
}

// take counts a request. Where that would be over a limit it doesn't count, and
// take returns how long to wait.
func (l *limiter) take(client netip.Addr, now time.Time) time.Duration {
	if l.rates == (Rates{}) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	mine := l.client(client).drained(l.rates.Client, now)
	all := l.total.drained(l.rates.Total, now)
	if wait := max(mine.wait(l.rates.Client), all.wait(l.rates.Total)); wait > 0 {
		l.keep(client, mine) // who keeps asking is not forgotten
		return wait
	}
	mine.used++
	all.used++
	l.total = all
	l.keep(client, mine)
	return 0
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
	b := l.client(client).drained(l.rates.Client, now)
	b.used = min(b.used+float64(n), 2*float64(l.rates.Client))
	l.keep(client, b)
}

func (l *limiter) client(a netip.Addr) bucket {
	if b, ok := l.young[a]; ok {
		return b
	}
	return l.old[a]
}

func (l *limiter) keep(a netip.Addr, b bucket) {
	if l.rates.Client == 0 {
		return
	}
	if _, ok := l.young[a]; !ok && len(l.young) >= l.most {
		l.old, l.young = l.young, map[netip.Addr]bucket{}
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

// admit returns F003 where a request is over a limit.
func (s *server) admit(n *note) error {
	wait := time.Duration(0)
	if n.spared {
		wait = s.limiter.takeTotal(s.Now())
	} else {
		wait = s.limiter.take(network(n.client), s.Now())
	}
	if wait == 0 {
		return nil
	}
	e := errcodes.New(errcodes.TooManyRequests)
	e.RetryAfter = int(math.Ceil(wait.Seconds()))
	return e
}

// weigh makes a wrong password, token or other secret count for more.
func (s *server) weigh(n *note) {
	guessed := n.status == http.StatusUnauthorized || n.err != nil && errors.Is(n.err, errcodes.New(errcodes.InvalidToken))
	if guessed && !n.spared {
		s.limiter.charge(network(n.client), guessWeight, s.Now())
	}
}

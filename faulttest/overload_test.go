package faulttest

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestOverload offers much more than can be done, at a constant rate whatever
// the answers (an open loop): all is answered 200 or 503, soon, and what is
// answered is not less than without the surplus (LOD-1, LOD-2).
func TestOverload(t *testing.T) {
	s := onSQLite(t)
	r := s.add()
	r.first = true // those who ask are elsewhere, usually
	s.populate(1000)
	r.startReady()
	seconds := knob(t, "OVERLOAD_SECONDS", 2, 60)
	peak := s.offer(s.capacity(min(seconds, 10)), min(seconds, 10))
	t.Logf("at capacity: %s", peak)
	before := r.memory()
	over := s.offer(10*peak.goodput(), seconds)
	t.Logf("at ten times that: %s, resident %d MiB before and %d MiB at its end", over, before, r.memory())
	t.Logf("by the server's log: %s", r.refusals())
	took := s.recovery(30 * time.Second)
	after := s.offer(peak.goodput()/2, min(seconds, 5))
	t.Logf("afterwards: first 200 after %v, at half the capacity: %s", took.Round(time.Millisecond), after)
	over.onlyStatuses(t)
	if !soak {
		return // this machine's speed is nobody's promise
	}
	if over.goodput() < peak.goodput()*8/10 {
		t.Errorf("goodput %d a second of %d", over.goodput(), peak.goodput())
	}
	if took > 5*time.Second {
		t.Errorf("recovered after %v", took)
	}
}

// answers are what came of an offered load.
type answers struct {
	offered  int
	withheld int // not sent, since as many as outstanding were under way
	seconds  float64
	statuses map[int]int // 0: none
	times    map[int][]time.Duration
}

// goodput is the successes a second.
func (a *answers) goodput() int { return int(float64(a.statuses[http.StatusOK]) / a.seconds) }

// String sums up, with the times of accepted and of refused requests apart.
func (a *answers) String() string {
	text := fmt.Sprintf("%d offered in %.1f s (%d of them withheld), %d a second accepted", a.offered, a.seconds, a.withheld, a.goodput())
	for _, status := range []int{200, 503, 0} {
		if times := a.times[status]; len(times) > 0 {
			slices.Sort(times)
			text += fmt.Sprintf("; %d: %d, median %v, p99 %v, longest %v", status, len(times),
				times[len(times)/2].Round(time.Millisecond), times[len(times)*99/100].Round(time.Millisecond),
				times[len(times)-1].Round(time.Millisecond))
		}
	}
	return text
}

func (a *answers) onlyStatuses(t *testing.T) {
	t.Helper()
	for status, n := range a.statuses {
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("%d answers have status %d", n, status)
		}
	}
	if a.statuses[http.StatusOK] == 0 {
		t.Error("nothing was accepted")
	}
}

// capacity measures what a few clients that wait for their answers get done, a second.
func (s *site) capacity(seconds int) int {
	client := newClient(20 * time.Second)
	var mu sync.Mutex
	done := 0
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	var all sync.WaitGroup
	for c := range 16 {
		all.Go(func() {
			for i := c; time.Now().Before(end); i += 16 {
				if status, _, err := ask(client, s.servers[0].url, address(i%1000)); err == nil && status == http.StatusOK {
					mu.Lock()
					done++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return max(done/seconds, 10)
}

// outstanding is how many requests an offer has under way at most: more than
// the server takes, and no more than this process, which shares the machine
// with it, can look after.
const outstanding = 800

// offer sends so many requests a second for some seconds, without waiting for answers.
func (s *site) offer(rate, seconds int) *answers {
	s.t.Helper()
	a := &answers{offered: rate * seconds, statuses: map[int]int{}, times: map[int][]time.Duration{}}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: outstanding}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var all sync.WaitGroup
	places := make(chan struct{}, outstanding)
	began := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for sent := 0; sent < a.offered; {
		now := <-tick.C
		for due := int(now.Sub(began).Seconds() * float64(rate)); sent < min(due, a.offered); sent++ {
			select {
			case places <- struct{}{}:
			default:
				a.withheld++
				continue
			}
			to := address(sent % 1000)
			all.Go(func() {
				defer func() { <-places }()
				start := time.Now()
				status, _, err := ask(client, s.servers[0].url, to)
				if err != nil {
					status = 0
				}
				mu.Lock()
				defer mu.Unlock()
				a.statuses[status]++
				a.times[status] = append(a.times[status], time.Since(start))
			})
		}
	}
	a.seconds = time.Since(began).Seconds()
	all.Wait()
	return a
}

// refusals sums up how long the server took for its answers 503: what it says
// itself, where a client also counts how long it was kept from looking.
func (r *replica) refusals() string {
	text, _ := os.ReadFile(r.log)
	var times []time.Duration
	for line := range strings.Lines(string(text)) {
		_, took, ok := strings.Cut(line, " took=")
		if !ok || !strings.Contains(line, " status=503 ") {
			continue
		}
		if d, err := time.ParseDuration(strings.Fields(took)[0]); err == nil {
			times = append(times, d)
		}
	}
	if len(times) == 0 {
		return "nothing refused"
	}
	slices.Sort(times)
	return fmt.Sprintf("%d refused, median %v, p99 %v, longest %v", len(times), times[len(times)/2], times[len(times)*99/100], times[len(times)-1])
}

// memory returns the server's resident memory in MiB, 0 where that can't be known.
func (r *replica) memory() int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.process().cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return kib >> 10
		}
	}
	return 0
}

// TestSlowClients opens many connections that send a byte now and then, and
// wants a good client to be served all the while (WEB-9).
func TestSlowClients(t *testing.T) {
	s := onSQLite(t)
	r := s.add("RESEED_READ_TIMEOUT=30s")
	s.populate(10)
	r.startReady()
	n := knob(t, "SLOW_CLIENTS", 500, 5000)
	var slow []net.Conn
	defer func() {
		for _, c := range slow {
			c.Close()
		}
	}()
	for i := range n {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		slow = append(slow, c)
		if _, err := fmt.Fprintf(c, "POST /ps/service/members/resetpassword HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	client := newClient(20 * time.Second)
	var longest time.Duration
	for round := range 20 {
		for _, c := range slow {
			_, _ = c.Write([]byte("X"[:round%2])) // some may be cut by now
		}
		began := time.Now()
		status, _, err := ask(client, r.url, address(round%10))
		if longest = max(longest, time.Since(began)); err != nil || status != http.StatusOK {
			t.Errorf("the good client got %d %v", status, err)
		}
	}
	t.Logf("%d slow clients, the good one's longest wait was %v, resident %d MiB", n, longest.Round(time.Millisecond), r.memory())
}

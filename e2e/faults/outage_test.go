package faults

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// answerBound is how long an answer may take while the database is unavailable. The
// driver's own limits are 5 s to connect and 10 s to read.
const answerBound = 20 * time.Second

// TestDatabaseAway takes the database away in several ways: 503 meanwhile, soon
// and with Retry-After, and no restart needed when it is back (FLT-3).
func TestDatabaseAway(t *testing.T) {
	if !soak {
		t.Parallel() // most of it is waiting
	}
	s, p := behindProxy(t)
	r := s.servers[0]
	for name, x := range map[string]toxic{
		"down":      {down: true},
		"blackhole": {blackhole: true},
		"cut short": {limit: 1},
	} {
		t.Run(name, func(t *testing.T) {
			away := time.Duration(knob(t, "AWAY_SECONDS", 1, 60)) * time.Second
			p.set(x)
			p.resetUnless(x.blackhole)
			longest := s.duringOutage(t, away)
			p.set(toxic{})
			took := s.recovery(answerBound)
			t.Logf("longest answer %v, works %v after the return", longest.Round(time.Millisecond), took.Round(time.Millisecond))
			if soak && took > 2*time.Second {
				t.Errorf("works %v after the return", took)
			}
		})
	}
	s.drain(2 * time.Minute)
	if code := r.terminate(time.Minute); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// resetUnless cuts the connections, unless they are to hang.
func (p *proxy) resetUnless(hang bool) {
	if !hang {
		p.reset()
	}
}

// duringOutage asks all the while, and returns the longest time of an answer.
func (s *site) duringOutage(t *testing.T, away time.Duration) time.Duration {
	var longest atomic.Int64
	client := newClient(answerBound)
	end := time.Now().Add(away)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for first := true; first || time.Now().Before(end); first = false {
				began := time.Now()
				status, retryAfter, err := ask(client, s.servers[0].url, "nobody@example.org")
				if err != nil || status != http.StatusServiceUnavailable || retryAfter == "" {
					t.Errorf("status %d, Retry-After %q after %v: %v", status, retryAfter, time.Since(began), err)
					return
				}
				longest.Store(max(longest.Load(), int64(time.Since(began))))
				<-time.After(10 * time.Millisecond)
			}
		})
	}
	all.Wait()
	return time.Duration(longest.Load())
}

// ask requests a token and returns the status and Retry-After.
func ask(client *http.Client, base, email string) (int, string, error) {
	resp, err := client.PostForm(base+"/members/resetpassword", url.Values{"email": {email}})
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Retry-After"), nil
}

// TestStopUnderLoad stops one server of two with SIGTERM again and again. A
// client that goes to the other one if it gets no answer never notices, and
// nothing that was answered is lost (FLT-12).
func TestStopUnderLoad(t *testing.T) {
	s, _ := behindProxy(t)
	s.add("RESEED_FAILPOINT_HASHING=cheap").startReady()
	stops := knob(t, "STOPS", 3, 50)
	var acked sync.Map
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	var next, retried atomic.Int64
	client := newClient(10 * time.Second)
	for range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1))
				s.awaitMail(ctx, i-500)
				to := address(i % 100)
				for try := 0; ; try++ {
					status, _, err := ask(client, s.servers[(i+try)%2].url, to)
					if err == nil && status == http.StatusOK {
						count, _ := acked.LoadOrStore(to, new(atomic.Int64))
						count.(*atomic.Int64).Add(1)
						break
					}
					if retried.Add(1); err == nil && status != http.StatusServiceUnavailable || try > 20 {
						t.Errorf("%s: status %d %v", to, status, err)
						return
					}
				}
			}
		})
	}
	for n := range stops {
		r := s.servers[n%2]
		pause(t, 300*time.Millisecond)
		if code := r.terminate(time.Minute); code != 0 {
			t.Errorf("exit code %d", code)
		}
		r.startReady()
	}
	cancel()
	clients.Wait()
	s.drain(5 * time.Minute)
	s.checkMails(&faults{t: t})
	standings := s.standings()
	total := 0
	acked.Range(func(to, count any) bool {
		sent := 0
		for _, o := range standings[to.(string)].requests {
			if o.state == "sent" {
				sent++
			}
		}
		n := int(count.(*atomic.Int64).Load())
		if total += n; sent < n {
			t.Errorf("%s: %d answered, %d sent", to, n, sent)
		}
		return true
	})
	t.Logf("%d stops, %d answered, %d tried again elsewhere", stops, total, retried.Load())
}

// awaitMail waits until so many mails came. Clients that ask faster than two
// servers deliver would leave more behind every second, which nobody's users do.
func (s *site) awaitMail(ctx context.Context, n int) {
	for s.box.count() < n {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestSecondSignalEndsAtOnce holds a request open, so that the first signal
// has something to wait for (FLT-12).
func TestSecondSignalEndsAtOnce(t *testing.T) {
	s, p := behindProxy(t)
	r := s.servers[0]
	metrics := r.withMetrics()
	r.terminate(time.Minute)
	r.startReady()
	p.set(toxic{blackhole: true})
	go func() { _, _, _ = ask(newClient(answerBound), r.url, address(1)) }() // its answer never comes
	stacks := strings.Replace(metrics, "/metrics", "/debug/pprof/goroutine?debug=1", 1)
	eventually(t, time.Minute, "the request is under way", func() bool {
		return strings.Contains(get(stacks), "server.(*server).resetPassword")
	})
	r.process().signal(os.Interrupt)
	pause(t, 300*time.Millisecond)
	if r.process().gone() {
		t.Fatal("the first signal did not wait for the request")
	}
	r.process().signal(os.Interrupt)
	took := eventually(t, 15*time.Second, "the second signal ends the server", r.process().gone)
	t.Logf("gone after %v", took)
	if strings.Contains(tail(r.log, 5), "panic") {
		t.Error("it panicked")
	}
}

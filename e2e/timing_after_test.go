//go:build timing

package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// What follows an answer tells no more than the answer (ENU-2, ENU-5; the issue
// found AUC 0.99): with the worker running, four requests at once name somebody,
// and the time of 40 requests with invented names after them doesn't tell whether
// that is a member, however long the mail server takes. AUC 0.5 is a coin.
func TestAfterworkTime(t *testing.T) {
	trials := max(samples(t)/10, 20) // of each class
	for name, relay := range map[string]func(*testing.T) string{
		"relay at once":  func(t *testing.T) string { return slowRelay(t, 0) },
		"relay of 100ms": func(t *testing.T) string { return slowRelay(t, 100*time.Millisecond) },
		"relay of 1s":    func(t *testing.T) string { return slowRelay(t, time.Second) },
		"relay stalled": func(t *testing.T) string {
			addr, _ := hostFor(t, func(net.Conn) {})
			return addr
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, dsn string) {
				w := newStopwatch(t, dsn, 20, "", "smtp = \"smtp://"+relay(t)+"?starttls=never\"\n")
				w.populate(t, w.site, 90*trials+4000)
				defer startWorker(t, w.site)()
				var known, unknown []float64
				for len(known) < trials || len(unknown) < trials {
					if rand.IntN(2) == 0 {
						known = append(known, w.attack(t, "known"))
					} else {
						unknown = append(unknown, w.attack(t, "unknown"))
					}
				}
				auc := aucOf(known, unknown)
				t.Logf("%d and %d trials: means of 40 probes %.1f and %.1f ms, t = %.1f, AUC %.3f", len(known), len(unknown),
					mean(known)/1000, mean(unknown)/1000, welch(known, unknown), auc)
				if auc > 0.55 {
					t.Errorf("AUC %.3f", auc)
				}
			})
		})
	}
}

// attack asks four times at once for one name of the class, then times 40
// requests for nobody, in µs together.
func (w *stopwatch) attack(t *testing.T, class string) float64 {
	t.Helper()
	name := w.known[len(w.known)-1]
	w.known = w.known[:len(w.known)-1]
	if class == "unknown" {
		name = name[:9] + string(name[9]+1)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			r := httptest.NewRequest("POST", "/members/resetpassword", strings.NewReader("email="+name+"@example.org"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			w.site.Handler.ServeHTTP(rec, r)
			if rec.Code != 200 {
				t.Errorf("status %d", rec.Code)
			}
		})
	}
	all.Wait()
	sum := 0.0
	for range 40 {
		sum += float64(w.ask(t, "unknown", false).Nanoseconds()) / 1000
	}
	return sum
}

// aucOf returns how often a value of one class is above one of the other, in the
// direction that tells more.
func aucOf(a, b []float64) float64 {
	above := 0.0
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				above++
			case x == y:
				above += 0.5
			}
		}
	}
	auc := above / float64(len(a)*len(b))
	return max(auc, 1-auc)
}

// slowRelay is a mail server that takes each mail after a time.
func slowRelay(t *testing.T, after time.Duration) string {
	t.Helper()
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return slowSession{after}, nil }))
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return l.Addr().String()
}

type slowSession struct{ after time.Duration }

func (slowSession) Mail(string, *smtp.MailOptions) error { return nil }
func (slowSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (slowSession) Reset()                               {}
func (slowSession) Logout() error                        { return nil }

func (s slowSession) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return fmt.Errorf("read mail: %w", err)
	}
	<-time.After(s.after)
	return nil
}

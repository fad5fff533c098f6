package faults

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// throughProxy returns the DSN with the proxy's address in place of the port's.
func throughProxy(dsn string, port int, p *proxy) string {
	return strings.Replace(dsn, fmt.Sprintf("127.0.0.1:%d", port), p.addr(), 1)
}

// behindProxy returns a site with one server behind a proxy, which is up.
func behindProxy(t *testing.T) (*site, *proxy) {
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2", Networking: true})
	s := onMariaDB(t, server)
	p := s.addBehindProxies(server, 1, "RESEED_FAILPOINT_HASHING=cheap")[0]
	s.populate(100)
	s.servers[0].startReady()
	return s, p
}

// TestAmbiguousCommit cuts the link where a change is committed, before the
// database got the word and after it: one effect each time, and the client can
// find out by asking again (FLT-4).
func TestAmbiguousCommit(t *testing.T) {
	s, p := behindProxy(t)
	client := newClient(30 * time.Second)
	for i, forward := range []bool{true, false} {
		t.Run(fmt.Sprintf("password, forwarded %t", forward), func(t *testing.T) {
			d := s.token(client, i)
			c := change{to: d.to, token: d.token, password: newPassword(d.token)}
			s.quiet()
			p.set(toxic{after: "UPDATE members SET password_hash", cut: "COMMIT", forward: forward})
			got := complete(client, s.servers[0], c)
			p.set(toxic{})
			if got != unknown {
				t.Errorf("the client is told %s, want 503", got)
			}
			m := s.standings()[c.to]
			if m.changed != forward {
				t.Errorf("changed: %t", m.changed)
			}
			wholeChange(&faults{t: t}, c.to, m)
			want := ok
			if forward {
				want = refused
			}
			if got := complete(client, s.servers[0], c); got != want {
				t.Errorf("the second try is %s, want %s", got, want)
			}
			s.drain(20 * time.Second)
			wholeChange(&faults{t: t}, c.to, s.standings()[c.to])
		})
		t.Run(fmt.Sprintf("request, forwarded %t", forward), func(t *testing.T) {
			to := address(10 + i)
			s.quiet()
			_, before := p.count()
			p.set(toxic{cut: "INSERT INTO mails", forward: forward})
			done := make(chan struct{})
			go func() {
				defer close(done)
				eventually(t, 20*time.Second, "a cut", func() bool { _, cuts := p.count(); return cuts > before })
				p.set(toxic{})
			}()
			status, body, err := post(context.Background(), client, s.servers[0].url+"/members/resetpassword", url.Values{"email": {to}})
			<-done
			if err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable {
				t.Errorf("status %d %s %v", status, body, err)
			}
			s.drain(20 * time.Second)
			rows := len(s.standings()[to].requests)
			if rows > 1 || status == http.StatusOK && rows != 1 {
				t.Errorf("status %d and %d rows", status, rows)
			}
		})
	}
}

// quiet waits until no mail is on its way, so that the next COMMIT is the test's.
func (s *site) quiet() {
	s.t.Helper()
	s.drain(20 * time.Second)
}

// token asks for a token and waits for the mail.
func (s *site) token(client *http.Client, member int) delivery {
	s.t.Helper()
	status, body, err := post(context.Background(), client, s.servers[0].url+"/members/resetpassword", url.Values{"email": {address(member)}})
	if err != nil || status != http.StatusOK {
		s.t.Fatalf("request: %d %s %v", status, body, err)
	}
	for limit := time.After(30 * time.Second); ; {
		select {
		case d := <-s.box.tokens:
			if d.to == address(member) {
				return d
			}
		case <-limit:
			s.t.Fatal("no mail came")
		}
	}
}

package app

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// pipes is a listener that gives out one end of a pipe each time.
type pipes struct {
	net.Listener
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case <-p.closed:
		return nil, net.ErrClosed
	default:
		c, _ := net.Pipe()
		return c, nil
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

// No more connections are open than allowed, and those that wait get in (WEB-10).
func TestLimitConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limitConnections(&pipes{closed: make(chan struct{})}, connectionLimits{total: 2})
		var open []net.Conn
		for range 2 {
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, c)
		}
		third := accept(l)
		if len(third) > 0 {
			t.Fatalf("a third connection is accepted: %v", <-third)
		}
		open[0].Close()
		open[0].Close() // as net/http may: it gives back one place, not two
		if err := <-third; err != nil {
			t.Fatal(err)
		}
		fourth := accept(l)
		if len(fourth) > 0 {
			t.Fatalf("a fourth connection is accepted: %v", <-fourth)
		}
		l.Close()
		if err := <-fourth; err == nil {
			t.Error("a connection is accepted by a closed listener")
		}
	})
}

// accept accepts a connection in the background, and returns when that is done
// or waits.
func accept(l net.Listener) <-chan error {
	accepted := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	synctest.Wait()
	return accepted
}

// TestOneClientCannotTakeAllConnections holds that a client with its share of
// connections open gets no more, and others, this machine and proxies do.
func TestOneClientCannotTakeAllConnections(t *testing.T) {
	from := func(addresses ...string) net.Listener {
		return limitConnections(&callers{addresses: addresses}, connectionLimits{
			total: 100, client: 2,
			exempt: func(a netip.Addr) bool { return a.IsLoopback() || a == netip.MustParseAddr("203.0.113.1") },
		})
	}
	l := from("192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1",
		"[::ffff:192.0.2.1]:9", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "203.0.113.1:1", "203.0.113.1:2", "203.0.113.1:3", "192.0.2.2:1")
	var got []string
	var open []net.Conn
	for {
		c, err := l.Accept()
		if err != nil {
			break
		}
		open = append(open, c)
		got = append(got, c.RemoteAddr().String())
	}
	want := []string{"192.0.2.1:1", "192.0.2.1:2", "[2001:db8::1]:1", "[2001:db8::2]:1",
		"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "203.0.113.1:1", "203.0.113.1:2", "203.0.113.1:3", "192.0.2.2:1"}
	if !slices.Equal(got, want) {
		t.Errorf("accepted %v, want %v", got, want)
	}
	for _, c := range append(open, open...) { // closed twice, a place is given back once
		_ = c.Close()
	}
	limited := l.(*limitedListener)
	if len(limited.clients) != 0 || len(limited.places) != 0 {
		t.Errorf("after all are closed: %v, %d places taken", limited.clients, len(limited.places))
	}
}

// callers is a listener that gives out connections from the addresses.
type callers struct {
	net.Listener
	addresses []string
}

func (c *callers) Accept() (net.Conn, error) {
	if len(c.addresses) == 0 {
		return nil, net.ErrClosed
	}
	conn, _ := net.Pipe()
	at := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.addresses[0]))
	c.addresses = c.addresses[1:]
	return &calling{conn, at}, nil
}

type calling struct {
	net.Conn
	from net.Addr
}

func (c *calling) RemoteAddr() net.Addr { return c.from }

package main

import (
	"net"
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
		l := limitConnections(&pipes{closed: make(chan struct{})}, 2)
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

package app

import (
	"bytes"
	"net"
	"net/netip"
	"sync"

	"github.com/reseed-project/reseed/server/request"
)

// connectionLimits bound how many connections are open at once.
type connectionLimits struct {
	total  int
	client int                   // from one IPv4 address or IPv6 /64; 0: no limit
	exempt func(netip.Addr) bool // who has no limit of its own: this machine and trusted proxies
}

// limitConnections returns a listener that has at most limits.total connections
// open; others wait in the system's backlog. Those of a client that has its
// share already are closed at once, so that one client can't take all places.
func limitConnections(l net.Listener, limits connectionLimits) net.Listener {
	return &limitedListener{
		Listener: l, limits: limits, places: make(chan struct{}, limits.total), closed: make(chan struct{}),
		clients: map[netip.Addr]int{},
	}
}

type limitedListener struct {
	net.Listener
	limits connectionLimits
	places chan struct{}
	once   sync.Once
	closed chan struct{}

	mu      sync.Mutex
	clients map[netip.Addr]int // connections of each
}

// Accept waits until a connection may be open, then for the connection of a
// client that has not its share already.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			<-l.places
			return nil, err
		}
		client := clientOf(c)
		if l.enter(client) {
			return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(client); <-l.places })}, nil
		}
		_ = c.Close()
	}
}

// clientOf returns what counts as one client, the zero Addr if it can't be told.
func clientOf(c net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return request.Network(at.Addr().Unmap().WithZone(""))
}

func (l *limitedListener) enter(client netip.Addr) bool {
	if l.limits.client == 0 || !client.IsValid() || l.limits.exempt(client) {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clients[client] >= l.limits.client {
		return false
	}
	l.clients[client]++
	return true
}

func (l *limitedListener) leave(client netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clients[client]--; l.clients[client] <= 0 {
		delete(l.clients, client)
	}
}

// Close ends an Accept that is waiting.
func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Headers of the answers that net/http itself writes to what is no request, 400
// and 431 among them, and the same for caches (WEB-1).
var (
	ownHeaders  = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")
	safeHeaders = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n")
)

// Write sends bytes, those of net/http's own answers with the headers that all
// answers have.
func (c *limitedConn) Write(b []byte) (int, error) {
	if end := bytes.Index(b[:min(len(b), 64)], []byte("\r\n")); end < 0 || !bytes.HasPrefix(b, []byte("HTTP/1.1 ")) || !bytes.HasPrefix(b[end:], ownHeaders) {
		return c.Conn.Write(b)
	}
	if _, err := c.Conn.Write(bytes.Replace(b, ownHeaders, safeHeaders, 1)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close closes the connection and lets another one be accepted.
func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

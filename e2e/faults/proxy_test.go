package faults

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// toxic is what a proxy does to the connections through it. The zero value
// does nothing.
type toxic struct {
	down            bool          // refuses connections
	blackhole       bool          // passes nothing on, and keeps the connections
	latency, jitter time.Duration // of each piece, to the server and back
	slice           int           // passes on so many bytes at once
	limit           int64         // cuts a connection after so many bytes from the server
	cut             string        // cuts a connection if the client sends this, or executes a prepared statement with it
	after           string        // cuts only connections on which the client has sent this
	forward         bool          // whether what holds cut still reaches the server
}

// proxy stands between a server and its database and misbehaves as told.
type proxy struct {
	l      net.Listener
	target string

	mu    sync.Mutex
	toxic toxic
	conns map[*link]bool
	cuts  int
}

// link is one connection through the proxy.
type link struct {
	proxy          *proxy
	client, server net.Conn
	once           sync.Once
	mute           atomic.Bool // nothing more comes back to the client
	primed         bool        // what after names was sent

	mu        sync.Mutex
	preparing string            // the text whose id the server is about to tell
	prepared  map[string]string // texts of prepared statements by id
}

// The commands of MariaDB's protocol that a link understands, to find a
// statement where only its id is sent.
const (
	comStmtPrepare = 0x16
	comStmtExecute = 0x17
)

// heard returns what the client said, and with it the text of the prepared
// statement that it executes. Driver and server write a short packet at once.
func (c *link) heard(packet []byte, up bool) []byte {
	if len(packet) < 9 {
		return packet
	}
	id := string(packet[5:9])
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !up && c.preparing != "":
		if packet[4] == 0 {
			c.prepared[id] = c.preparing
		}
		c.preparing = ""
	case up && packet[4] == comStmtPrepare:
		c.preparing = string(packet[5:])
	case up && packet[4] == comStmtExecute:
		return append(bytes.Clone(packet), c.prepared[id]...)
	}
	return packet
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l, target: target, conns: map[*link]bool{}}
	go p.serve()
	t.Cleanup(func() {
		l.Close()
		p.reset()
	})
	return p
}

func (p *proxy) addr() string { return p.l.Addr().String() }

// set changes what the proxy does, to connections that are open, too. down
// cuts those.
func (p *proxy) set(x toxic) {
	p.mu.Lock()
	p.toxic = x
	p.mu.Unlock()
	if x.down {
		p.reset()
	}
}

func (p *proxy) now() toxic {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.toxic
}

// reset cuts all connections with RST.
func (p *proxy) reset() {
	p.mu.Lock()
	open := p.conns
	p.conns = map[*link]bool{}
	p.mu.Unlock()
	for c := range open {
		c.cut()
	}
}

// count returns how many connections there are, and how many were cut by the
// toxics cut and limit.
func (p *proxy) count() (open, cuts int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns), p.cuts
}

func (p *proxy) serve() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		c := &link{proxy: p, client: client, prepared: map[string]string{}}
		if p.now().down {
			c.cut()
			continue
		}
		if c.server, err = net.Dial("tcp", p.target); err != nil {
			c.cut()
			continue
		}
		p.mu.Lock()
		p.conns[c] = true
		p.mu.Unlock()
		go c.copy(c.server, c.client, true)
		go c.copy(c.client, c.server, false)
	}
}

// cut ends both sides at once, with RST if there is something unread.
func (c *link) cut() {
	c.once.Do(func() {
		for _, conn := range []net.Conn{c.client, c.server} {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
				tcp.Close()
			}
		}
	})
	c.proxy.mu.Lock()
	delete(c.proxy.conns, c)
	c.proxy.mu.Unlock()
}

// copy passes one direction on until it ends.
func (c *link) copy(to io.Writer, from io.Reader, up bool) {
	defer c.cut()
	buf := make([]byte, 32<<10)
	var passed int64
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		x := c.proxy.now()
		for x.blackhole {
			<-time.After(10 * time.Millisecond)
			if !c.open() {
				return
			}
			x = c.proxy.now()
		}
		said := c.heard(buf[:n], up)
		found := up && c.strikes(x, said)
		if found && !x.forward {
			c.proxy.strike()
			return
		}
		c.mute.CompareAndSwap(false, found)
		if !up && c.mute.Load() {
			continue
		}
		if !c.pass(to, buf[:n], x) {
			return
		}
		passed += int64(n)
		if found || !up && x.limit > 0 && passed > x.limit {
			c.proxy.strike()
			// What was passed on must arrive before the cut, or nothing is ambiguous.
			<-time.After(50 * time.Millisecond)
			return
		}
	}
}

// strikes says whether x cuts the link at what the client says.
func (c *link) strikes(x toxic, said []byte) bool {
	if x.cut == "" {
		return false
	}
	if x.after != "" {
		c.primed = c.primed || bytes.Contains(said, []byte(x.after))
	}
	return (x.after == "" || c.primed) && bytes.Contains(said, []byte(x.cut))
}

func (c *link) open() bool {
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	return c.proxy.conns[c]
}

func (p *proxy) strike() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts++
}

// pass writes late and in slices, as told.
func (c *link) pass(to io.Writer, data []byte, x toxic) bool {
	if wait := x.latency + rand.N(x.jitter+1); wait > 0 {
		<-time.After(wait)
	}
	size := len(data)
	if x.slice > 0 {
		size = x.slice
	}
	for len(data) > 0 {
		n := min(size, len(data))
		if _, err := to.Write(data[:n]); err != nil {
			return false
		}
		data = data[n:]
	}
	return true
}

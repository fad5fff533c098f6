package mail

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"testing"
)

// nameServer answers every question by the address it holds; by "server
// failure" if it holds none.
type nameServer struct {
	conn    net.PacketConn
	address atomic.Pointer[net.IP]
}

func startNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return s
}

func (s *nameServer) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := s.reply(buf[:n]); reply != nil {
			_, _ = s.conn.WriteTo(reply, from)
		}
	}
}

// reply repeats the question with the answer (RFC 1035 4.1). Only questions for
// an IPv4 address have one.
func (s *nameServer) reply(query []byte) []byte {
	const header, typeA = 12, 1
	end := header
	for end < len(query) && query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the root, type and class
	if end > len(query) {
		return nil
	}
	reply := append([]byte(nil), query[:end]...)
	reply[2], reply[3] = 0x81, 0x80 // an answer, recursion available
	clear(reply[6:header])          // no records beside the question
	ip := s.address.Load()
	switch {
	case ip == nil:
		reply[3] |= 2 // server failure
	case binary.BigEndian.Uint16(query[end-4:]) == typeA:
		reply[7] = 1
		reply = append(reply, 0xC0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4)
		reply = append(reply, ip.To4()...)
	}
	return reply
}

// dialer looks names up there.
func (s *nameServer) dialer() *net.Dialer {
	return &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}}
}

// FLT-14: if the mail server's name can't be looked up the fault isn't the
// mail's and passes; the name is looked up anew for each connection.
func TestFLT14_NameIsLookedUpAnew(t *testing.T) {
	names := startNameServer(t)
	relay := newRelay(t, relayOptions{})
	_, port, err := net.SplitHostPort(relay.addr)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := ParseURL("smtp://mail.reseed.test:" + port + "?starttls=never")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dialer, cfg.MaxMessages = names.dialer(), 1
	sender := newSender(t, cfg)
	for step, there := range []bool{false, true, false, true} {
		names.address.Store(nil)
		if there {
			names.address.Store(&net.IP{127, 0, 0, 1})
		}
		err := sender.Send(t.Context(), testMessage(t))
		var failed *Error
		switch {
		case there && err != nil:
			t.Errorf("step %d, with a name server: %v", step, err)
		case !there && (!errors.As(err, &failed) || failed.Class != OurFault || failed.Stage != StageConnect):
			t.Errorf("step %d, without: %v", step, err)
		}
	}
	if len(relay.mails) != 2 {
		t.Errorf("%d mails came", len(relay.mails))
	}
}

package store_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"reseed/store"
	"reseed/store/mariadbtest"
)

// A link that is reset while the driver signs in yields an error of the driver
// that has no name, and that was answered as an internal error.
func TestResetWhileConnectingIsUnavailable(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "0", Networking: true})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go greetAndReset(l, fmt.Sprintf("127.0.0.1:%d", server.Port()))
	s, err := store.Open(t.Context(), store.Config{Now: time.Now, DSN: "root@tcp(" + l.Addr().String() + ")/test"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 300 {
		if err := s.Ping(t.Context()); !isUnavailable(err) {
			t.Fatal(err)
		}
	}
}

// greetAndReset passes on the server's greeting and then cuts the link.
func greetAndReset(l net.Listener, server string) {
	greeting := make([]byte, 1024)
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		if up, err := net.Dial("tcp", server); err == nil {
			n, _ := up.Read(greeting)
			_, _ = client.Write(greeting[:n])
			up.Close()
		}
		_ = client.(*net.TCPConn).SetLinger(0)
		client.Close()
	}
}

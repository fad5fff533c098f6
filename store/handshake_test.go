package store_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
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

// A probe whose own link broke closed the store for everybody, although the
// database was there.
func TestOneBrokenProbeIsNoOutage(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "0", Networking: true})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cut := make(chan struct{})
	go cutFirstProbe(l, fmt.Sprintf("127.0.0.1:%d", server.Port()), cut)
	s, err := store.Open(t.Context(), store.Config{Now: time.Now, DSN: "root@tcp(" + l.Addr().String() + ")/mysql"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := s.Watch(ctx, func(err error) { t.Errorf("reported: %v", err) }); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-cut:
	case <-time.After(20 * time.Second):
		t.Error("no probe came")
	}
	<-time.After(500 * time.Millisecond) // the report would come by now
	cancel()
	watching.Wait()
}

// cutFirstProbe passes everything on but the first probe, whose link it cuts.
func cutFirstProbe(l net.Listener, server string, cut chan struct{}) {
	var once sync.Once
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(client, up); client.Close() }()
		go func() {
			defer up.Close()
			for buf := make([]byte, 4096); ; {
				n, err := client.Read(buf)
				if err != nil {
					return
				}
				struck := false
				if bytes.Contains(buf[:n], []byte("SELECT 1")) {
					once.Do(func() { struck = true })
				}
				if struck {
					client.Close()
					close(cut)
					return
				}
				if _, err := up.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
	}
}

package faults

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestSlowClients opens many connections that send a byte now and then, and
// wants a good client to be served all the while (WEB-9).
func TestSlowClients(t *testing.T) {
	s := onSQLite(t)
	r := s.add("RESEED_READ_TIMEOUT=30s")
	s.populate(10)
	r.startReady()
	n := knob(t, "SLOW_CLIENTS", 500, 5000)
	var slow []net.Conn
	defer func() {
		for _, c := range slow {
			c.Close()
		}
	}()
	for i := range n {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		slow = append(slow, c)
		if _, err := fmt.Fprintf(c, "POST /ps/service/members/resetpassword HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	client := newClient(20 * time.Second)
	var longest time.Duration
	for round := range 20 {
		for _, c := range slow {
			_, _ = c.Write([]byte("X"[:round%2])) // some may be cut by now
		}
		began := time.Now()
		status, _, err := ask(client, r.url, address(round%10))
		if longest = max(longest, time.Since(began)); err != nil || status != http.StatusOK {
			t.Errorf("the good client got %d %v", status, err)
		}
	}
	t.Logf("%d slow clients, the good one's longest wait was %v, resident %d MiB", n, longest.Round(time.Millisecond), r.memory())
}

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

// startListening serves a site the way "reseed serve" does and returns its address.
func startListening(t *testing.T, c siteConfig) (*testSite, string) {
	t.Helper()
	c.realTime = true
	site := startSite(t, c)
	return site, serve(t, site)
}

// serve runs a site until the test ends and returns its address.
func serve(t *testing.T, site *testSite) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- site.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

// Requests whose end could be read in two ways, or that are out of all
// proportion, are refused and do nothing (WEB-8, WEB-16, PAR-13).
func TestMalformedHTTP(t *testing.T) {
	t.Parallel()
	site, addr := startListening(t, siteConfig{})
	const form = "email=ann@example.org"
	head := "Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	post := "POST /members/resetpassword HTTP/1.1\r\n"
	tests := []struct{ name, request, status string }{
		{"wrong chunks", post + head + "Content-Length: 21\r\nTransfer-Encoding: chunked\r\n\r\n" + form, "400"},
		{"two lengths", post + head + "Content-Length: 21\r\nContent-Length: 5\r\n\r\n" + form, "400"},
		{"length with a sign", post + head + "Content-Length: +21\r\n\r\n" + form, "400"},
		{"two encodings", post + head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "501"},
		{"folded header", post + head + "X-A: b\r\n c: d\r\nContent-Length: 21\r\nTransfer-Encoding : chunked\r\n\r\n" + form, "400"},
		{"folded length", post + head + "Content-Length:\r\n 21, 5\r\n\r\n" + form, "400"},
		{"folded chunks", post + head + "Transfer-Encoding: identity,\r\n\tchunked\r\n\r\n0\r\n\r\n", "501"},
		{"lone LF in a chunk's size", post + head + "Transfer-Encoding: chunked\r\n\r\n15;a\nb\r\n" + form + "\r\n0\r\n\r\n", "400"},
		{"chunk too big for any number", post + head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + form + "\r\n0\r\n\r\n", "400"},
		{"NUL in a header", post + head + "X-A: b\x00c\r\nContent-Length: 21\r\n\r\n" + form, "400"},
		{"space before colon", post + head + "Content-Length : 21\r\n\r\n" + form, "400"},
		{"no host", post + "Content-Length: 21\r\n\r\n" + form, "400"},
		{"two hosts", post + head + "Host: evil.example\r\nContent-Length: 21\r\n\r\n" + form, "400"},
		{"huge header", post + head + "X-A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "431"},
		{"many headers", post + head + strings.Repeat("X-Many: abcdefghijklmnopqrstuvwxyz\r\n", 2000) + "\r\n", "431"},
		{"huge URL", "POST /members/resetpassword?email=" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\n" + head + "\r\n", "431"},
		{"lying length", post + head + "Content-Length: 9999999999\r\n\r\n" + form, "413"},
		{"chunks without end", post + head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("a", 0x1000)+"\r\n", 40), "413"},
		{"bad chunk", post + head + "Transfer-Encoding: chunked\r\n\r\n15\r\n" + form + "\r\nzz\r\n", "400"},
		{"no HTTP", "email=ann@example.org\r\n\r\n", "400"},
		{"unknown version", "POST /members/resetpassword HTTP/3.0\r\n" + head + "Content-Length: 21\r\n\r\n" + form, "505"},
		{"method with a line break", "PO\rST /members/resetpassword HTTP/1.1\r\n" + head + "\r\n", "400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := rawStatus(t, addr, tt.request); got != tt.status {
				t.Errorf("status %s, want %s", got, tt.status)
			}
		})
	}
	if orders, err := site.Store.Mails(t.Context(), members.MailFilter{}); err != nil || len(orders) != 0 {
		t.Errorf("%d orders, error %v; want none", len(orders), err)
	}
}

// Of a length and chunks the chunks count, and what follows them is never
// taken for another request (WEB-16).
func TestNothingFollowsChunks(t *testing.T) {
	t.Parallel()
	_, addr := startListening(t, siteConfig{})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	smuggled := "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
	fmt.Fprintf(conn, "POST /members/resetpassword HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", 5+len(smuggled), smuggled)
	answers, err := io.ReadAll(conn)
	if err != nil || strings.Count(string(answers), "HTTP/1.1 ") != 1 || !strings.Contains(string(answers), "Connection: close") {
		t.Errorf("answers, error %v:\n%s", err, answers)
	}
}

// No more connections are open than allowed: others wait, and are served when
// one ends (WEB-10).
func TestConnectionsAreCapped(t *testing.T) {
	t.Parallel()
	_, addr := startListening(t, siteConfig{settings: "max-connections = 2\n"})
	const ask = "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"
	status := func(conn net.Conn, patience time.Duration) string {
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReaderSize(conn, 16).ReadString('\n')
		return line
	}
	first, second := rawRequest(t, addr, ask), rawRequest(t, addr, ask)
	for _, conn := range []net.Conn{first, second} {
		if got := status(conn, time.Minute); !strings.HasPrefix(got, "HTTP/1.1 200") {
			t.Fatalf("a connection within the limit gets %q", got)
		}
	}
	third := rawRequest(t, addr, ask)
	if got := status(third, 300*time.Millisecond); got != "" {
		t.Errorf("a connection over the limit gets %q", got)
	}
	first.Close()
	if got := status(third, time.Minute); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("when another one ended, it gets %q", got)
	}
}

// rawRequest sends bytes as they are and returns the connection, which ends with
// the test.
func rawRequest(t *testing.T, addr, request string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn
}

// rawStatus sends bytes as they are and returns the status of the answer.
func rawStatus(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, request) }() // the server may hang up first
	line, err := bufio.NewReader(conn).ReadString('\n')
	if fields := strings.Fields(line); err == nil && len(fields) > 1 {
		return fields[1]
	}
	return fmt.Sprintf("none: %v", err)
}

// A client that stops in the middle is cut off, and a body that never came
// whole does nothing (WEB-9).
func TestSlowClientsAreCut(t *testing.T) {
	t.Parallel()
	site, addr := startListening(t, siteConfig{settings: "read-timeout = \"200ms\"\nidle-timeout = \"200ms\"\n"})
	for name, request := range map[string]string{
		"header": "POST /members/resetpassword HTTP/1.1\r\nHost: local",
		"body":   "POST /members/resetpassword HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 50\r\n\r\nemail=ann@example.org",
		"idle":   "",
	} {
		t.Run(name, func(t *testing.T) {
			conn := rawRequest(t, addr, request)
			if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("the connection stayed open: %v", err)
			}
		})
	}
	orders, err := site.Store.Mails(t.Context(), members.MailFilter{})
	if err != nil || len(orders) != 0 {
		t.Errorf("%d orders, error %v; want none", len(orders), err)
	}
}

// Stopping answers what is under way and delivers nothing twice: what was
// answered is in the queue or sent (FLT-12).
func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	site := startSite(t, siteConfig{realTime: true, settings: "mails-per-hour = 1000\n"})
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- site.Run(ctx, l) }()
	client := &http.Client{}
	answered := 0
	for range 50 {
		if status, _ := post(t, client, "http://"+l.Addr().String(), "email=ann@example.org"); status == 200 {
			answered++
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	orders, err := site.Store.Mails(t.Context(), members.MailFilter{Limit: 1000})
	if err != nil || len(orders) != answered {
		t.Fatalf("%d orders for %d answers: %v", len(orders), answered, err)
	}
	for _, o := range orders {
		if o.State != mail.Sent && o.State != mail.New && o.State != mail.Pending {
			t.Errorf("an order is left %s (%s)", o.State, o.Outcome)
		}
	}
}

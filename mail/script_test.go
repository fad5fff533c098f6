package mail

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// script is a file of testdata/smtp: header lines, a divider, then what the
// server does on each connection, connections divided by "next".
//
//	S: text    sends a line; \r, \n and \xNN are escapes
//	C: text    wants that line
//	message    wants a message with its final dot
//	tls        makes the handshake
//	no tls     wants the handshake to fail
//	wait       wants any byte
//	drop, rst  ends the connection, politely or not
//	stall      does nothing until the client leaves
type script struct {
	header map[string]string
	conns  [][]string
}

func readScript(t *testing.T, file string) script {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, body, ok := strings.Cut(string(raw), "---\n")
	if !ok {
		t.Fatal("no divider")
	}
	s := script{header: make(map[string]string)}
	for line := range strings.Lines(head) {
		if key, value, ok := strings.Cut(line, ": "); ok && line[0] != '#' {
			s.header[key] = strings.TrimSpace(value)
		}
	}
	for conn := range strings.SplitSeq(strings.TrimSpace(body), "\nnext\n") {
		s.conns = append(s.conns, strings.Split(conn, "\n"))
	}
	return s
}

// played is what a scripted server saw.
type played struct {
	messages [][]byte
	conns    int
	err      error
}

// play serves the connections one after the other.
func (s script) play(l net.Listener, pki *testPKI) <-chan played {
	result := make(chan played, 1)
	go func() {
		var p played
		for _, lines := range s.conns {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			p.conns++
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			err = p.act(conn, lines, pki)
			conn.Close()
			p.err = errors.Join(p.err, err)
		}
		result <- p
	}()
	return result
}

func (p *played) act(conn net.Conn, lines []string, pki *testPKI) error {
	r := bufio.NewReader(conn)
	for _, line := range lines {
		verb, text, _ := strings.Cut(line, ": ")
		var err error
		switch verb {
		case "S":
			text, err = strconv.Unquote(`"` + text + `"`)
			_, _ = io.WriteString(conn, text+"\r\n") // the client may be gone by script
		case "C":
			var got string
			if got, err = r.ReadString('\n'); err == nil && got != text+"\r\n" {
				err = errors.New("wrong line")
			}
			if err != nil {
				err = fmt.Errorf("want %q, got %q: %w", text, got, err)
			}
		case "message":
			var m []byte
			m, err = readDotted(r)
			p.messages = append(p.messages, m)
		case "tls":
			c := tls.Server(conn, pki.config("127.0.0.1", false))
			err = c.Handshake()
			conn, r = c, bufio.NewReader(c)
		case "no tls":
			if tls.Server(conn, pki.config("127.0.0.1", false)).Handshake() == nil {
				err = errors.New("the handshake went well")
			}
		case "wait":
			_, err = r.ReadByte()
		case "stall":
			_, _ = r.ReadByte()
		case "rst":
			if c, ok := conn.(*net.TCPConn); ok {
				_ = c.SetLinger(0)
			}
			return nil
		case "drop":
			return nil
		default:
			err = fmt.Errorf("unknown line %q", line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readDotted reads to the final dot, strictly, and returns the bytes on the wire.
func readDotted(r *bufio.Reader) ([]byte, error) {
	var b []byte
	for !bytes.HasSuffix(b, []byte("\r\n.\r\n")) {
		c, err := r.ReadByte()
		if err != nil {
			return b, fmt.Errorf("read message: %w", err)
		}
		b = append(b, c)
	}
	return b, nil
}

// config returns what the script's client is set to: patient, but for the stage
// that is stalled.
func (s script) config(t *testing.T, addr string, pki *testPKI) SMTPConfig {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	cfg := SMTPConfig{Host: host, HELO: "client.test", RootCAs: pki.pool, Timeouts: s.timeouts()}
	if cfg.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	switch s.header["mode"] {
	case "plain":
		cfg.Encryption = Plain
	case "auth":
		cfg.User, cfg.Password = "user", "sesame-open-secret"
	case "token":
		cfg.User, cfg.Token = "user", func(context.Context) (Secret, error) { return "ya29.sesame", nil }
	case "nameless":
		cfg.Encryption, cfg.HELO = Plain, ""
	case "starttls":
	default:
		t.Fatalf("mode %q", s.header["mode"])
	}
	return cfg
}

func (s script) timeouts() Timeouts {
	of := func(stage Stage) time.Duration {
		if s.header["stage"] == string(stage) && s.stalls() {
			return 50 * time.Millisecond
		}
		return 10 * time.Second
	}
	return Timeouts{
		Connect: of(StageConnect), Greeting: of(StageGreeting), Hello: of(StageHello), StartTLS: of(StageStartTLS),
		Auth: of(StageAuth), Reset: of(StageReset), Mail: of(StageMail), Rcpt: of(StageRcpt), Data: of(StageData),
		Dot: of(StageDot), Quit: of(StageQuit),
	}
}

func (s script) stalls() bool {
	for _, conn := range s.conns {
		if conn[len(conn)-1] == "stall" {
			return true
		}
	}
	return false
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/smtp/*.txt")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	pki := newTestPKI(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			s := readScript(t, file)
			s.run(t, pki)
		})
	}
}

func (s script) run(t *testing.T, pki *testPKI) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var result <-chan played
	if s.header["listen"] == "no" {
		l.Close()
		closed := make(chan played, 1)
		closed <- played{}
		result = closed
	} else {
		result = s.play(l, pki)
	}
	sender, err := NewSMTP(s.config(t, l.Addr().String(), pki))
	if err != nil {
		t.Fatal(err)
	}
	m := testMessage(t)
	m.To.Address = cmp.Or(s.header["to"], m.To.Address)
	want := strings.Split(s.header["want"], ", ")
	sends := max(number(t, s.header["sends"]), 1)
	for i := range sends {
		err := sender.Send(context.Background(), m)
		s.checkOutcome(t, err, want[min(i, len(want)-1)], sends == 1)
	}
	sender.Close()
	l.Close()
	p := <-result
	if p.err != nil {
		t.Errorf("server: %v", p.err)
	}
	s.checkPlayed(t, p, m)
}

func number(t *testing.T, s string) int {
	t.Helper()
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (s script) checkOutcome(t *testing.T, err error, want string, details bool) {
	t.Helper()
	if err == nil {
		if want != "sent" {
			t.Errorf("sent, want %s", want)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("not an Error: %v", err)
	}
	if e.Class.String() != want {
		t.Errorf("%s (%v), want %s", e.Class, err, want)
	}
	if details && (!slices.Contains(strings.Split(s.header["stage"], " or "), string(e.Stage)) || e.Code != number(t, s.header["code"])) {
		t.Errorf("stage %s code %d, want %s %s", e.Stage, e.Code, s.header["stage"], s.header["code"])
	}
	text := err.Error()
	if !strings.Contains(text, s.header["says"]) {
		t.Errorf("error %q, want %q in it", text, s.header["says"])
	}
	for _, secret := range []string{"jjones", "@", "sesame", "AHVzZX", "ujHidAn9", "://", "\n", "\x1b"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q in the error %q", secret, text)
		}
	}
	if len(text) > 250 {
		t.Errorf("%d bytes of error", len(text))
	}
	for _, r := range text {
		if r < ' ' || r > '~' {
			t.Errorf("%q in the error %q", r, text)
		}
	}
}

// checkPlayed holds what the server got against the message, byte for byte.
func (s script) checkPlayed(t *testing.T, p played, m *Message) {
	t.Helper()
	raw, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range p.messages {
		if !bytes.Equal(got, dotStuff(raw)) {
			t.Errorf("the server got another message:\n%s", got)
		}
	}
	if want := number(t, s.header["connections"]); want != 0 && p.conns != want {
		t.Errorf("%d connections, want %d", p.conns, want)
	}
	if s.header["same"] == "yes" && len(p.messages) < 2 {
		t.Errorf("%d messages, want two to compare", len(p.messages))
	}
	if s.header["want"] == "permanent" && len(p.messages) > 0 && s.header["stage"] == string(StageMessage) {
		t.Error("a message that can't be sent was")
	}
	if strings.HasPrefix(s.header["want"], "sent") && len(p.messages) == 0 {
		t.Error("no message came")
	}
}

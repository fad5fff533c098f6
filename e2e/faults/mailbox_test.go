package faults

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-smtp"
)

// mailbox is a mail server in this process. What it accepted stays, whoever is
// killed. It has one port for each server, to know who sent what.
type mailbox struct {
	clock   atomic.Int64 // counts events: deliveries begun and accepted, kills
	mu      sync.Mutex
	got     []delivery
	tokens  chan delivery // of the mails with a token, for whoever wants to use them
	refuse  atomic.Pointer[smtp.SMTPError]
	onRcpt  sync.Map // sender's name: func()
	onDot   sync.Map
	sink    atomic.Bool  // count mails and keep nothing of them
	sunk    atomic.Int64 // mails that were counted
	servers []*smtp.Server
}

// delivery is a message that was accepted.
type delivery struct {
	from      string // the server that sent it
	to        string
	began, at int64 // by the mailbox's clock
	id        string
	order     string // the id of the order, 32 hexadecimal digits
	token     string
	data      []byte
}

func newMailbox(t testing.TB) *mailbox {
	b := &mailbox{tokens: make(chan delivery, 1<<16)}
	t.Cleanup(func() {
		for _, s := range b.servers {
			s.Close()
		}
	})
	return b
}

// port opens a port for a server and returns its address.
func (b *mailbox) port(t testing.TB, from string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &mailSession{box: b, from: from}, nil
	}))
	s.Domain = "mail.test"
	s.ErrorLog = log.New(io.Discard, "", 0)
	b.servers = append(b.servers, s)
	go func() { _ = s.Serve(l) }() // ends with Close
	return l.Addr().String()
}

// accepted returns a copy of what was accepted so far.
func (b *mailbox) accepted() []delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]delivery(nil), b.got...)
}

// count returns how many messages were accepted so far.
func (b *mailbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got)
}

// mailSession is one connection's state.
type mailSession struct {
	box   *mailbox
	from  string
	to    string
	began int64
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	s.began = s.box.clock.Add(1)
	if refusal := s.box.refuse.Load(); refusal != nil {
		return refusal
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.box.trip(&s.box.onRcpt, s.from)
	return nil
}

// Data records the message before its answer goes out, so that nothing is
// accepted and forgotten.
func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.box.sink.Load() {
		s.box.sunk.Add(1)
		return nil
	}
	d, err := readMail(data)
	if err != nil {
		return err
	}
	d.from, d.to, d.began = s.from, s.to, s.began
	s.box.mu.Lock()
	d.at = s.box.clock.Add(1)
	s.box.got = append(s.box.got, d)
	s.box.mu.Unlock()
	if d.token != "" {
		select {
		case s.box.tokens <- d:
		default:
		}
	}
	s.box.trip(&s.box.onDot, s.from)
	return nil
}

// trip runs what someone left for the sender, once.
func (b *mailbox) trip(points *sync.Map, from string) {
	if f, ok := points.LoadAndDelete(from); ok {
		f.(func())()
	}
}

var tokenInLink = regexp.MustCompile(`[?&](?:token|forgotPasswordToken)=([A-Za-z0-9_-]+)`)

// readMail finds Message-ID and token.
func readMail(data []byte) (delivery, error) {
	m, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return delivery{}, err
	}
	d := delivery{id: m.Header.Get("Message-Id"), data: data}
	if d.id == "" {
		return d, errors.New("no Message-ID")
	}
	d.order, _, _ = strings.Cut(strings.TrimPrefix(d.id, "<"), "@")
	text, err := firstPart(m)
	if found := tokenInLink.FindStringSubmatch(text); found != nil {
		d.token = found[1]
	}
	return d, err
}

// firstPart returns the text of a multipart message.
func firstPart(m *netmail.Message) (string, error) {
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextPart()
	if err != nil {
		return "", err
	}
	var body io.Reader = part
	if part.Header.Get("Content-Transfer-Encoding") == "base64" {
		body = base64.NewDecoder(base64.StdEncoding, part)
	}
	text, err := io.ReadAll(body)
	return string(text), err
}

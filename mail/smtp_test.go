package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// relay is a real server that keeps what it is given.
type relay struct {
	addr string

	mu       sync.Mutex
	sessions int // those that got as far as EHLO after the handshake, or without
	open     int
	mostOpen int
	signIns  int
	mails    []relayed
	hold     chan struct{} // messages wait for it, if it isn't nil
}

type relayed struct {
	from string
	to   []string
	data string
	tls  bool
	user bool
}

type relayOptions struct {
	tls      *tls.Config
	implicit bool
	auth     bool
	idle     time.Duration
	hold     chan struct{}
}

func newRelay(t testing.TB, o relayOptions) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: l.Addr().String(), hold: o.hold}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sessions++
		r.open++
		r.mostOpen = max(r.mostOpen, r.open)
		if o.auth {
			return &authSession{relaySession{relay: r, conn: c}}, nil
		}
		return &relaySession{relay: r, conn: c}, nil
	}))
	server.Domain, server.ErrorLog, server.ReadTimeout = "relay.test", log.New(io.Discard, "", 0), o.idle
	if o.implicit {
		l = tls.NewListener(l, o.tls)
	} else {
		server.TLSConfig = o.tls
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends with the listener
	}()
	t.Cleanup(func() {
		server.Close()
		l.Close() // Close knows of it only once Serve has begun
		<-done
	})
	return r
}

type relaySession struct {
	relay *relay
	conn  *smtp.Conn
	mail  relayed
}

func (s *relaySession) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.from = from
	_, s.mail.tls = s.conn.TLSConnectionState()
	return nil
}

func (s *relaySession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = append(s.mail.to, to)
	return nil
}

func (s *relaySession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.relay.hold != nil {
		<-s.relay.hold
	}
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	s.mail.data = string(data)
	s.relay.mails = append(s.relay.mails, s.mail)
	return nil
}

func (s *relaySession) Reset() { s.mail = relayed{user: s.mail.user} }

func (s *relaySession) Logout() error {
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	s.relay.open--
	return nil
}

type authSession struct{ relaySession }

func (s *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.relay.mu.Lock()
		s.relay.signIns++
		s.relay.mu.Unlock()
		if user != "user@example.org" || password != "sesame-open-secret" {
			return smtp.ErrAuthFailed
		}
		s.mail.user = true
		return nil
	}), nil
}

func relayConfig(t testing.TB, r *relay, pki *testPKI) SMTPConfig {
	t.Helper()
	cfg, err := ParseURL("smtp://" + r.addr)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RootCAs = pki.pool
	return cfg
}

func newSender(t testing.TB, cfg SMTPConfig) *SMTP {
	t.Helper()
	s, err := NewSMTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSMTPWithSTARTTLSAndAuth(t *testing.T) {
	pki := newTestPKI(t)
	for _, implicit := range []bool{false, true} {
		t.Run(fmt.Sprint("implicit ", implicit), func(t *testing.T) {
			r := newRelay(t, relayOptions{tls: pki.config("127.0.0.1", false), implicit: implicit, auth: true})
			cfg := relayConfig(t, r, pki)
			if implicit {
				cfg.Encryption = TLS
			}
			cfg.User, cfg.Password = "user@example.org", "sesame-open-secret"
			m := testMessage(t)
			if err := newSender(t, cfg).Send(context.Background(), m); err != nil {
				t.Fatal(err)
			}
			raw, err := m.Bytes()
			if err != nil || len(r.mails) != 1 {
				t.Fatal(err, len(r.mails))
			}
			got := r.mails[0]
			if got.from != m.From.Address || len(got.to) != 1 || got.to[0] != m.To.Address || !got.tls || !got.user {
				t.Errorf("got %+v", got)
			}
			if got.data != string(raw) {
				t.Errorf("message differs:\n%s", got.data)
			}
		})
	}
}

// MAI-15: no way to a mail sent in the clear, or to someone else.
func TestMAI15_NoPlainFallback(t *testing.T) {
	pki, foreign := newTestPKI(t), newTestPKI(t)
	good := pki.config("127.0.0.1", false)
	tests := []struct {
		name   string
		relay  relayOptions
		change func(*SMTPConfig)
		stage  Stage
	}{
		{"STARTTLS stripped", relayOptions{}, func(*SMTPConfig) {}, StageStartTLS},
		{"certificate of another host", relayOptions{tls: pki.config("192.0.2.1", false)}, func(*SMTPConfig) {}, StageStartTLS},
		{"certificate of another name", relayOptions{tls: pki.config("relay.test", false)}, func(*SMTPConfig) {}, StageStartTLS},
		{"certificate expired", relayOptions{tls: pki.config("127.0.0.1", true)}, func(*SMTPConfig) {}, StageStartTLS},
		{"unknown authority", relayOptions{tls: foreign.config("127.0.0.1", false)}, func(*SMTPConfig) {}, StageStartTLS},
		{"system's authorities alone", relayOptions{tls: good}, func(c *SMTPConfig) { c.RootCAs = nil }, StageStartTLS},
		{"implicit, expired", relayOptions{tls: pki.config("127.0.0.1", true), implicit: true}, func(c *SMTPConfig) { c.Encryption = TLS }, StageStartTLS},
		{"TLS 1.1", relayOptions{tls: &tls.Config{Certificates: good.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}, func(*SMTPConfig) {}, StageStartTLS},
		{"wrong password", relayOptions{tls: good, auth: true}, func(c *SMTPConfig) { c.Password = "wrong" }, StageAuth},
		{"no sign-in offered", relayOptions{tls: good}, func(*SMTPConfig) {}, StageAuth},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRelay(t, test.relay)
			cfg := relayConfig(t, r, pki)
			cfg.User, cfg.Password = "user@example.org", "sesame-open-secret"
			test.change(&cfg)
			err := newSender(t, cfg).Send(context.Background(), testMessage(t))
			var e *Error
			if !errors.As(err, &e) || e.Class != OurFault || e.Stage != test.stage {
				t.Errorf("got %v", err)
			}
			if len(r.mails) != 0 || r.signIns != 0 && test.stage != StageAuth {
				t.Errorf("%d mails, %d sign-ins", len(r.mails), r.signIns)
			}
		})
	}
}

func TestSMTPNeverSignsInUnencrypted(t *testing.T) {
	cfg := SMTPConfig{Host: "127.0.0.1", Port: 25, Encryption: Plain, User: "user", Password: "sesame"}
	if _, err := NewSMTP(cfg); err == nil {
		t.Error("accepted")
	}
	// The last line of defence, should a session be made without that check.
	c := &session{cfg: &cfg, extensions: map[string]string{"AUTH": "PLAIN"}}
	var e *Error
	if err := c.authenticate(context.Background()); !errors.As(err, &e) || e.Class != OurFault {
		t.Errorf("got %v", err)
	}
}

func TestSMTPConnections(t *testing.T) {
	pki := newTestPKI(t)
	tests := []struct {
		name   string
		change func(*SMTPConfig)
		want   int // sessions after 10 mails
	}{
		{"kept", func(*SMTPConfig) {}, 1},
		{"three mails each", func(c *SMTPConfig) { c.MaxMessages = 3 }, 4},
		{"never kept", func(c *SMTPConfig) { c.MaxMessages = 1 }, 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRelay(t, relayOptions{})
			cfg := relayConfig(t, r, pki)
			cfg.Encryption = Plain
			test.change(&cfg)
			s := newSender(t, cfg)
			for range 10 {
				if err := s.Send(context.Background(), testMessage(t)); err != nil {
					t.Fatal(err)
				}
			}
			if r.sessions != test.want || len(r.mails) != 10 {
				t.Errorf("%d sessions, want %d; %d mails", r.sessions, test.want, len(r.mails))
			}
		})
	}
}

func TestSMTPConnectionsAreBounded(t *testing.T) {
	hold := make(chan struct{})
	r := newRelay(t, relayOptions{hold: hold})
	cfg := relayConfig(t, r, newTestPKI(t))
	cfg.Encryption, cfg.MaxConns = Plain, 3
	s := newSender(t, cfg)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if err := s.Send(context.Background(), testMessage(t)); err != nil {
				t.Error(err)
			}
		})
	}
	for range 12 {
		hold <- struct{}{}
	}
	all.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mostOpen > 3 || r.sessions > 3 || len(r.mails) != 12 {
		t.Errorf("%d open at once, %d sessions, %d mails", r.mostOpen, r.sessions, len(r.mails))
	}
}

func TestSMTPWaitsNoLongerThanTheContext(t *testing.T) {
	hold := make(chan struct{})
	r := newRelay(t, relayOptions{hold: hold})
	cfg := relayConfig(t, r, newTestPKI(t))
	cfg.Encryption, cfg.MaxConns = Plain, 1
	s := newSender(t, cfg)
	first, cancel := context.WithCancel(context.Background())
	result := make(chan error)
	go func() { result <- s.Send(first, testMessage(t)) }()
	hold <- struct{}{} // the first has its connection by now, and is through
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	go func() { result <- s.Send(first, testMessage(t)) }()
	cancel()
	err := <-result
	close(hold)
	var e *Error
	if !errors.As(err, &e) || e.Class != Temporary {
		t.Errorf("got %v", err)
	}
}

func TestSMTPIdleConnectionIsClosed(t *testing.T) {
	r := newRelay(t, relayOptions{})
	cfg := relayConfig(t, r, newTestPKI(t))
	cfg.Encryption, cfg.IdleTimeout = Plain, time.Millisecond
	s := newSender(t, cfg)
	if err := s.Send(context.Background(), testMessage(t)); err != nil {
		t.Fatal(err)
	}
	s.timers.Wait() // ends when the timer has said goodbye
	if c := s.take(); c != nil {
		t.Error("still kept")
	}
	if err := s.Send(context.Background(), testMessage(t)); err != nil {
		t.Fatal(err)
	}
	if r.sessions != 2 {
		t.Errorf("%d sessions", r.sessions)
	}
}

func TestSMTPPoisonNeverConnects(t *testing.T) {
	r := newRelay(t, relayOptions{})
	cfg := relayConfig(t, r, newTestPKI(t))
	cfg.Encryption = Plain
	m := testMessage(t)
	m.To.Address = "jjones@example.org>\r\nRCPT TO:<evil@example.org"
	err := newSender(t, cfg).Send(context.Background(), m)
	var e *Error
	if !errors.As(err, &e) || e.Class != Permanent || r.sessions != 0 {
		t.Errorf("%v, %d sessions", err, r.sessions)
	}
}

func TestParseURL(t *testing.T) {
	tests := []struct {
		url, host, user string
		port            int
		encryption      Encryption
		warned          bool
	}{
		{"smtp://mail.example.org", "mail.example.org", "", 587, STARTTLS, false},
		{"smtp://user@mail.example.org:2525", "mail.example.org", "user", 2525, STARTTLS, false},
		{"smtp://user%40example.org@mail.example.org:25/?starttls=required", "mail.example.org", "user@example.org", 25, STARTTLS, false},
		{"smtps://user@mail.example.org", "mail.example.org", "user", 465, TLS, false},
		{"smtp://127.0.0.1:1025?starttls=never", "127.0.0.1", "", 1025, Plain, false},
		{"smtp://localhost:1025?starttls=never", "localhost", "", 1025, Plain, false},
		{"smtp://[::1]:1025?starttls=never", "::1", "", 1025, Plain, false},
		{"smtp://mail.example.org:25?starttls=never", "mail.example.org", "", 25, Plain, true},
	}
	for _, test := range tests {
		c, err := ParseURL(test.url)
		if err != nil || c.Host != test.host || c.User != test.user || c.Port != test.port ||
			c.Encryption != test.encryption || (len(c.Warnings()) > 0) != test.warned {
			t.Errorf("%s: %v, %s, user %q, warnings %q", test.url, err, c, c.User, c.Warnings())
		}
		if strings.Contains(fmt.Sprintf("%v %+v", c, c), "user") {
			t.Errorf("%s prints as %v", test.url, c)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, url := range []string{
		"", "mail.example.org", "mail.example.org:25", "http://mail.example.org", "smtp:mail.example.org", "smtp://",
		"smtp://user:sesame@mail.example.org", "smtp://user:@mail.example.org", "smtps://u:sesame@h:465",
		"smtp://user:sesame@mail.example.org:port", "smtp://user:ses%zzame@h", "smtp://h:0", "smtp://h:65536", "smtp://h:-1",
		"smtp://h/path", "smtp://h#sesame", "smtp://h?starttls=maybe", "smtp://h?starttls=", "smtp://h?starttls=never&starttls=required",
		"smtp://h?insecure=sesame", "smtps://h?starttls=never", "smtp://user@h?starttls=never", "smtp://a_b", "smtp://h%0d%0a",
		"smtp://us%0d%0aer@h", "smtp://h?starttls=never;a",
	} {
		_, err := ParseURL(url)
		if err == nil {
			t.Errorf("%q accepted", url)
			continue
		}
		if strings.Contains(err.Error(), "sesame") {
			t.Errorf("%q: the error tells: %v", url, err)
		}
	}
}

func TestSecretHides(t *testing.T) {
	cfg := SMTPConfig{Host: "h", Port: 25, User: "u", Password: "sesame"}
	text, err := cfg.Password.MarshalText()
	all := fmt.Sprintf("%v %+v %#v %s %q %s", cfg, cfg, cfg, cfg.Password, cfg.Password, text)
	if err != nil || strings.Contains(all, "sesame") {
		t.Errorf("%s, %v", all, err)
	}
}

// MAI-12: only the wait after the final dot is long.
func TestMAI12_Timeouts(t *testing.T) {
	for _, stage := range []Stage{
		StageConnect, StageGreeting, StageHello, StageStartTLS, StageAuth, StageReset, StageMail, StageRcpt, StageData, StageQuit,
	} {
		if d := (Timeouts{}).of(stage); d < time.Second || d > 5*time.Minute {
			t.Errorf("%s: %s", stage, d)
		}
	}
	if d := (Timeouts{}).of(StageDot); d != 10*time.Minute {
		t.Errorf("dot: %s", d)
	}
}

func TestClassify(t *testing.T) {
	is := func(stage Stage, line string, want Class) {
		t.Helper()
		code, _, text, err := parseReplyLine(line)
		if err != nil {
			t.Fatal(err)
		}
		if got := classifyReply(stage, reply{code, []string{text}}); got != want {
			t.Errorf("%s %q: %s, want %s", stage, line, got, want)
		}
	}
	for _, stage := range []Stage{StageRcpt, StageData, StageDot} {
		for line, want := range map[string]Class{
			"421": Temporary, "450 4.2.0 greylisted": Temporary, "499": Temporary, "250": Temporary,
			"550": Permanent, "554": Permanent, "599": Permanent, "530": OurFault, "535": OurFault,
			"500": OurFault, "503 bad sequence": OurFault, "550 5.5.0 no such user": Permanent,
			"550 5.1.1 user unknown": Permanent, "552 5.2.2 mailbox full": Temporary, "552 5.3.4 too big": Permanent,
			"554 5.4.4 no route": Permanent, "554 5.6.0 content": Permanent, "550 5.3.0 system": Temporary,
			// Postfix answers these at RCPT (the issue: each mail was dead at once).
			"504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname":               OurFault,
			"550 5.1.8 <a@b.example>: Sender address rejected: Domain not found":                        OurFault,
			"550 5.7.1 <a@b.example>: Recipient address rejected: Please see http://example.org/refuse": Permanent,
		} {
			is(stage, line, want)
		}
		want := map[Stage]Class{StageRcpt: OurFault, StageData: OurFault, StageDot: Permanent}[stage] // spam, at the dot
		is(stage, "553 5.7.1 <a@b.example>: Sender address rejected: not owned by user a", want)
		is(stage, "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", want)
		is(stage, "554 5.7.1 <jj@b.example>: Relay access denied", want)
	}
	is(StageRcpt, "552 storage exceeded", Temporary)
	is(StageDot, "552 too big", Permanent)
	for line, want := range map[string]Class{
		"421": Temporary, "451": Temporary, "552": Permanent, "500": OurFault, "530": OurFault, "550": OurFault,
		"599": OurFault, "550 5.1.1 no": OurFault, "552 5.3.4 too big": Permanent,
	} {
		is(StageMail, line, want)
	}
	for _, stage := range []Stage{StageConnect, StageGreeting, StageHello, StageStartTLS, StageAuth, StageCapture} {
		for _, line := range []string{"250", "421", "454 4.7.0 later", "552", "554 5.1.1 no"} {
			is(stage, line, OurFault)
		}
		if got := classify(stage); got != OurFault {
			t.Errorf("%s without a reply: %s", stage, got)
		}
	}
	if got := classify(StageDot); got != Temporary {
		t.Errorf("dot without a reply: %s", got)
	}
}

func BenchmarkDelivery(b *testing.B) {
	for name, most := range map[string]int{"kept": 1 << 30, "new": 1} {
		b.Run(name, func(b *testing.B) {
			s := benchmarkSender(b, most)
			for b.Loop() {
				if err := s.Send(b.Context(), testMessage(b)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDeliveryRatio reports how many times longer a mail takes that gets a
// connection, with STARTTLS and sign-in, of its own.
func BenchmarkDeliveryRatio(b *testing.B) {
	kept, fresh := benchmarkSender(b, 1<<30), benchmarkSender(b, 1)
	var took [2]time.Duration
	for b.Loop() {
		for i, s := range []*SMTP{kept, fresh} {
			began := time.Now()
			if err := s.Send(b.Context(), testMessage(b)); err != nil {
				b.Fatal(err)
			}
			took[i] += time.Since(began)
		}
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "new/kept")
}

func benchmarkSender(b *testing.B, mostMessages int) *SMTP {
	pki := newTestPKI(b)
	r := newRelay(b, relayOptions{tls: pki.config("127.0.0.1", false), auth: true})
	cfg := relayConfig(b, r, pki)
	cfg.User, cfg.Password, cfg.MaxMessages = "user@example.org", "sesame-open-secret", mostMessages
	return newSender(b, cfg)
}

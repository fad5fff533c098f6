package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/reseed-project/reseed/mail"
)

// Both steps over a real SMTP server with STARTTLS and AUTH, on both databases:
// the mails arrive, at the stored address and nowhere else.
func TestMailsLeaveBySMTP(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		mta := startMTA(t)
		site := startSMTPSite(t, dsn, mta)
		srv := httptest.NewServer(site.Handler)
		defer srv.Close()
		stop := startWorker(t, site)
		defer stop()

		if status, body := post(t, srv.Client(), srv.URL, "email=BOB.builder@example.org"); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		first := mta.next(t)
		token := openMail(t, first.data).Token
		if status, body := post(t, srv.Client(), srv.URL, "member-username=bob&member-password=violet-Harbor-93-maple&token="+token); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		second := mta.next(t)
		for _, m := range []delivered{first, second} {
			if m.user != "mailer" || m.to != "Bob.Builder@example.org" || m.from != "pageseeder@example.org" || !m.tls {
				t.Errorf("user %q, from %q, to %q, TLS %v", m.user, m.from, m.to, m.tls)
			}
		}
		if subject := openMail(t, second.data).Subject; subject != "Your password has been updated" {
			t.Errorf("the second mail is %q", subject)
		}
	})
}

// An administrator who waits gets the answer after the delivery attempt; one
// that fails leaves the mail queued, and the answer is the same. The public
// never waits, whatever it sends (contract 1.3, notify-async).
func TestAdministratorsWaitForDelivery(t *testing.T) {
	mta := startMTA(t)
	site := startSMTPSite(t, "", mta)
	srv := httptest.NewServer(site.Handler)
	defer srv.Close()
	ask := func(async string, asAdmin bool) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/members/resetpassword", strings.NewReader("email=ann@example.org&notify-async="+async))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if asAdmin {
			req.SetBasicAuth("root", "plum-Orbit-77-lantern")
		}
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, _ := io.ReadAll(resp.Body); string(body) != `<reset-password status="request-successful" />` {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
	}
	// No worker runs: what is delivered was delivered before the answer.
	ask("false", true)
	if n := len(mta.mails); n != 1 {
		t.Errorf("an administrator who waits: %d mails on answering", n)
	}
	ask("true", true)
	ask("false", false)
	if n := len(mta.mails); n != 1 {
		t.Errorf("those who don't wait: %d mails more", n-1)
	}
	mta.refuse <- struct{}{}
	ask("false", true)
	attempts := 0
	waiting := site.waiting(t)
	for _, m := range waiting { // within a millisecond they are in no order
		attempts += m.Attempts
	}
	if len(waiting) != 3 || attempts != 1 {
		t.Errorf("%d mails queued after %d attempts", len(waiting), attempts)
	}
}

// A mail server that takes its time, minutes at each stage, keeps the mail and
// not the answer: the request ends when its own time does.
func TestStuckMailServerKeepsNoAdministrator(t *testing.T) {
	mta := startMTA(t)
	mta.hold = make(chan struct{})
	release := sync.OnceFunc(func() { close(mta.hold) })
	site := startSMTPSite(t, "", mta, "request-timeout = \"1s\"\n")
	srv := httptest.NewServer(site.Handler)
	defer srv.Close()
	defer release() // before srv waits for its requests
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL+"/members/forceresetpassword?email=ann@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("root", "plum-Orbit-77-lantern")
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatalf("no answer while the mail server is stuck: %v", err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != `<reset-password status="request-successful" />` {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	release()
	mta.next(t) // the attempt went on
}

// Whoever waits for the notice of a change keeps no other use of the token waiting.
func TestRivalsDoNotWaitForTheWinnersMail(t *testing.T) {
	mta := startMTA(t)
	mta.hold = make(chan struct{})
	site := startSMTPSite(t, "", mta, "sync-delivery = \"everyone\"\n")
	srv := httptest.NewServer(site.Handler)
	defer srv.Close()
	won := make(chan struct{})
	defer func() { <-won }()
	defer close(mta.hold) // before srv waits for its requests
	go func() { mta.hold <- struct{}{} }()
	post(t, srv.Client(), srv.URL, "email=ann@example.org")
	_, token, _ := strings.Cut(string(mta.next(t).data), "token=")
	form := "email=ann@example.org&token=" + token[:32] + withGoodPassword
	go func() {
		defer close(won)
		post(t, srv.Client(), srv.URL, form)
	}()
	eventually(t, 20*time.Second, func() (bool, string) {
		counts, err := site.Store.Counts(t.Context())
		return err == nil && counts[mail.Sending] == 1, "the notice is not being sent"
	})
	status, body := post(t, srv.Client(), srv.URL, form)
	select {
	case <-won:
		t.Error("the other use waited for the winner's mail")
	default:
	}
	if status != http.StatusBadRequest || !strings.Contains(body, `id="102A"`) {
		t.Errorf("the other use gets %d %s", status, body)
	}
}

func startSMTPSite(t *testing.T, dsn string, mta *mta, settings ...string) *testSite {
	t.Helper()
	t.Setenv("RESEED_SMTP_PASSWORD", "canary-smtp-password")
	settings = append(settings, "smtp = \"smtp://mailer@"+mta.addr+"\"\n")
	return startSite(t, siteConfig{dsn: dsn, smtpRoot: mta.root, settings: strings.Join(settings, ""), realTime: true})
}

// startWorker runs a site's worker until the returned function is called.
func startWorker(t *testing.T, site *testSite) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- site.Worker.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// mta is an SMTP server that keeps what it gets.
type mta struct {
	addr   string
	root   *x509.CertPool
	cert   []byte // what root trusts, DER
	mails  chan delivered
	refuse chan struct{} // one for each recipient to be put off
	hold   chan struct{} // recipients wait for its end, if it isn't nil
	token  string        // what XOAUTH2 takes, which is the only way to sign in then
}

type delivered struct {
	user, from, to string
	hello          string // what the client calls itself
	tls            bool
	data           []byte
}

func startMTA(t *testing.T) *mta {
	t.Helper()
	cert, root := selfSigned(t)
	m := &mta{root: root, cert: cert.Certificate[0], mails: make(chan delivered, 16), refuse: make(chan struct{}, 1)}
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &mtaSession{mta: m, conn: c}, nil
	}))
	srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String()
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return m
}

func (m *mta) next(t *testing.T) delivered {
	t.Helper()
	select {
	case d := <-m.mails:
		return d
	case <-t.Context().Done():
	case <-time.After(30 * time.Second):
	}
	t.Fatal("no mail came")
	return delivered{}
}

type mtaSession struct {
	mta  *mta
	conn *smtp.Conn
	got  delivered
}

func (s *mtaSession) AuthMechanisms() []string {
	if s.mta.token != "" {
		return []string{"XOAUTH2"}
	}
	return []string{sasl.Plain}
}

// xoauth2 takes one response and is done.
type xoauth2 func(response string) error

func (x xoauth2) Next(response []byte) (challenge []byte, done bool, err error) {
	return nil, true, x(string(response))
}

func (s *mtaSession) Auth(mechanism string) (sasl.Server, error) {
	if mechanism == "XOAUTH2" {
		return xoauth2(func(response string) error {
			user, token, _ := strings.Cut(strings.TrimSuffix(response, "\x01\x01"), "\x01auth=Bearer ")
			if token != s.mta.token {
				return smtp.ErrAuthFailed
			}
			s.got.user = strings.TrimPrefix(user, "user=")
			return nil
		}), nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "canary-smtp-password" {
			return smtp.ErrAuthFailed
		}
		s.got.user = user
		return nil
	}), nil
}

func (s *mtaSession) Mail(from string, _ *smtp.MailOptions) error {
	_, s.got.tls = s.conn.TLSConnectionState()
	s.got.from, s.got.hello = from, s.conn.Hostname()
	return nil
}

func (s *mtaSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.mta.hold != nil {
		<-s.mta.hold
	}
	select {
	case <-s.mta.refuse:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try later"}
	default:
	}
	s.got.to += to
	return nil
}

func (s *mtaSession) Data(r io.Reader) (err error) {
	if s.got.data, err = io.ReadAll(r); err == nil {
		s.mta.mails <- s.got
	}
	return err
}

func (s *mtaSession) Reset()        { s.got = delivered{user: s.got.user} }
func (s *mtaSession) Logout() error { return nil }

// selfSigned returns a certificate for 127.0.0.1 and the pool that trusts it.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

package webhooks

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// How long a receiver may take, and how much of its answer is read.
const (
	dialTime    = 5 * time.Second
	requestTime = 15 * time.Second
	maxAnswer   = 64 << 10
)

// Sender makes the requests.
type Sender struct {
	secrets         Secrets
	now             func() time.Time
	public, private *http.Client // private may go anywhere
}

// NewSender returns a sender. Roots are the certificates it trusts; nil: the system's.
func NewSender(secrets Secrets, now func() time.Time, roots *x509.CertPool) *Sender {
	return &Sender{secrets: secrets, now: now, public: newClient(roots, refusePrivate), private: newClient(roots, nil)}
}

// newClient returns a client that follows no redirect and heeds no proxy, either
// of which would lead past the check of the address.
func newClient(roots *x509.CertPool, control func(network, address string, c syscall.RawConn) error) *http.Client {
	dialer := &net.Dialer{Timeout: dialTime, Control: control}
	return &http.Client{
		Timeout:       requestTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTime, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: maxAnswer,
		},
	}
}

// ErrPrivate is why a request was not made.
var ErrPrivate = errors.New("the host has a loopback, private or reserved address, which is refused without --allow-private")

// refusePrivate looks at the address that is about to be connected to: names
// that change their address after a check are of no use.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !Public(to.Addr()) {
		return ErrPrivate
	}
	return nil
}

// Public reports whether an address is one of the public internet.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, n := range reserved() {
		if n.Contains(a) {
			return false
		}
	}
	return true
}

// reserved are networks that net/netip takes for global: shared, documentation,
// benchmark and future ones, and those that stand for addresses of IPv4.
func reserved() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10", "5f00::/16", "3fff::/20",
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// failure is an answer other than success.
type failure struct {
	status int
}

func (f *failure) Error() string { return fmt.Sprintf("the receiver answered %d", f.status) }

// Send makes one request. The receiver has got it if its status is 2xx. Errors
// hold no part of the address.
func (s *Sender) Send(ctx context.Context, c Call) error {
	body, err := c.body()
	if err != nil {
		return fmt.Errorf("write the payload: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Hook.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL can't be used")
	}
	now := s.now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "reseed-webhooks")
	req.Header.Set("Webhook-Id", c.MessageID())
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", s.secrets.sign(c.Hook, c.MessageID(), now, body))
	client := s.public
	if c.Hook.AllowPrivate {
		client = s.private
	}
	resp, err := client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // so that the connection can be used again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return &failure{resp.StatusCode}
	}
	return nil
}

// withoutURL takes the address out of a client's error.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, ErrPrivate) {
		return ErrPrivate
	}
	return err
}

// final reports whether trying again is of no use: the receiver is gone for good.
func final(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.status == http.StatusGone
}

package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"
)

// Secret is a value that prints as ***.
type Secret string

// String hides the secret.
func (Secret) String() string { return "***" }

// GoString hides the secret.
func (Secret) GoString() string { return "***" }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// Encryption says how the connection is protected.
type Encryption int

// STARTTLS is required, not merely tried; TLS is encrypted from the first byte;
// Plain has to be asked for. Certificates are always verified.
const (
	STARTTLS Encryption = iota
	TLS
	Plain
)

// SMTPConfig says which server takes the mails, and how to talk to it. Zero
// values stand for the defaults.
type SMTPConfig struct {
	Host       string
	Port       int
	Encryption Encryption
	User       string         // no sign-in if empty
	Password   Secret         // never part of the URL
	Token      TokenSource    // signs in by XOAUTH2 with its tokens instead of the password
	HELO       string         // our name; an address literal if empty
	RootCAs    *x509.CertPool // the system's if nil
	DKIM       *DKIM          // signs messages; may be nil
	// Trace is called with what the server answered at each stage; may be nil.
	Trace       func(stage Stage, said string)
	Timeouts    Timeouts
	MaxConns    int           // connections open at once; 16
	MaxMessages int           // messages per connection; 100, 1 never reuses one
	IdleTimeout time.Duration // an unused connection is closed after; 30 s
	Dialer      *net.Dialer   // the usual one if nil
}

// TokenSource returns a fresh OAuth 2.0 access token; it may read a file or ask a
// program.
type TokenSource func(ctx context.Context) (Secret, error)

// Timeouts bounds each stage (MAI-12), shorter than RFC 5321 4.5.3.2 has it, since
// a stage that stalls takes a slot from others. Only the one after the final dot
// is long: giving up there means sending twice (4.5.3.2.6).
type Timeouts struct {
	Connect  time.Duration // 15 s
	Greeting time.Duration // 30 s
	Hello    time.Duration // 30 s
	StartTLS time.Duration // 30 s, with the handshake
	Auth     time.Duration // 30 s, each step
	Reset    time.Duration // 10 s
	Mail     time.Duration // 30 s
	Rcpt     time.Duration // 1 min
	Data     time.Duration // 2 min, for the command and again for the message
	Dot      time.Duration // 10 min
	Quit     time.Duration // 2 s: the mail is through by then
}

func (t Timeouts) of(stage Stage) time.Duration {
	either := func(set, otherwise time.Duration) time.Duration {
		if set > 0 {
			return set
		}
		return otherwise
	}
	switch stage {
	case StageConnect:
		return either(t.Connect, 15*time.Second)
	case StageGreeting:
		return either(t.Greeting, 30*time.Second)
	case StageHello:
		return either(t.Hello, 30*time.Second)
	case StageStartTLS:
		return either(t.StartTLS, 30*time.Second)
	case StageAuth:
		return either(t.Auth, 30*time.Second)
	case StageReset:
		return either(t.Reset, 10*time.Second)
	case StageRcpt:
		return either(t.Rcpt, time.Minute)
	case StageData:
		return either(t.Data, 2*time.Minute)
	case StageDot:
		return either(t.Dot, 10*time.Minute)
	case StageQuit:
		return either(t.Quit, 2*time.Second)
	}
	return either(t.Mail, 30*time.Second)
}

// ParseURL reads smtp://[user@]host[:port] (STARTTLS required; port 587) and
// smtps://[user@]host[:port] (TLS from the start; port 465). ?starttls=never
// gives up encryption and, with it, signing in. A password is refused: it comes
// from a file or the environment, since URLs end up in process lists. The error
// never repeats the URL.
func ParseURL(s string) (SMTPConfig, error) {
	u, err := url.Parse(s)
	if err != nil {
		return SMTPConfig{}, errors.New("SMTP server: not a URL")
	}
	if u.User != nil {
		if _, given := u.User.Password(); given {
			return SMTPConfig{}, errors.New("SMTP server: a password doesn't belong in the URL; give it in a file or the environment")
		}
	}
	if u.Opaque != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return SMTPConfig{}, errors.New("SMTP server: want smtp://[user@]host:port or smtps://[user@]host:port")
	}
	c := SMTPConfig{Host: u.Hostname(), User: u.User.Username()}
	if err := c.readScheme(u); err != nil {
		return SMTPConfig{}, err
	}
	if err := c.readPort(u.Port()); err != nil {
		return SMTPConfig{}, err
	}
	return c, c.validate()
}

func (c *SMTPConfig) readScheme(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("SMTP server: the options are malformed")
	}
	starttls := query.Get("starttls")
	unknown := len(query) - len(query["starttls"])
	switch {
	case unknown != 0 || len(query["starttls"]) > 1:
		return errors.New("SMTP server: the only option is starttls")
	case u.Scheme == "smtps" && !query.Has("starttls"):
		c.Encryption, c.Port = TLS, 465
	case u.Scheme == "smtp" && (!query.Has("starttls") || starttls == "required"):
		c.Encryption, c.Port = STARTTLS, 587
	case u.Scheme == "smtp" && starttls == "never":
		c.Encryption, c.Port = Plain, 25
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return errors.New("SMTP server: the scheme must be smtp or smtps")
	default:
		return errors.New("SMTP server: starttls is required or never, and for smtp alone")
	}
	return nil
}

func (c *SMTPConfig) readPort(port string) error {
	if port == "" {
		return nil
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return errors.New("SMTP server: the port must be from 1 to 65535")
	}
	c.Port = n
	return nil
}

// validate checks what can be checked before the password is known.
func (c *SMTPConfig) validate() error {
	switch {
	case net.ParseIP(c.Host) == nil && !validDomain(c.Host, 1):
		return errors.New("SMTP server: the host is missing or malformed")
	case !safeText(c.User):
		return errors.New("SMTP server: the user name is malformed")
	case c.User != "" && c.Encryption == Plain:
		return errors.New("SMTP server: signing in needs encryption, on loopback too")
	case c.HELO != "" && !validDomain(c.HELO, 1):
		return errors.New("SMTP server: our own name (HELO) is malformed")
	}
	return nil
}

// Address returns host:port.
func (c SMTPConfig) Address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// String returns the server as a URL, for the line that says where mails go.
func (c SMTPConfig) String() string {
	switch c.Encryption {
	case TLS:
		return "smtps://" + c.Address()
	case Plain:
		return "smtp://" + c.Address() + "?starttls=never"
	}
	return "smtp://" + c.Address()
}

// Warnings returns what an operator should be told about the choice.
func (c SMTPConfig) Warnings() []string {
	if c.Encryption != Plain || c.loopback() {
		return nil
	}
	return []string{fmt.Sprintf("mails, with the links in them, go to %s unencrypted (starttls=never)", c.Address())}
}

func (c SMTPConfig) loopback() bool {
	ip := net.ParseIP(c.Host)
	return c.Host == "localhost" || ip != nil && ip.IsLoopback()
}

package mail

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"time"
)

// session is one connection to the server. One goroutine at a time uses it.
type session struct {
	cfg        *SMTPConfig
	conn       net.Conn
	r          *bufio.Reader
	encrypted  bool
	extensions map[string]string // of EHLO: keyword, parameters
	messages   int               // accepted on this connection
	dirty      bool              // a transaction was begun and not ended
	broken     bool              // nothing more can be said on it
	idle       *time.Timer       // closes it; set while it is unused
}

// envelope is a message as the protocol wants it.
type envelope struct {
	from, to string
	data     []byte // dot-stuffed, with the final dot
}

// open connects, encrypts and signs in. All its errors are of class OurFault,
// but for a cancelled context.
func open(ctx context.Context, cfg *SMTPConfig) (*session, error) {
	c := &session{cfg: cfg}
	if err := c.dial(ctx); err != nil {
		return nil, err
	}
	defer c.closeWith(ctx)()
	if err := c.setUp(ctx); err != nil {
		c.conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *session) dial(ctx context.Context) error {
	dialer := c.cfg.Dialer
	if dialer == nil {
		dialer = &net.Dialer{}
	}
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeouts.of(StageConnect))
	defer cancel()
	conn, err := dialer.DialContext(limited, "tcp", c.cfg.Address())
	if err != nil {
		return c.ioError(ctx, StageConnect, err)
	}
	c.use(conn)
	return nil
}

func (c *session) use(conn net.Conn) {
	c.conn, c.r = conn, bufio.NewReaderSize(conn, replyBuffer)
}

// closeWith closes the connection when the context ends: no deadline that is
// set later can undo that. The function it returns takes it back.
func (c *session) closeWith(ctx context.Context) func() bool {
	conn := c.conn
	return context.AfterFunc(ctx, func() { conn.Close() })
}

func (c *session) setUp(ctx context.Context) error {
	if c.cfg.Encryption == TLS {
		if err := c.handshake(ctx); err != nil {
			return err
		}
	}
	if _, err := c.exchange(ctx, StageGreeting, "", 2); err != nil {
		return err
	}
	if err := c.hello(ctx); err != nil {
		return err
	}
	if c.cfg.Encryption == STARTTLS {
		if err := c.startTLS(ctx); err != nil {
			return err
		}
	}
	if c.cfg.User == "" {
		return nil
	}
	return c.authenticate(ctx)
}

func (c *session) hello(ctx context.Context) error {
	name := c.cfg.HELO
	if name == "" {
		name = "localhost"
	}
	rep, err := c.exchange(ctx, StageHello, "EHLO "+name, 2)
	if err != nil {
		return err
	}
	c.extensions = make(map[string]string)
	for _, line := range rep.lines[1:] {
		keyword, parameters, _ := strings.Cut(line, " ")
		c.extensions[strings.ToUpper(keyword)] = parameters
	}
	return nil
}

// startTLS encrypts or fails: there is no going on in the clear (MAI-15).
func (c *session) startTLS(ctx context.Context) error {
	if _, offered := c.extensions["STARTTLS"]; !offered {
		return c.refuse(StageStartTLS, "the server doesn't offer STARTTLS")
	}
	if _, err := c.exchange(ctx, StageStartTLS, "STARTTLS", 2); err != nil {
		return err
	}
	// Bytes that came before the handshake were not protected by it (CVE-2011-0411).
	if c.r.Buffered() > 0 {
		return c.refuse(StageStartTLS, "the server sent more than the reply before the handshake")
	}
	if err := c.handshake(ctx); err != nil {
		return err
	}
	return c.hello(ctx)
}

func (c *session) handshake(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeouts.of(StageStartTLS))
	defer cancel()
	conn := tls.Client(c.conn, &tls.Config{
		ServerName: c.cfg.Host,
		RootCAs:    c.cfg.RootCAs,
		MinVersion: tls.VersionTLS12,
	})
	if err := conn.HandshakeContext(limited); err != nil {
		return c.ioError(ctx, StageStartTLS, err)
	}
	c.use(conn)
	c.encrypted = true
	return nil
}

// authenticate signs in, on an encrypted connection only.
func (c *session) authenticate(ctx context.Context) error {
	mechanisms := strings.Fields(strings.ToUpper(c.extensions["AUTH"]))
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	user, password := c.cfg.User, string(c.cfg.Password)
	switch {
	case !c.encrypted:
		return c.refuse(StageAuth, "signing in needs encryption")
	case slices.Contains(mechanisms, "PLAIN"):
		_, err := c.exchange(ctx, StageAuth, "AUTH PLAIN "+encode("\x00"+user+"\x00"+password), 2)
		return err
	case slices.Contains(mechanisms, "LOGIN"):
		return c.steps(ctx, "AUTH LOGIN", encode(user), encode(password))
	}
	return c.refuse(StageAuth, "the server offers neither PLAIN nor LOGIN")
}

// steps sends lines of which each but the last is answered by 334.
func (c *session) steps(ctx context.Context, lines ...string) error {
	for i, line := range lines {
		want := 3
		if i == len(lines)-1 {
			want = 2
		}
		if _, err := c.exchange(ctx, StageAuth, line, want); err != nil {
			return err
		}
	}
	return nil
}

// deliver hands over one message.
func (c *session) deliver(ctx context.Context, e envelope) error {
	defer c.closeWith(ctx)()
	if c.dirty {
		if _, err := c.exchange(ctx, StageReset, "RSET", 2); err != nil {
			c.broken = true
			return err
		}
	}
	c.dirty = true
	if _, err := c.exchange(ctx, StageMail, "MAIL FROM:<"+e.from+">", 2); err != nil {
		return err
	}
	if _, err := c.exchange(ctx, StageRcpt, "RCPT TO:<"+e.to+">", 2); err != nil {
		return err
	}
	if _, err := c.exchange(ctx, StageData, "DATA", 3); err != nil {
		return err
	}
	if c.r.Buffered() > 0 {
		return c.refuse(StageData, outOfTurn)
	}
	c.arm(ctx, StageData)
	if _, err := c.conn.Write(e.data); err != nil {
		return c.ioError(ctx, StageData, err)
	}
	if _, err := c.exchange(ctx, StageDot, "", 2); err != nil {
		return err
	}
	c.dirty = false
	c.messages++
	return nil
}

// quit says goodbye and closes. The mails are through, so nothing can fail.
func (c *session) quit(ctx context.Context) {
	if !c.broken {
		_, _ = c.exchange(ctx, StageQuit, "QUIT", 2)
	}
	c.conn.Close()
}

// outOfTurn is why a connection is ended on which a reply came that was not
// asked for: it would be taken for the answer to what is sent next.
const outOfTurn = "the server spoke out of turn"

// exchange sends a line, if there is one, and reads the reply, whose first
// digit must be want.
func (c *session) exchange(ctx context.Context, stage Stage, line string, want int) (reply, error) {
	if strings.ContainsAny(line, "\r\n\x00") {
		return reply{}, c.refuse(stage, "a command with a line break isn't sent")
	}
	if line != "" && c.r.Buffered() > 0 {
		return reply{}, c.refuse(stage, outOfTurn)
	}
	c.arm(ctx, stage)
	if line != "" {
		if _, err := c.conn.Write([]byte(line + "\r\n")); err != nil {
			return reply{}, c.ioError(ctx, stage, err)
		}
	}
	rep, err := readReply(c.r)
	if errors.Is(err, errGarbage) {
		return rep, c.refuse(stage, errGarbage.Error())
	}
	if err != nil {
		return rep, c.ioError(ctx, stage, err)
	}
	if rep.code/100 != want {
		return rep, c.replyError(stage, rep)
	}
	return rep, nil
}

// arm sets the deadline of a stage, or the context's where that is earlier.
func (c *session) arm(ctx context.Context, stage Stage) {
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeouts.of(stage))
	defer cancel()
	deadline, _ := limited.Deadline()
	_ = c.conn.SetDeadline(deadline) // a connection that is closed fails at the next read
}

// ioError is a connection that failed.
func (c *session) ioError(ctx context.Context, stage Stage, err error) error {
	c.broken = true
	e := &Error{Class: classify(stage, 0), Stage: stage, Text: describe(err), cause: err}
	if errors.Is(ctx.Err(), context.Canceled) {
		e.Class, e.Text = Temporary, "cancelled"
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Text = "timed out"
	}
	return e
}

// replyError is a reply other than the one hoped for. The words of a server
// that refuses a sign-in may hold what it was given: only the status is kept.
func (c *session) replyError(stage Stage, rep reply) error {
	if rep.code == 421 || rep.code < 400 {
		c.broken = true
	}
	text := sanitise(rep.text())
	if stage == StageAuth {
		text = rep.enhanced()
	}
	return &Error{Class: classify(stage, rep.code), Stage: stage, Code: rep.code, Text: text}
}

// refuse is a connection that we end for a reason of our own.
func (c *session) refuse(stage Stage, text string) error {
	c.broken = true
	return &Error{Class: classify(stage, 0), Stage: stage, Text: text}
}

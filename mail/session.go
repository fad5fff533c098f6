package mail

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
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

// hello says EHLO, and HELO to a server that doesn't know that (RFC 5321 3.2).
func (c *session) hello(ctx context.Context) error {
	name := c.cfg.HELO
	if name == "" {
		name = addressLiteral(c.conn.LocalAddr())
	}
	c.extensions = make(map[string]string)
	rep, err := c.exchange(ctx, StageHello, "EHLO "+name, 2)
	var refused *Error
	if errors.As(err, &refused) && (refused.Code == 500 || refused.Code == 502) {
		_, err = c.exchange(ctx, StageHello, "HELO "+name, 2)
		return err
	}
	if err != nil {
		return err
	}
	for _, line := range rep.lines[1:] {
		keyword, parameters, _ := strings.Cut(strings.ToUpper(line), " ")
		if mechanism, old := strings.CutPrefix(keyword, "AUTH="); old { // the form before RFC 2554
			keyword, parameters = "AUTH", mechanism+" "+parameters
		}
		c.extensions[keyword] = strings.TrimSpace(c.extensions[keyword] + " " + parameters)
	}
	return nil
}

// addressLiteral is how a host without a name calls itself (RFC 5321 4.1.3).
func addressLiteral(a net.Addr) string {
	at, err := netip.ParseAddrPort(a.String())
	switch {
	case err != nil:
		return "[127.0.0.1]"
	case at.Addr().Unmap().Is4():
		return "[" + at.Addr().Unmap().String() + "]"
	}
	return "[IPv6:" + at.Addr().WithZone("").String() + "]"
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
	mechanisms := strings.Fields(c.extensions["AUTH"])
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	user, password := c.cfg.User, string(c.cfg.Password)
	switch {
	case !c.encrypted:
		return c.refuse(StageAuth, "signing in needs encryption")
	case c.cfg.Token != nil:
		return c.authenticateByToken(ctx, mechanisms)
	case slices.Contains(mechanisms, "PLAIN"):
		_, err := c.exchange(ctx, StageAuth, "AUTH PLAIN "+encode("\x00"+user+"\x00"+password), 2)
		return err
	case slices.Contains(mechanisms, "LOGIN"):
		return c.steps(ctx, "AUTH LOGIN", encode(user), encode(password))
	}
	return c.refuse(StageAuth, "the server offers neither PLAIN nor LOGIN")
}

// authenticateByToken signs in by XOAUTH2, as large providers have it. A token
// that is refused is told of in a challenge, which an empty line answers.
func (c *session) authenticateByToken(ctx context.Context, mechanisms []string) error {
	if !slices.Contains(mechanisms, "XOAUTH2") {
		return c.refuse(StageAuth, "the server doesn't offer XOAUTH2")
	}
	token, err := c.cfg.Token(ctx)
	if err != nil {
		return c.refuse(StageAuth, "no token: "+sanitise(err.Error()))
	}
	response := "user=" + c.cfg.User + "\x01auth=Bearer " + string(token) + "\x01\x01"
	rep, err := c.exchange(ctx, StageAuth, "AUTH XOAUTH2 "+base64.StdEncoding.EncodeToString([]byte(response)), 2)
	if rep.code == 334 {
		c.broken = false
		_, err = c.say(ctx, StageAuth, "\r\n", 2)
	}
	return err
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
	if _, offered := c.extensions[smtpUTF8]; needsUTF8(e.to) && !offered {
		return &Error{Class: Permanent, Stage: StageMessage, Text: "the recipient's address needs SMTPUTF8, which the mail server doesn't offer"}
	}
	if c.dirty {
		if _, err := c.exchange(ctx, StageReset, "RSET", 2); err != nil {
			c.broken = true
			return err
		}
	}
	c.dirty = true
	if _, err := c.exchange(ctx, StageMail, "MAIL FROM:<"+e.from+">"+c.utf8(e), 2); err != nil {
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

// smtpUTF8 is the extension that addresses beyond ASCII take (RFC 6531).
const smtpUTF8 = "SMTPUTF8"

// utf8 is the parameter of MAIL for such an address. It covers the header fields;
// bodies are 7bit or base64 here, so that no BODY parameter goes with it (3.6).
func (c *session) utf8(e envelope) string {
	if needsUTF8(e.to) {
		return " " + smtpUTF8
	}
	return ""
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
	if line != "" {
		line += "\r\n"
	}
	return c.say(ctx, stage, line, want)
}

// say sends bytes, if there are any, and reads the reply.
func (c *session) say(ctx context.Context, stage Stage, bytes string, want int) (reply, error) {
	c.arm(ctx, stage)
	if bytes != "" {
		if _, err := c.conn.Write([]byte(bytes)); err != nil {
			return reply{}, c.ioError(ctx, stage, err)
		}
	}
	rep, err := readReply(c.r)
	if err == nil && c.cfg.Trace != nil {
		c.cfg.Trace(stage, strconv.Itoa(rep.code)+" "+sanitise(rep.text()))
	}
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

// arm sets the deadline of a stage, or the context's if that is earlier.
func (c *session) arm(ctx context.Context, stage Stage) {
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeouts.of(stage))
	defer cancel()
	deadline, _ := limited.Deadline()
	_ = c.conn.SetDeadline(deadline) // a connection that is closed fails at the next read
}

// ioError is a connection that failed.
func (c *session) ioError(ctx context.Context, stage Stage, err error) error {
	c.broken = true
	e := &Error{Class: classify(stage), Stage: stage, Text: describe(err), cause: err}
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
	return &Error{Class: classifyReply(stage, rep), Stage: stage, Code: rep.code, Text: text + c.hint(rep)}
}

// hint is which setting helps, if a server asks for something.
func (c *session) hint(rep reply) string {
	switch {
	case rep.code != 530:
		return ""
	case c.cfg.Encryption == Plain:
		return " (the smtp setting has starttls=never: leave that out)"
	case c.cfg.User == "":
		return " (the smtp setting names no user)"
	}
	return ""
}

// refuse is a connection that we end for a reason of our own.
func (c *session) refuse(stage Stage, text string) error {
	c.broken = true
	return &Error{Class: classify(stage), Stage: stage, Text: text}
}

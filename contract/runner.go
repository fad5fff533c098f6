package contract

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/reseed-project/reseed/inbox"
)

// Target is a server that cases are played against.
type Target interface {
	// URL is where it answers, without a path.
	URL() string
	// Prepare makes the server fresh, with the state and the settings of the
	// case. The error is a [CannotRun] if it can't be made so.
	Prepare(ctx context.Context, c *Case) error
	// Mails returns the mails that came since the last call, oldest first.
	Mails(ctx context.Context) ([]*inbox.Mail, error)
	// Advance sets the server's clock forward.
	Advance(ctx context.Context, by time.Duration) error
	// Do carries out a line of a "do" section. Lines that make an OAuth client return it.
	Do(ctx context.Context, words []string) (Client, error)
}

// CannotRun says why a case can't be played against a target. Such a case has
// neither passed nor failed.
type CannotRun struct{ Reason string }

// Error returns the reason.
func (e *CannotRun) Error() string { return e.Reason }

// Difference is an answer or a mail that is not what the case wants.
type Difference struct {
	Request string `json:"request"` // what was sent; secrets are named, not shown
	What    string `json:"what"`    // response, mail
	Want    string `json:"want"`
	Got     string `json:"got"`
}

// Player plays cases against one target.
type Player struct {
	Target    Target
	Transport http.RoundTripper
	Timeout   time.Duration // for one request; 0: none
	Loose     bool          // compare XML and JSON by content instead of byte for byte
	// Always are headers that every answer must have beside those of the case.
	Always []Header
	// Record puts what came back into the case instead of comparing it.
	Record bool
}

// Play runs the case and returns all differences. An error means that the case
// could not be played to its end, for instance since the server did not answer.
func (p *Player) Play(ctx context.Context, c *Case) ([]Difference, error) {
	if err := p.Target.Prepare(ctx, c); err != nil {
		return nil, err
	}
	g := &game{Player: p}
	for _, s := range c.Sections {
		if err := g.section(ctx, s); err != nil {
			return g.differences, err
		}
	}
	return g.differences, nil
}

// game is one case being played.
type game struct {
	*Player
	secrets     secrets
	mails       []*inbox.Mail
	seen        int // mails that a section has spoken of
	request     string
	response    *http.Response
	body        string
	differences []Difference
}

func (g *game) section(ctx context.Context, s *Section) error {
	switch s.Kind {
	case "request":
		return g.send(ctx, s)
	case "response":
		return g.compare(s)
	case "mail":
		return g.compareMail(s)
	case "no mail":
		if n := len(g.mails) - g.seen; n > 0 {
			g.differ("mail", "no mail", fmt.Sprintf("%d mails; the first goes to %s", n, g.mails[g.seen].To))
		}
	case "wait":
		by, err := time.ParseDuration(s.Arg)
		if err != nil {
			return fmt.Errorf("wait %s: %w", s.Arg, err)
		}
		return g.Target.Advance(ctx, by)
	case "do":
		return g.do(ctx, s)
	}
	return nil
}

func (g *game) differ(what, want, got string) {
	g.differences = append(g.differences, Difference{Request: g.request, What: what, Want: want, Got: got})
}

func (g *game) do(ctx context.Context, s *Section) error {
	for line := range strings.Lines(s.Text) {
		client, err := g.Target.Do(ctx, strings.Fields(line))
		if err != nil {
			return fmt.Errorf("do %s: %w", strings.TrimSpace(line), err)
		}
		if client.ID != "" {
			g.secrets.client = client
		}
	}
	return nil
}

// send sends a section's request and collects the mails it causes.
func (g *game) send(ctx context.Context, s *Section) error {
	g.request = s.Text
	if g.Timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, g.Timeout)
		defer cancel()
		ctx = limited
	}
	text, err := g.secrets.expand(s.Text)
	if err != nil {
		return err
	}
	req, err := newRequest(ctx, g.Target.URL(), &Section{Text: text})
	if err != nil {
		return err
	}
	g.response, err = g.Transport.RoundTrip(req) //nolint:bodyclose // closed below
	if err != nil {
		return fmt.Errorf("%s: no answer: %w", firstLine(s.Text), err)
	}
	defer g.response.Body.Close()
	body, err := readPlain(g.response)
	if err != nil {
		return fmt.Errorf("%s: the answer breaks off: %w", firstLine(s.Text), err)
	}
	g.body = g.secrets.mask(g.response.Header, body)
	mails, err := g.Target.Mails(ctx)
	if err != nil {
		return fmt.Errorf("read the captured mails: %w", err)
	}
	for _, m := range mails {
		g.mails = append(g.mails, m)
		if m.Token != "" {
			g.secrets.tokens = append(g.secrets.tokens, m.Token)
		}
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func newRequest(ctx context.Context, base string, s *Section) (*http.Request, error) {
	line, headers, body := s.Message()
	method, target, ok := strings.Cut(line, " ")
	if !ok {
		return nil, fmt.Errorf("request line %q: want METHOD PATH", line)
	}
	req, err := http.NewRequestWithContext(ctx, method, base, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if req.URL.Opaque = target; strings.HasPrefix(target, "//") { // as it is, unclean paths included
		_, rest, _ := strings.Cut(base, ":")
		req.URL.Opaque = rest + target // else the client would take it for a host
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		h.addTo(req)
	}
	return req, nil
}

func (h Header) addTo(req *http.Request) {
	switch {
	case h.Name == "Host":
		req.Host = h.Value
	case h.Value == "":
		req.Header.Del(h.Name)
	case h.Name == "Content-Type":
		req.Header.Set(h.Name, h.Value)
	default:
		req.Header.Add(h.Name, h.Value)
	}
}

// readPlain reads an answer's body, uncompressed.
func readPlain(resp *http.Response) (string, error) {
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(resp.Body)
		if err != nil {
			return "", err
		}
		body = unzipped
	}
	raw, err := io.ReadAll(body)
	return string(raw), err
}

func (g *game) compare(s *Section) error {
	if g.response == nil {
		return errors.New("a response without a request")
	}
	_, headers, _ := s.Message()
	got := formatResponse(g.response.StatusCode, headers, g.response.Header, g.body)
	if g.Record {
		s.Text = got
		return nil
	}
	if got != s.Text && (!g.Loose || !equalContent(s, &Section{Text: got})) {
		g.differ("response", s.Text, got)
	}
	for _, h := range g.Always {
		if value := g.response.Header.Get(h.Name); value != h.Value {
			g.differ("response", h.Name+": "+h.Value, h.Name+": "+value)
		}
	}
	return nil
}

// compareMail compares the next mail with a section.
func (g *game) compareMail(s *Section) error {
	if g.seen == len(g.mails) {
		g.differ("mail", s.Text, "no mail")
		return nil
	}
	m := g.mails[g.seen]
	g.seen++
	text, err := g.secrets.expand(s.Text)
	if err != nil {
		return err
	}
	_, headers, body := (&Section{Text: "mail\n" + text}).Message()
	for _, h := range headers {
		if got := m.Header(h.Name); got != decodeHeader(h.Value) {
			g.differ("mail", h.Name+": "+h.Value, h.Name+": "+got)
		}
	}
	for line := range strings.Lines(body) {
		g.compareMailLine(m, strings.TrimSuffix(line, "\n"))
	}
	return nil
}

func (g *game) compareMailLine(m *inbox.Mail, line string) {
	text, absent := strings.CutPrefix(line, "! ")
	escaped := html.EscapeString(text)
	inText, inHTML := strings.Contains(m.Text, text), strings.Contains(m.HTML, escaped) || strings.Contains(m.HTML, text)
	switch {
	case absent && (inText || inHTML):
		g.differ("mail", "no "+text, m.Text)
	case !absent && !inText:
		g.differ("mail", text, m.Text)
	case !absent && !inHTML:
		g.differ("mail", text, m.HTML)
	}
}

func decodeHeader(s string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		return s
	}
	return decoded
}

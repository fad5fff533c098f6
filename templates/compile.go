package templates

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"strings"
	texttemplate "text/template"
	"time"
)

// maxOutput bounds a rendered part, in bytes.
const maxOutput = 512 << 10

// compiled is a body ready to render: a template or, with neither, a stylesheet.
type compiled struct {
	pair       pair
	body       interface{ Execute(io.Writer, any) error }
	subject    *texttemplate.Template // nil if the body defines none
	usesLayout bool
}

func (s *Set) compile(p pair) (*compiled, error) {
	if p.body.xslt {
		return &compiled{pair: p}, nil
	}
	f := functions(p.body.key.language, s.zone)
	text, err := compileText(p, f)
	if err != nil {
		return nil, p.fault(err)
	}
	calls, err := inspect(text)
	if err != nil {
		return nil, p.fault(err)
	}
	c := &compiled{pair: p, body: text, usesLayout: calls[layoutFile]}
	// Taken from the text template in both parts: a subject is no HTML.
	c.subject = text.Lookup("subject")
	if p.body.key.ext != extHTML {
		return c, nil
	}
	if c.body, err = compileHTML(p, f); err != nil {
		return nil, p.fault(err)
	}
	return c, nil
}

func compileText(p pair, f map[string]any) (*texttemplate.Template, error) {
	t := texttemplate.New(p.body.path).Funcs(f)
	if p.layout != nil {
		if _, err := t.New(layoutFile).Parse(keepConditionals(p.layout.text)); err != nil {
			return nil, err
		}
	}
	return t.Parse(p.text())
}

func compileHTML(p pair, f map[string]any) (*htmltemplate.Template, error) {
	t := htmltemplate.New(p.body.path).Funcs(f)
	if p.layout != nil {
		if _, err := t.New(layoutFile).Parse(keepConditionals(p.layout.text)); err != nil {
			return nil, err
		}
	}
	return t.Parse(p.text())
}

func (p pair) text() string {
	if p.body.key.ext == extHTML {
		return keepConditionals(p.body.text)
	}
	return p.body.text
}

// functions returns what templates may call besides Go's own; the words come
// in the language of the file, times in the zone (UTC if nil).
func functions(language string, zone *time.Location) map[string]any {
	if zone == nil {
		zone = time.UTC
	}
	pick := func(tag []string) string {
		if len(tag) > 0 {
			return tag[0]
		}
		return language
	}
	return map[string]any{
		"duration":           func(d time.Duration, tag ...string) string { return durationWords(d, pick(tag)) },
		"datetime":           func(t time.Time, tag ...string) string { return datetimeWords(t, zone, pick(tag)) },
		"conditionalComment": printConditional,
	}
}

// fault names the file an error is about: errors in a layout carry the
// layout's short name.
func (p pair) fault(err error) error {
	if err == nil {
		return nil
	}
	file := p.body.path
	if p.layout != nil && strings.Contains(err.Error(), "template:"+layoutFile+":") ||
		strings.Contains(err.Error(), "template: "+layoutFile+":") {
		file = p.layout.path
	}
	return fmt.Errorf("%s: %w", file, explain(err))
}

// execute renders the body, without white space around it and with one LF at
// the end.
func (s *Set) execute(ctx context.Context, c *compiled, n Notification) (string, error) {
	if c.pair.body.xslt {
		return s.transform(ctx, c.pair.body, n)
	}
	return c.execute(n)
}

func (c *compiled) execute(n Notification) (string, error) {
	out := &limitedBuffer{}
	if err := c.body.Execute(out, n); err != nil {
		return "", c.pair.fault(err)
	}
	s := strings.TrimSpace(out.b.String())
	if s == "" {
		return "", c.pair.fault(errors.New("renders to nothing"))
	}
	return s + "\n", nil
}

func (c *compiled) executeSubject(n Notification) (string, error) {
	out := &limitedBuffer{}
	if err := c.subject.Execute(out, n); err != nil {
		return "", c.pair.fault(err)
	}
	s := line(out.b.String(), maxSubject)
	if s == "" {
		return "", c.pair.fault(errors.New("the subject renders to nothing"))
	}
	return s, nil
}

// try renders notifications of every kind.
func (s *Set) try(ctx context.Context, c *compiled) error {
	var missing error
	for _, n := range samples(c.pair.body.key.template, c.pair.siteWide()) {
		n, err := n.prepare()
		if err != nil {
			return fmt.Errorf("prepare a sample: %w", err)
		}
		err = s.tryOne(ctx, c, n)
		if errors.Is(err, errNoLink) {
			missing = err // other faults say more
		} else if err != nil {
			return err
		}
	}
	return missing
}

var errNoLink = errors.New("lacks the link: write {{.Link}}, or in a stylesheet @hosturl, member/@id and @token as the vendor's templates do")

func (s *Set) tryOne(ctx context.Context, c *compiled, n Notification) error {
	out, err := s.execute(ctx, c, n)
	if err != nil {
		return err
	}
	if c.pair.body.xslt && c.pair.body.key.ext == extHTML {
		h, err := readHead(out)
		if err == nil && h.title == "" {
			err = errors.New("lacks a title, which is the subject of the mail")
		}
		if err != nil {
			return c.pair.fault(err)
		}
	}
	if c.subject != nil {
		if _, err := c.executeSubject(n); err != nil {
			return err
		}
	}
	if n.Token != "" && !strings.Contains(out, n.Token) {
		return c.pair.fault(errNoLink)
	}
	return nil
}

// limitedBuffer refuses to grow beyond maxOutput.
type limitedBuffer struct{ b bytes.Buffer }

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("more than %d KiB", maxOutput>>10)
	}
	return l.b.Write(p)
}

package templates

import (
	"bytes"
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

// compiled is a body ready to render.
type compiled struct {
	pair       pair
	body       interface{ Execute(io.Writer, any) error }
	subject    *texttemplate.Template // nil where the body defines none
	usesLayout bool
}

func compile(p pair) (*compiled, error) {
	text, err := compileText(p)
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
	if c.body, err = compileHTML(p); err != nil {
		return nil, p.fault(err)
	}
	return c, nil
}

func compileText(p pair) (*texttemplate.Template, error) {
	t := texttemplate.New(p.body.path).Funcs(functions(p.body.key.language))
	if p.layout != nil {
		if _, err := t.New(layoutFile).Parse(p.layout.text); err != nil {
			return nil, err
		}
	}
	return t.Parse(p.body.text)
}

func compileHTML(p pair) (*htmltemplate.Template, error) {
	t := htmltemplate.New(p.body.path).Funcs(functions(p.body.key.language))
	if p.layout != nil {
		if _, err := t.New(layoutFile).Parse(p.layout.text); err != nil {
			return nil, err
		}
	}
	return t.Parse(p.body.text)
}

// functions returns what templates may call besides Go's own; the words come
// in the language of the file.
func functions(language string) map[string]any {
	pick := func(tag []string) string {
		if len(tag) > 0 {
			return tag[0]
		}
		return language
	}
	return map[string]any{
		"duration": func(d time.Duration, tag ...string) string { return durationWords(d, pick(tag)) },
		"datetime": func(t time.Time, tag ...string) string { return datetimeWords(t, pick(tag)) },
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
	return fmt.Errorf("%s: %w", file, err)
}

// execute renders the body, without white space around it and with one LF at
// the end.
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
func (c *compiled) try() error {
	for _, n := range samples(c.pair.body.key.template, c.pair.siteWide()) {
		n, err := n.prepare()
		if err != nil {
			return fmt.Errorf("prepare a sample: %w", err)
		}
		if _, err := c.execute(n); err != nil {
			return err
		}
		if c.subject == nil {
			continue
		}
		if _, err := c.executeSubject(n); err != nil {
			return err
		}
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

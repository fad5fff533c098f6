package xmlresp

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// element is an answer before its encoding. Values keep their type, since
// numbers and booleans are numbers and booleans in JSON (contract 1.2).
type element struct {
	name     string
	attrs    []attr
	text     string // of a leaf
	children []element
}

// attr is one attribute; value is a string, a bool or an int64.
type attr struct {
	name  string
	value any
}

func leaf(name, text string) element { return element{name: name, text: text} }

// xml writes e at the given depth in the contract's layout: two spaces a
// level, one space before "/>", no newline at the end.
func (e element) xml(b *strings.Builder, depth int) {
	b.WriteString("<" + e.name)
	for _, a := range e.attrs {
		b.WriteString(" " + a.name + `="`)
		escape(b, a.xml())
		b.WriteByte('"')
	}
	switch {
	case len(e.children) > 0:
		b.WriteByte('>')
		for _, c := range e.children {
			newline(b, depth+1)
			c.xml(b, depth+1)
		}
		newline(b, depth)
	case e.text != "":
		b.WriteByte('>')
		escape(b, e.text)
	default:
		b.WriteString(" />")
		return
	}
	b.WriteString("</" + e.name + ">")
}

func newline(b *strings.Builder, depth int) {
	b.WriteByte('\n')
	b.WriteString(strings.Repeat("  ", depth))
}

func (a attr) xml() string {
	switch v := a.value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	default:
		return v.(string)
	}
}

// json writes e's content without its name: attributes, then children, in order.
func (e element) json(b *strings.Builder) {
	b.WriteByte('{')
	n := 0
	key := func(name string) {
		if n++; n > 1 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + name + `":`)
	}
	for _, a := range e.attrs {
		key(a.name)
		writeJSON(b, a.value)
	}
	for _, c := range e.children {
		key(c.name)
		if len(c.attrs) == 0 && len(c.children) == 0 {
			writeJSON(b, c.text)
			continue
		}
		c.json(b)
	}
	b.WriteByte('}')
}

func writeJSON(b *strings.Builder, v any) {
	if s, ok := v.(string); ok {
		v = strings.ToValidUTF8(s, "\uFFFD")
	}
	enc := json.NewEncoder(trimNewline{b})
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // strings, booleans and integers always encode
}

// trimNewline drops the newline that json.Encoder ends a value with.
type trimNewline struct{ *strings.Builder }

func (t trimNewline) Write(p []byte) (int, error) {
	_, err := t.WriteString(strings.TrimSuffix(string(p), "\n"))
	return len(p), err
}

// escape writes s as XML text or attribute value. What XML 1.0 can't hold
// becomes U+FFFD; white space that a parser would fold becomes a reference.
func escape(b *strings.Builder, s string) {
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r == '\t' || r == '\n' || r == '\r':
			b.WriteString("&#x" + strings.ToUpper(strconv.FormatInt(int64(r), 16)) + ";")
		case legal(r):
			b.WriteRune(r)
		default:
			b.WriteRune(utf8.RuneError)
		}
	}
}

// legal reports whether XML 1.0 has the character (production Char).
func legal(r rune) bool {
	return r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
}

package xmlresp

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// json writes e's content without its name: attributes, then children, in order.
func (e element) json(b *strings.Builder) {
	b.WriteByte('{')
	key := keys(b)
	for _, a := range e.attrs {
		key(cmp.Or(a.json, a.name))
		writeJSON(b, a.value)
	}
	for i := 0; i < len(e.children); i++ {
		c := e.children[i]
		if c.list == "" {
			key(c.name)
			c.jsonValue(b)
			continue
		}
		end := i + 1
		for end < len(e.children) && e.children[end].list == c.list {
			end++
		}
		key(c.list)
		writeArray(b, e.children[i:end])
		i = end - 1
	}
	for _, name := range e.lists {
		if !slices.ContainsFunc(e.children, func(c element) bool { return c.list == name }) {
			key(name)
			writeArray(b, nil)
		}
	}
	b.WriteByte('}')
}

// keys returns a function that begins the next member of an object.
func keys(b *strings.Builder) func(name string) {
	separator := ""
	return func(name string) {
		b.WriteString(separator + `"` + name + `":`)
		separator = ","
	}
}

func writeArray(b *strings.Builder, elements []element) {
	b.WriteByte('[')
	for i, e := range elements {
		if i > 0 {
			b.WriteByte(',')
		}
		e.jsonValue(b)
	}
	b.WriteByte(']')
}

// jsonValue writes e as a text if it is a leaf, else as an object.
func (e element) jsonValue(b *strings.Builder) {
	if len(e.attrs) == 0 && len(e.children) == 0 {
		writeJSON(b, e.text)
		return
	}
	e.json(b)
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

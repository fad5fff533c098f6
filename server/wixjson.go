package server

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"reseed/members"
)

// pair is a name of a JSON object with its value as it came.
type pair struct {
	name  string
	value json.RawMessage
}

// fields reads a request's object and gathers what is wrong with it. A name may
// be spelled in camelCase or snake_case; other names are ignored. encoding/json
// itself would take other cases, and the last of repeated names.
type fields struct {
	pairs      []pair
	path       string // in front of the names in violations
	violations *[]violation
}

// readFields takes a body apart. What is not one JSON object in UTF-8 is "Expected an object".
func readFields(body []byte) (fields, error) {
	f := fields{violations: new([]violation)}
	if !utf8.Valid(body) || !json.Valid(body) {
		return f, errNotObject()
	}
	var ok bool
	if f.pairs, ok = readPairs(body); !ok {
		return f, errNotObject()
	}
	return f, nil
}

// readPairs splits valid JSON, if it is an object.
func readPairs(raw []byte) ([]pair, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var pairs []pair
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		p := pair{name: name.(string)}
		if err := d.Decode(&p.value); err != nil {
			return nil, false
		}
		pairs = append(pairs, p)
	}
	return pairs, true
}

// fault returns the violations as one error, nil where there are none.
func (f fields) fault() error {
	if len(*f.violations) == 0 {
		return nil
	}
	return invalid(*f.violations...)
}

func (f fields) violate(name, description, rule string, data map[string]any) {
	*f.violations = append(*f.violations, violation{f.path + name, description, rule, data})
}

// format notes a value of the wrong kind.
func (f fields) format(name, description, kind string) {
	f.violate(name, description, "FORMAT", map[string]any{"type": kind})
}

// take returns a field's value, nil where it is absent or null. A field that is
// given more than once, be it in two spellings, is not good: nobody can say
// which one was meant (CVE-2023-7028).
func (f fields) take(name string) (value json.RawMessage, good bool) {
	n := 0
	for _, p := range f.pairs {
		if p.name == name || p.name == snake(name) {
			value = p.value
			n++
		}
	}
	if string(value) == "null" {
		value = nil
	}
	return value, n < 2
}

// str returns a field that must be a string, "" where it is absent or of
// another kind. Go puts U+FFFD for half a surrogate pair: it is no text.
func (f fields) str(name string) (s string, good bool) {
	raw, good := f.take(name)
	if raw == nil || !good {
		return "", good
	}
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil || strings.ContainsRune(s, utf8.RuneError) {
		return "", false
	}
	return s, true
}

// flag returns a boolean, false where it is absent.
func (f fields) flag(name string) bool {
	raw, good := f.take(name)
	if text := string(raw); !good || raw != nil && text != "true" && text != "false" {
		f.format(name, "must be a boolean", "BOOLEAN")
	}
	return string(raw) == "true"
}

// required returns a string that must be there.
func (f fields) required(name string) string {
	s, good := f.str(name)
	switch {
	case !good:
		f.format(name, "must be a string", "STRING")
	case s == "":
		f.missing(name)
	}
	return s
}

func (f fields) missing(name string) {
	f.violate(name, "must not be empty", "REQUIRED_FIELD", map[string]any{})
}

func (f fields) email(name string) string {
	s, good := f.str(name)
	switch {
	case good && s == "":
		f.missing(name)
	case !good || !members.ValidEmail(s):
		f.format(name, "must be a valid email address", "EMAIL")
	}
	return s
}

func (f fields) language(name string) string {
	s, good := f.str(name)
	if !good || s != "" && !members.ValidLanguage(s) {
		f.format(name, "must be a language", "LANGUAGE")
	}
	return s
}

// text returns an optional string up to a number of bytes.
func (f fields) text(name string, most int) string {
	s, good := f.str(name)
	switch {
	case !good:
		f.format(name, "must be a string", "STRING")
	case len(s) > most:
		f.violate(name, "is too long", "MAX_LENGTH", map[string]any{"threshold": most})
	}
	return s
}

// password returns a string of the lengths of contract 2.2; what it holds is nobody's business.
func (f fields) password(name string) string {
	s := f.required(name)
	switch n := utf8.RuneCountInString(s); {
	case n > members.MaxRecoveryPassword:
		f.violate(name, "is too long", "MAX_LENGTH", map[string]any{"threshold": members.MaxRecoveryPassword})
	case s != "" && n < members.MinRecoveryPassword:
		f.violate(name, "is too short", "MIN_LENGTH", map[string]any{"threshold": members.MinRecoveryPassword})
	}
	return s
}

// object returns the fields of an object within, none where it is absent.
func (f fields) object(name string) fields {
	inner := fields{path: f.path + name + ".", violations: f.violations}
	raw, good := f.take(name)
	if good && raw != nil {
		inner.pairs, good = readPairs(raw)
	}
	if !good {
		f.format(name, "must be an object", "OBJECT")
	}
	return inner
}

// snake returns a camelCase name in snake_case.
func snake(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if 'A' <= c && c <= 'Z' {
			b.WriteByte('_')
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

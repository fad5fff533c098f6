package wix

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
)

// fields reads a request's object and gathers what is wrong with it. A name may
// be spelled in camelCase or snake_case; other names are ignored.
type fields struct {
	pairs      []request.Pair
	path       string // in front of the names in violations
	violations *[]violation
	validEmail func(string) bool
}

// maxFields is far more than any service has, and bounds what is kept of a body.
const maxFields = 1000

// readFields takes a body apart. What is not one JSON object in UTF-8 is "Expected an object".
func readFields(body []byte, validEmail func(string) bool) (fields, error) {
	f := fields{violations: new([]violation), validEmail: validEmail}
	var ok bool
	if f.pairs, ok = request.ReadObject(body, maxFields); !ok {
		return f, errNotObject()
	}
	return f, nil
}

// fault returns the violations as one error, nil if there are none.
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

// take returns a field's value, nil if it is absent or null. A field that is
// given more than once, be it in two spellings, is not good: nobody can say
// which one was meant (CVE-2023-7028).
func (f fields) take(name string) (value json.RawMessage, good bool) {
	n := 0
	for _, p := range f.pairs {
		if p.Name == name || p.Name == snake(name) {
			value = p.Value
			n++
		}
	}
	if string(value) == "null" {
		value = nil
	}
	return value, n < 2
}

// str returns a field that must be a string, "" if it is absent or of
// another kind.
func (f fields) str(name string) (s string, good bool) {
	raw, good := f.take(name)
	if raw == nil || !good {
		return "", good
	}
	return text(raw)
}

// flag returns a boolean, false if it is absent.
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

func (f fields) email(name string) string { //nolint:unparam // the vendor names it so everywhere, and another name may come
	s, good := f.str(name)
	s = members.ASCIIAddress(s)
	switch {
	case good && s == "":
		f.missing(name)
	case !good || !f.validEmail(s):
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

// text returns a JSON string, and false for anything else. Go puts U+FFFD for
// half a surrogate pair: it is no text.
func text(raw json.RawMessage) (s string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil || strings.ContainsRune(s, utf8.RuneError) {
		return "", false
	}
	return s, true
}

// array returns an array, nil if it is absent.
func (f fields) array(name string) []json.RawMessage {
	raw, good := f.take(name)
	if !good {
		f.format(name, "must be an array", "ARRAY")
		return nil
	}
	var list []json.RawMessage
	if raw != nil && json.Unmarshal(raw, &list) != nil {
		f.format(name, "must be an array", "ARRAY")
	}
	return list
}

// integer returns a whole number from low to high, or def if it is absent.
func (f fields) integer(name string, def, low, high int) int {
	raw, good := f.take(name)
	if raw == nil && good {
		return def
	}
	n, err := strconv.Atoi(string(raw))
	if !good || err != nil {
		f.format(name, "must be a whole number", "INT32")
		return def
	}
	if n < low || n > high {
		f.violate(name, "is out of range", "OTHER", map[string]any{"min": low, "max": high})
	}
	return n
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

// existingPassword returns a string that must be there, of any length that a password may have.
func (f fields) existingPassword(name string) string {
	s := f.required(name)
	if utf8.RuneCountInString(s) > members.MaxRecoveryPassword {
		f.violate(name, "is too long", "MAX_LENGTH", map[string]any{"threshold": members.MaxRecoveryPassword})
	}
	return s
}

// name returns an optional first or last name.
func (f fields) name(name string) string {
	s, good := f.str(name)
	switch {
	case !good:
		f.format(name, "must be a string", "STRING")
	case !members.ValidName(s):
		f.violate(name, "is too long, or holds control characters", "MAX_LENGTH", map[string]any{"threshold": members.MaxName})
	}
	return s
}

// object returns the fields of an object within, none if it is absent.
func (f fields) object(name string) fields {
	inner := fields{path: f.path + name + ".", violations: f.violations, validEmail: f.validEmail}
	raw, good := f.take(name)
	if good && raw != nil {
		inner.pairs, good = request.ReadObject(raw, maxFields)
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

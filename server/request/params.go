package request

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// Params are a request's parameters: of query and form alike, the first value
// of each (contract 1.1).
type Params map[string]string

// Get returns a parameter's value; an empty one is the same as none.
func (p Params) Get(name string) string { return p[name] }

// Is reports whether a boolean parameter is true: the exact word, nothing else
// (contract 1.3, notify-async).
func (p Params) Is(name string) bool { return p[name] == "true" }

// ReadParams reads query, then form or JSON, with at most limit parameters.
// Errors: F005 over the body's limit, F006 for what can't be read or is no text.
func ReadParams(r *http.Request, limit int) (Params, error) {
	p := Params{}
	n, err := p.addForm(r.URL.RawQuery, limit, url.QueryUnescape)
	if err != nil {
		return nil, err
	}
	body, err := Body(r.Context())
	if err != nil || len(body) == 0 {
		return p, err
	}
	return p, p.addBody(body, r.Header, limit-n)
}

// addForm reads an encoded string and returns how many parameters it has.
func (p Params) addForm(raw string, limit int, unescape func(string) (string, error)) (int, error) {
	if raw == "" {
		return 0, nil
	}
	n := 1 + strings.Count(raw, "&")
	if n > limit {
		return n, Malformed(errTooMany)
	}
	if err := p.add(raw, unescape); err != nil {
		return n, Malformed(err)
	}
	return n, nil
}

var errTooMany = errors.New("too many parameters")

// Malformed returns F006 with its cause, for the log.
func Malformed(cause error) error { return errcodes.Wrap(errcodes.MalformedRequest, cause) }

// Add reads a query or form in UTF-8; values that are there already stay.
func (p Params) Add(raw string) error { return p.add(raw, url.QueryUnescape) }

func (p Params) add(raw string, unescape func(string) (string, error)) error {
	for pair := range strings.SplitSeq(raw, "&") {
		pair = strings.TrimPrefix(pair, "amp;") // of a link that was copied from HTML as it stands
		if pair == "" {
			continue
		}
		if strings.Contains(pair, ";") {
			return errors.New("semicolon in parameters")
		}
		name, value, err := decodePair(pair, unescape)
		if err != nil {
			return err
		}
		if err := p.set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// set adds a parameter unless it is there already. Passwords alone may hold
// control characters: they are hashed, never shown.
func (p Params) set(name, value string) error {
	switch name {
	case "token", "key", "forgotPasswordToken":
		value = password.CleanToken(value)
	case "email", "member-username", "username", "identifier", "address", "to", "member", "name":
		value = members.CleanIdentifier(value)
	}
	secret := isSecret(name)
	if HasControls(name) || !secret && HasControls(value) {
		return errors.New("control character in parameters")
	}
	if _, repeated := p[name]; !repeated {
		p[name] = value
	}
	return nil
}

// decodePair decodes once, and refuses what is no text. Errors don't quote values.
func decodePair(pair string, unescape func(string) (string, error)) (name, value string, err error) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, errName := unescape(rawName)
	value, errValue := unescape(rawValue)
	if errName != nil || errValue != nil {
		return "", "", errors.New("broken escape in parameters")
	}
	if !utf8.ValidString(name) || !utf8.ValidString(value) {
		return "", "", errors.New("parameters are not UTF-8")
	}
	return name, value, nil
}

// HasControls reports whether s holds C0 or C1 controls, line separators, or
// marks that change the direction of text.
func HasControls(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x20 || r >= 0x7F && r <= 0x9F || r == 0x61C || r == 0x200E || r == 0x200F ||
			r >= 0x2028 && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0xFEFF
	})
}

func isSecret(name string) bool {
	return strings.HasPrefix(name, "member-password") || name == "password" || name == "current-password"
}

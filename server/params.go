package server

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"reseed/errcodes"
)

// params are a request's parameters: of query and form alike, the first value
// of each (contract 1.1).
type params map[string]string

// get returns a parameter's value; an empty one is the same as none.
func (p params) get(name string) string { return p[name] }

// is reports whether a boolean parameter is true: the exact word, nothing else
// (contract 1.3, notify-async).
func (p params) is(name string) bool { return p[name] == "true" }

// readParams reads query, then form or JSON. Errors: F005 over the body's
// limit, F006 for what can't be read or is no text.
func (s *server) readParams(r *http.Request) (params, error) {
	body, isJSON, err := readForm(r)
	if err != nil {
		return nil, err
	}
	form := string(body)
	if isJSON {
		form = ""
	}
	p := params{}
	n := 0
	for _, raw := range []string{r.URL.RawQuery, form} {
		if raw == "" {
			continue
		}
		if n += 1 + strings.Count(raw, "&"); n > s.Limits.Parameters {
			return nil, malformed(errors.New("too many parameters"))
		}
		if err := p.add(raw); err != nil {
			return nil, malformed(err)
		}
	}
	if isJSON {
		if err := p.addJSON(body, s.Limits.Parameters-n); err != nil {
			return nil, malformed(err)
		}
	}
	return p, nil
}

func malformed(cause error) error { return errcodes.Wrap(errcodes.MalformedRequest, cause) }

// add reads one encoded string; values that are there already stay.
func (p params) add(raw string) error {
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		if strings.Contains(pair, ";") {
			return errors.New("semicolon in parameters")
		}
		name, value, err := decodePair(pair)
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
func (p params) set(name, value string) error {
	secret := strings.HasPrefix(name, "member-password") || name == "password"
	if hasControls(name) || !secret && hasControls(value) {
		return errors.New("control character in parameters")
	}
	if _, repeated := p[name]; !repeated {
		p[name] = value
	}
	return nil
}

// decodePair decodes once, and refuses what is no text. Errors don't quote values.
func decodePair(pair string) (name, value string, err error) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, errName := url.QueryUnescape(rawName)
	value, errValue := url.QueryUnescape(rawValue)
	if errName != nil || errValue != nil {
		return "", "", errors.New("broken escape in parameters")
	}
	if !utf8.ValidString(name) || !utf8.ValidString(value) {
		return "", "", errors.New("parameters are not UTF-8")
	}
	return name, value, nil
}

// hasControls reports whether s holds C0 or C1 controls, line separators, or
// marks that change the direction of text.
func hasControls(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x20 || r >= 0x7F && r <= 0x9F || r == 0x61C || r == 0x200E || r == 0x200F ||
			r >= 0x2028 && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0xFEFF
	})
}

// readForm returns the body of a form or of JSON, nothing where there is none.
func readForm(r *http.Request) (body []byte, isJSON bool, err error) {
	body, err = bodyOf(r.Context())
	if err != nil || len(body) == 0 {
		return nil, false, err
	}
	kind, attributes, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" && kind != "application/json" {
		return nil, false, malformed(errors.New("the body is neither a form nor JSON"))
	}
	if charset := strings.ToLower(attributes["charset"]); charset != "" && charset != "utf-8" && charset != "us-ascii" {
		return nil, false, malformed(errors.New("the body is not in UTF-8"))
	}
	if r.Header.Get("Content-Encoding") != "" {
		return nil, false, malformed(errors.New("the body is encoded"))
	}
	return body, kind == "application/json", nil
}

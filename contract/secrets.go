package contract

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"text/template"
)

// Client is an OAuth client that a "do" line made.
type Client struct{ ID, Secret string }

// secrets are what a case's answers and mails handed out, in order.
type secrets struct {
	sessions, access, tokens []string
	ids                      []string // OpenID Connect id tokens
	refresh, proofs, codes   []string // of Wix sites: refresh tokens, session tokens, authorization codes
	client                   Client
}

var (
	cookieValue = regexp.MustCompile(`JSESSIONID=([A-Za-z0-9_-]{43});`)
	accessValue = regexp.MustCompile(`"access_token":"((?:reseed_at_)?[A-Za-z0-9_-]{43})"`)

	idValue = regexp.MustCompile(`"id_token":"([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)"`)

	refreshValue = regexp.MustCompile(`"refresh_token":"([A-Za-z0-9_-]{43})"`)
	proofValue   = regexp.MustCompile(`"sessionToken":"([A-Za-z0-9_-]{43})"`)
	codeValue    = regexp.MustCompile(`[?&\"]code(?:=|":")([A-Za-z0-9_-]{43})`)
)

// mask keeps the secrets of an answer and puts names in their place.
func (s *secrets) mask(h http.Header, body string) string {
	for i, v := range h.Values("Set-Cookie") {
		if m := cookieValue.FindStringSubmatch(v); m != nil {
			s.sessions = append(s.sessions, m[1])
			h["Set-Cookie"][i] = strings.Replace(v, m[1], "{{session}}", 1)
		}
	}
	for _, secret := range []struct {
		shape *regexp.Regexp
		kept  *[]string
		name  string
	}{
		{accessValue, &s.access, "{{access}}"}, {idValue, &s.ids, "{{idtoken}}"}, {refreshValue, &s.refresh, "{{refresh}}"},
		{proofValue, &s.proofs, "{{sessiontoken}}"}, {codeValue, &s.codes, "{{code}}"},
	} {
		if m := secret.shape.FindStringSubmatch(body); m != nil {
			*secret.kept = append(*secret.kept, m[1])
			body = strings.ReplaceAll(body, m[1], secret.name)
		}
	}
	for i, v := range h.Values("Location") {
		if m := codeValue.FindStringSubmatch(v); m != nil {
			h["Location"][i] = strings.Replace(v, m[1], "{{code}}", 1)
		}
	}
	return body
}

// expand fills in what a text takes from earlier answers and mails.
func (s *secrets) expand(text string) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := template.New("").Funcs(template.FuncMap{
		"repeat": strings.Repeat,
		"basic": func(name, password string) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
		},
		"encoded": func(text string) string { // every byte escaped, as a form may have it
			var b strings.Builder
			for _, c := range []byte(text) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
			return b.String()
		},
		"token":        pick("token", &s.tokens),
		"idtoken":      pick("id token", &s.ids),
		"session":      pick("session", &s.sessions),
		"access":       pick("access token", &s.access),
		"refresh":      pick("refresh token", &s.refresh),
		"sessiontoken": pick("session token", &s.proofs),
		"code":         pick("authorization code", &s.codes),
		"clientid":     func() string { return s.client.ID },
		"clientsecret": func() string { return s.client.Secret },
	}).Parse(text)
	if err != nil {
		return "", fmt.Errorf("read a section: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, nil); err != nil {
		return "", fmt.Errorf("fill in a section: %w", errors.Unwrap(err))
	}
	return b.String(), nil
}

// pick returns a function for templates: the n-th secret, or without n the latest.
func pick(what string, from *[]string) func(n ...int) (string, error) {
	return func(n ...int) (string, error) {
		i := len(*from)
		if len(n) > 0 {
			i = n[0]
		}
		if i < 1 || i > len(*from) {
			return "", fmt.Errorf("no %s %d of %d", what, i, len(*from))
		}
		return (*from)[i-1], nil
	}
}

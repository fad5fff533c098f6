package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"reseed/members"
)

// secrets are what a case's answers handed out, in order.
type secrets struct {
	sessions, access []string
	client           members.Client
	clientSecret     string
}

var (
	cookieValue = regexp.MustCompile(`JSESSIONID=([A-Za-z0-9_-]{43});`)
	accessValue = regexp.MustCompile(`"access_token":"([A-Za-z0-9_-]{43})"`)
)

// mask keeps the secrets of an answer and puts names in their place.
func (s *secrets) mask(h http.Header, body string) string {
	for i, v := range h.Values("Set-Cookie") {
		if m := cookieValue.FindStringSubmatch(v); m != nil {
			s.sessions = append(s.sessions, m[1])
			h["Set-Cookie"][i] = strings.Replace(v, m[1], "{{session}}", 1)
		}
	}
	if m := accessValue.FindStringSubmatch(body); m != nil {
		s.access = append(s.access, m[1])
		body = strings.Replace(body, m[1], "{{access}}", 1)
	}
	return body
}

// funcs adds what requests take from earlier answers.
func (s *secrets) funcs(t *testing.T, funcs template.FuncMap) {
	pick := func(from *[]string) func(n ...int) string {
		return func(n ...int) string {
			i := len(*from)
			if len(n) > 0 {
				i = n[0]
			}
			if i < 1 || i > len(*from) {
				t.Fatalf("no secret %d of %d", i, len(*from))
			}
			return (*from)[i-1]
		}
	}
	funcs["session"], funcs["access"] = pick(&s.sessions), pick(&s.access)
	funcs["clientid"] = func() string { return s.client.ID }
	funcs["clientsecret"] = func() string { return s.clientSecret }
}

// plainBody reads an answer's body, uncompressed.
func plainBody(t *testing.T, resp *http.Response) string {
	t.Helper()
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = unzipped
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// do runs a line of a "do" section.
func (r *runner) do(t *testing.T, words []string) {
	t.Helper()
	switch words[0] {
	case "client":
		as := ""
		if len(words) > 2 {
			as = words[2]
		}
		r.secrets.client, r.secrets.clientSecret = r.site.addClient(t, words[1], as)
	case "unclient":
		if ok, err := r.site.store.RemoveClient(t.Context(), r.secrets.client.ID); !ok || err != nil {
			t.Fatalf("client removed: %v, error %v", ok, err)
		}
	case "disable":
		r.site.disable(t, words[1])
	default:
		r.site.do(t, words)
	}
}

// addClient adds an OAuth client that acts as a member, or as nobody where as is "".
func (s *testSite) addClient(t testing.TB, name, as string) (members.Client, string) {
	t.Helper()
	var m members.Member
	if as != "" {
		m.ID = s.ids[as]
	}
	c, secret, err := members.NewClient(name, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.AddClient(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c, secret
}

// disable sets a member's status, which no service and no command does.
func (s *testSite) disable(t testing.TB, name string) {
	t.Helper()
	if _, err := s.open(t).ExecContext(t.Context(), "UPDATE members SET status = 'disabled' WHERE id = ?", s.ids[name]); err != nil {
		t.Fatal(err)
	}
}

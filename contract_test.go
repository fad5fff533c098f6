package main

import (
	"bytes"
	"encoding/base64"
	"flag"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
)

var (
	update    = flag.Bool("update", false, "rewrite the expected answers under testdata/contract")
	remoteURL = flag.String("url", "", "send the contract cases that need no set-up of their own to this server, which holds the basic state")
)

func TestContract(t *testing.T) {
	for _, file := range contractFiles(t) {
		name, _ := filepath.Rel("testdata/contract", strings.TrimSuffix(file, ".txt"))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := readCase(t, file)
			if *remoteURL != "" {
				runRemote(t, c)
				return
			}
			t.Run("sqlite", func(t *testing.T) { runCase(t, c, "") })
			if *update {
				writeCase(t, c)
			}
			t.Run("mariadb", func(t *testing.T) { runCase(t, c, testDSN(t)) })
		})
	}
}

func contractFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir("testdata/contract", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "templates" {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".txt") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 80 {
		t.Fatalf("%d contract cases, error %v", len(files), err)
	}
	return files
}

// runner plays one case against one server.
type runner struct {
	url      string
	site     *testSite // nil: the server runs elsewhere
	mails    []*testMail
	seen     int // mails that a section has spoken of
	asked    string
	response *http.Response
	body     string
	secrets  secrets
}

func runCase(t *testing.T, c *contractCase, dsn string) {
	site := startSite(t, siteConfig{dsn: dsn, state: c.state(), settings: c.config()})
	srv := httptest.NewServer(site.handler)
	t.Cleanup(srv.Close)
	(&runner{url: srv.URL, site: site}).play(t, c)
}

// runRemote plays the cases that need neither mails nor settings of their own.
func runRemote(t *testing.T, c *contractCase) {
	for _, s := range c.sections {
		if s.kind != "request" && s.kind != "response" || strings.Contains(s.text, "{{token") {
			t.Skip("needs a server of its own")
		}
	}
	(&runner{url: *remoteURL}).play(t, c)
}

func (r *runner) play(t *testing.T, c *contractCase) {
	for _, s := range c.sections {
		switch s.kind {
		case "state", "config":
		case "request":
			r.request(t, s)
		case "response":
			r.compare(t, s)
		case "mail":
			r.expectMail(t, s)
		case "no mail":
			if n := len(r.mails) - r.seen; n > 0 {
				t.Errorf("%d mails that nobody expected; the first goes to %s", n, r.mails[r.seen].header.Get("To"))
			}
		case "wait":
			r.site.clock.advance(t, s.arg)
		case "do":
			for line := range strings.Lines(s.text) {
				r.do(t, strings.Fields(line))
			}
		default:
			t.Fatalf("%s: no such section: %s", c.file, s.kind)
		}
	}
}

// request sends a section's request and collects the mails it causes.
func (r *runner) request(t *testing.T, s *section) {
	t.Helper()
	r.asked = s.text
	line, headers, body := (&section{text: r.expand(t, s.text)}).message()
	method, target, ok := strings.Cut(line, " ")
	if !ok {
		t.Fatalf("request line %q", line)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if req.URL.Opaque = target; strings.HasPrefix(target, "//") { // as it is, unclean paths included
		req.URL.Opaque = strings.TrimPrefix(r.url, "http:") + target // else the client would take it for a host
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		setHeader(req, h)
	}
	if r.response, err = http.DefaultTransport.RoundTrip(req); err != nil { //nolint:bodyclose // closed below
		t.Fatal(err)
	}
	defer r.response.Body.Close()
	r.body = r.secrets.mask(r.response.Header, plainBody(t, r.response))
	if r.site != nil {
		r.mails = append(r.mails, r.site.deliver(t)...)
	}
}

func setHeader(req *http.Request, h header) {
	switch {
	case h.name == "Host":
		req.Host = h.value
	case h.value == "":
		req.Header.Del(h.name)
	case h.name == "Content-Type":
		req.Header.Set(h.name, h.value)
	default:
		req.Header.Add(h.name, h.value)
	}
}

// expand fills in what a request takes from earlier mails.
func (r *runner) expand(t *testing.T, text string) string {
	t.Helper()
	funcs := template.FuncMap{
		"repeat": strings.Repeat,
		"basic": func(name, password string) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
		},
		"token": func(n ...int) string { return r.token(t, n) },
	}
	r.secrets.funcs(t, funcs)
	var b bytes.Buffer
	if err := template.Must(template.New("").Funcs(funcs).Parse(text)).Execute(&b, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// token returns the token of the case's n-th mail that has one, the last one's without n.
func (r *runner) token(t *testing.T, n []int) string {
	t.Helper()
	var tokens []string
	for _, m := range r.mails {
		if m.token != "" {
			tokens = append(tokens, m.token)
		}
	}
	i := len(tokens)
	if len(n) > 0 {
		i = n[0]
	}
	if i < 1 || i > len(tokens) {
		t.Fatalf("no token %d among %d mails", i, len(r.mails))
	}
	return tokens[i-1]
}

func (r *runner) compare(t *testing.T, s *section) {
	t.Helper()
	_, headers, _ := s.message()
	got := formatResponse(r.response.StatusCode, headers, r.response.Header, r.body)
	if *update && r.site != nil {
		s.text = got
		return
	}
	if diff := cmp.Diff(s.text, got); diff != "" {
		t.Errorf("response (-want +got):\n%s\nto\n%.500s", diff, r.asked)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := r.response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// expectMail compares the next mail with a section.
func (r *runner) expectMail(t *testing.T, s *section) {
	t.Helper()
	if r.seen == len(r.mails) {
		t.Fatal("no mail")
	}
	m := r.mails[r.seen]
	r.seen++
	_, headers, body := (&section{text: "mail\n" + r.expand(t, s.text)}).message()
	for _, h := range headers {
		if got := m.header.Get(h.name); got != h.value {
			t.Errorf("%s: %s, want %s", h.name, got, h.value)
		}
	}
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if absent, ok := strings.CutPrefix(line, "! "); ok {
			if strings.Contains(m.text, absent) || strings.Contains(m.html, template.HTMLEscapeString(absent)) {
				t.Errorf("the mail holds %q:\n%s\n%s", absent, m.text, m.html)
			}
			continue
		}
		if !strings.Contains(m.text, line) {
			t.Errorf("the text part lacks %q:\n%s", line, m.text)
		}
		if escaped := template.HTMLEscapeString(line); !strings.Contains(m.html, escaped) {
			t.Errorf("the HTML part lacks %q:\n%s", escaped, m.html)
		}
	}
}

func writeCase(t *testing.T, c *contractCase) {
	t.Helper()
	if err := os.WriteFile(c.file, c.bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// testMail is a captured mail, taken apart.
type testMail struct {
	header     netmail.Header
	text, html string
	token      string
	raw        string
}

func parseMail(t *testing.T, raw []byte) *testMail {
	t.Helper()
	msg, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	m := &testMail{header: msg.Header, raw: string(raw)}
	kind, attributes, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q: %v", kind, err)
	}
	parts := multipart.NewReader(msg.Body, attributes["boundary"])
	m.text = nextPart(t, parts, "text/plain")
	m.html = nextPart(t, parts, "text/html")
	for _, name := range []string{"token=", "forgotPasswordToken="} {
		if _, rest, ok := strings.Cut(m.text, name); ok {
			m.token = strings.Fields(rest)[0]
		}
	}
	return m
}

func nextPart(t *testing.T, r *multipart.Reader, want string) string {
	t.Helper()
	p, err := r.NextPart() // decodes
	if err != nil {
		t.Fatal(err)
	}
	kind, attributes, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	if err != nil || kind != want || !strings.EqualFold(attributes["charset"], "utf-8") {
		t.Fatalf("part %q %v, want %s in UTF-8: %v", kind, attributes, want, err)
	}
	body, err := io.ReadAll(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

package templates

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shape is what a mail client can act on.
type shape struct {
	elements  []string // names with the names of their attributes, and their ends
	addresses []string // values of attributes that lead or load somewhere
}

// parseShape reads HTML that is well-formed XML, as the defaults are.
func parseShape(t testing.TB, html string) shape {
	t.Helper()
	var s shape
	d := xml.NewDecoder(strings.NewReader(html))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			t.Fatalf("parse HTML: %v\n%s", err, html)
		}
		switch e := token.(type) {
		case xml.StartElement:
			s.start(e)
		case xml.EndElement:
			s.elements = append(s.elements, "/"+e.Name.Local)
		}
	}
}

func (s *shape) start(e xml.StartElement) {
	name := e.Name.Local
	for _, a := range e.Attr {
		name += " " + a.Name.Local
		switch strings.ToLower(a.Name.Local) {
		case "href", "src", "srcset", "background", "action", "poster", "cite", "data", "ping":
			s.addresses = append(s.addresses, a.Value)
		}
	}
	s.elements = append(s.elements, name)
}

// hostile replaces every text of a notification that comes from a row.
func hostile(n Notification, s string) Notification {
	n.SiteName, n.EmailDomain = s, s
	n.Member = Member{
		ID: 12, Firstname: s, Lastname: s, Fullname: s, Username: s, Email: s, Status: s,
	}
	n.Group = &Group{ID: 3, Name: s, Title: s, Description: s, Owner: s}
	return n
}

// Whatever a row holds is text: no markup, no template, no header, no web
// address comes of it (MAI-4).
func TestValuesStayText(t *testing.T) {
	tests := []string{
		"{{.Token}}<script>alert(1)</script>",
		"{{template \"layout.html\" .}}",
		"javascript:alert(1)",
		"<a href=\"javascript:alert(1)\">John</a>",
		"\"><img src=x onerror=alert(1)>",
		"--><!doctype html><plaintext>",
		"</title><style>*{display:none}</style>",
		"John\r\nBcc: eve@example.net\r\n\r\nForged",
		"John\x00\v\f\u0085\u2028\u2029https://evil.example/",
		"http://evil.example/?t=", "evil.example", "a.bb.cc.dd", "www.evil.example/x",
		"\u202egpj.exe\u2066", "\xff\xfe", "Ω≈ç√ 🎉", "&lt;b&gt;", "%s%n", "x\ufffe",
	}
	set := loadDefaultSet(t)
	for _, s := range tests {
		for _, template := range Names() {
			for _, language := range []string{"", "de", "fr", "es"} {
				n := sample(template, "", nil, true)
				n.Language = language
				checkHarmless(t, set, hostile(n, s), hostile(n, "x"))
			}
		}
	}
}

// checkHarmless compares a rendering with that of a notification of plain
// words: same elements, same addresses, same lines, no web address but the link.
func checkHarmless(t *testing.T, set *Set, n, plain Notification) {
	t.Helper()
	got, want := render(t, set, nil, n), render(t, set, nil, plain)
	g, w := parseShape(t, got.HTML), parseShape(t, want.HTML)
	if diff := cmp.Diff(w.elements, g.elements); diff != "" {
		t.Errorf("%q changes the elements:\n%s", n.Member.Fullname, diff)
	}
	if diff := cmp.Diff(w.addresses, g.addresses); diff != "" {
		t.Errorf("%q changes the links:\n%s", n.Member.Fullname, diff)
	}
	for _, mark := range []string{"<", ">", `"`} {
		if strings.Count(got.HTML, mark) != strings.Count(want.HTML, mark) {
			t.Errorf("%q changes the number of %s", n.Member.Fullname, mark)
		}
	}
	if strings.Count(got.Text, "\n") != strings.Count(want.Text, "\n") || strings.ContainsAny(got.Text, "\r\v\f\x00\u0085\u2028\u2029") {
		t.Errorf("%q changes the lines:\n%s", n.Member.Fullname, got.Text)
	}
	if strings.Count(got.Text, "://") != strings.Count(want.Text, "://") || strings.Count(got.HTML, "://") != strings.Count(want.HTML, "://") {
		t.Errorf("%q adds a web address:\n%s", n.Member.Fullname, got.Text)
	}
	if n.Token != "" && strings.Count(got.Text, n.Token) != strings.Count(want.Text, plain.Token) {
		t.Errorf("%q is evaluated:\n%s", n.Member.Fullname, got.Text)
	}
	if strings.ContainsAny(got.Subject, "\r\n") || got.Subject == "" {
		t.Errorf("subject = %q", got.Subject)
	}
}

// Even a template that puts a name into a link makes no script of it (MAI-4).
func TestNameInALink(t *testing.T) {
	set := mustLoad(t, files("g/notification/set-password.html", `<a href="{{.Member.Firstname}}">x</a>{{.Token}}`), Options{})
	n := sample(SetPassword, "", nil, true)
	n.Member.Firstname = "javascript:alert(1)"
	if got := render(t, set, []string{"g"}, n).HTML; strings.Contains(got, "javascript") {
		t.Errorf("HTML = %s", got)
	}
}

// FuzzRender holds any text in any field to the rules of TestValuesStayText.
func FuzzRender(f *testing.F) {
	f.Add("John", "Jones", "jjones", "Example", "Acme", uint8(0))
	f.Add("{{.Token}}<script>", "a\r\nb", "http://x", "javascript:", "\u202e</title>", uint8(7))
	set, err := Load(nil, Options{})
	if err != nil {
		f.Fatal(err)
	}
	languages := []string{"", "de", "fr", "es"}
	f.Fuzz(func(t *testing.T, first, last, user, site, group string, choice uint8) {
		n := sample(Names()[int(choice)%3], "", nil, true)
		n.Language = languages[int(choice/3)%4]
		n.Member = Member{ID: 12, Firstname: first, Lastname: last, Username: user, Email: user}
		n.SiteName, n.Group = site, &Group{Title: group, Name: group, Description: group}
		plain, err := n.prepare()
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []*string{&plain.Member.Firstname, &plain.Member.Lastname, &plain.Member.Fullname,
			&plain.Member.Username, &plain.Member.Email, &plain.SiteName, &plain.Group.Title} {
			if *field != "" {
				*field = "x"
			}
		}
		checkHarmless(t, set, n, plain)
	})
}

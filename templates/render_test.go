package templates

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

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
		for _, template := range templateNames() {
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

// Even a template that puts a name into a link makes no script of it.
func TestNameInALink(t *testing.T) {
	set := mustLoad(t, files("g/notification/set-password.html", `<a href="{{.Member.Firstname}}">x</a>`), Options{})
	n := sample(SetPassword, "", nil, true)
	n.Member.Firstname = "javascript:alert(1)"
	if got := render(t, set, []string{"g"}, n).HTML; strings.Contains(got, "javascript") {
		t.Errorf("HTML = %s", got)
	}
}

func TestDefaultsLoadNothing(t *testing.T) {
	set := loadDefaultSet(t)
	for _, c := range goldenCases() {
		r := render(t, set, nil, c.n)
		for _, a := range parseShape(t, r.HTML).addresses {
			if a != c.n.Link {
				t.Errorf("%s leads to %q", c.name, a)
			}
		}
		rest := strings.NewReplacer(c.n.Link, "", strings.ReplaceAll(c.n.Link, "&", "&amp;"), "").Replace(r.HTML + r.Text)
		if c.n.Link != "" && strings.Contains(rest, "://") {
			t.Errorf("%s holds another address", c.name)
		}
		if c.n.Link == "" && strings.Contains(r.HTML+r.Text, "://") {
			t.Errorf("%s: a notice holds an address", c.name)
		}
	}
}

var thirdParty = regexp.MustCompile(`(?i)https?:|//[a-z]|url\(|@import|@font-face|<(script|link|img|iframe|object|embed|video|audio|form|input|svg|base)\b|\bon[a-z]+=`)

func TestDefaultSourcesHaveNoResources(t *testing.T) {
	seen := 0
	err := fs.WalkDir(Defaults(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen++
		b, err := fs.ReadFile(Defaults(), path)
		if found := thirdParty.Find(b); found != nil {
			t.Errorf("%s holds %q", path, found)
		}
		return err
	})
	if err != nil || seen != 25 {
		t.Errorf("%d files, error %v; want 3 templates in 2 parts and 4 languages and a layout", seen, err)
	}
}

func TestNotificationRules(t *testing.T) {
	tests := []struct {
		name, template string
		change         func(*Notification)
		ok             bool
	}{
		{"complete", SetPassword, func(*Notification) {}, true},
		{"http", SetPassword, func(n *Notification) { n.HostURL, n.Link = "http://h:8080/ps", "http://h:8080/ps/x" }, true},
		{"unknown template", SetPassword, func(n *Notification) { n.Template = "../layout" }, false},
		{"no link", SetPassword, func(n *Notification) { n.Link = "" }, false},
		{"relative link", SetPassword, func(n *Notification) { n.Link = "/x" }, false},
		{"script", SetPassword, func(n *Notification) { n.Link = "javascript:alert(1)" }, false},
		{"script as host too", SetPassword, func(n *Notification) { n.HostURL, n.Link = "javascript://h/", "javascript://h/" }, false},
		{"other host", SetPassword, func(n *Notification) { n.Link = "https://evil.example/ps" }, false},
		{"other port", SetPassword, func(n *Notification) { n.Link = "https://example.org:444/ps" }, false},
		{"other scheme", SetPassword, func(n *Notification) { n.Link = "http://example.org/ps" }, false},
		{"user", SetPassword, func(n *Notification) { n.Link = "https://example.org@evil.example/" }, false},
		{"user of the host", SetPassword, func(n *Notification) { n.Link = "https://u@example.org/" }, false},
		{"line end in the link", SetPassword, func(n *Notification) { n.Link += "\nx" }, false},
		{"space in the link", SetPassword, func(n *Notification) { n.Link += " x" }, false},
		{"quote in the link", SetPassword, func(n *Notification) { n.Link += `"` }, false},
		{"beyond ASCII", SetPassword, func(n *Notification) { n.Link += "\u202e" }, false},
		{"long link", SetPassword, func(n *Notification) { n.Link += strings.Repeat("x", maxURL) }, false},
		{"line end in the token", SetPassword, func(n *Notification) { n.Token += "\n" }, false},
		{"no host URL", SetPassword, func(n *Notification) { n.HostURL = "" }, false},
		{"no host", SetPassword, func(n *Notification) { n.HostURL, n.Link = "https:///ps", "https:///ps" }, false},
		{"notice", ChangePassword, func(*Notification) {}, true},
		{"notice with token", ChangePassword, func(n *Notification) { n.Token = "secret-token" }, false},
		{"notice with link", ChangePassword, func(n *Notification) { n.Link = n.HostURL + "/secret-token" }, false},
	}
	set := loadDefaultSet(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := sample(tt.template, "", nil, true)
			tt.change(&n)
			_, err := set.Render(nil, n)
			if (err == nil) != tt.ok {
				t.Errorf("error = %v", err)
			}
		})
	}
}

// A template can fail for values that no sample has; the error is for the log.
func TestErrorsHoldNoSecret(t *testing.T) {
	body := `{{if eq .Member.ID 99}}{{index .Token 1000}}{{end}}{{if eq .Member.ID 98}}{{slice .Link 1000}}{{end}}x`
	set := mustLoad(t, files("g/notification/set-password.txt", body), Options{})
	var errs []error
	for _, change := range []func(*Notification){
		func(n *Notification) { n.Member.ID = 99 },
		func(n *Notification) { n.Member.ID = 98 },
		func(n *Notification) { n.Link += " " },
		func(n *Notification) { n.Link = "https://[" + n.Token },
		func(n *Notification) { n.Token += "\x00" },
		func(n *Notification) { n.Template = ChangePassword },
	} {
		n := sample(SetPassword, "", nil, true)
		change(&n)
		_, err := set.Render([]string{"g"}, n)
		errs = append(errs, err)
	}
	for i, err := range errs {
		if err == nil || strings.Contains(err.Error(), "ujHid") {
			t.Errorf("error %d = %v", i, err)
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	body := `{{define "a"}}` + strings.Repeat("{{.Group.Description}}", 600) + `{{end}}{{if .Group}}{{template "a" .}}{{end}}x`
	set := mustLoad(t, files("g/notification/set-password.txt", body), Options{})
	n := sample(SetPassword, "", sampleGroup(), true)
	n.Group.Description = strings.Repeat("x", 2*maxDescription)
	if _, err := set.Render([]string{"g"}, n); err == nil || !strings.Contains(err.Error(), "KiB") {
		t.Errorf("error = %v", err)
	}
}

func TestRenderLeavesItsInputAlone(t *testing.T) {
	n := sample(SetPassword, "", &Group{Name: "a\nb"}, true)
	render(t, loadDefaultSet(t), nil, n)
	if n.Group.Name != "a\nb" || n.Group.Title != "" {
		t.Errorf("group = %+v", *n.Group)
	}
}

func TestWording(t *testing.T) {
	const ignore = "you can ignore this email"
	tests := []struct {
		name string
		n    Notification
		hide bool
		has  []string
		not  []string
	}{
		{"member", sample(ResetPasswordConfirm, ReasonMember, nil, true), false,
			[]string{ignore, "asked for a new password", "John Jones (jjones)", "12 hours", "Example"}, []string{"administrator"}},
		{"no reason is the member's", sample(ResetPasswordConfirm, "", nil, true), false, []string{ignore}, nil},
		{"admin", sample(ResetPasswordConfirm, ReasonAdmin, nil, true), false,
			[]string{"An administrator of Example asks"}, []string{ignore}},
		{"forced", sample(ResetPasswordConfirm, ReasonForced, nil, true), false,
			[]string{"made an administrator of Example"}, []string{ignore}},
		{"group", sample(ResetPasswordConfirm, ReasonMember, sampleGroup(), true), false, []string{"Acme specifications"}, nil},
		{"hidden", sample(ResetPasswordConfirm, ReasonMember, nil, true), true, nil, []string{"ignore"}},
		{"Wix", sample(SetPassword, "", nil, true), false, []string{ignore}, nil},
		{"Wix hidden", sample(SetPassword, "", nil, true), true, nil, []string{"ignore"}},
		{"notice", sample(ChangePassword, "", nil, true), true,
			[]string{"22 November 2026, 04:45 UTC", "somebody else may have access"}, []string{"href", "token"}},
		{"notice without a time", sample(ChangePassword, "", nil, false), false, []string{"was changed."}, []string{"0001"}},
	}
	set := loadDefaultSet(t)
	tags := regexp.MustCompile(`</?(strong|span)[^>]*>`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.n.HideIgnoreMessage = tt.hide
			r := render(t, set, nil, tt.n)
			for _, part := range []string{r.Text, tags.ReplaceAllString(r.HTML, "")} {
				for _, s := range tt.has {
					if !strings.Contains(part, s) {
						t.Errorf("lacks %q:\n%s", s, part)
					}
				}
				for _, s := range tt.not {
					if strings.Contains(part, s) {
						t.Errorf("holds %q:\n%s", s, part)
					}
				}
			}
		})
	}
}

func TestSubjectsOfTheContract(t *testing.T) {
	want := map[string]string{
		ResetPasswordConfirm: "Update your password",
		ChangePassword:       "Your password has been updated",
		SetPassword:          "Set your password",
	}
	set := loadDefaultSet(t)
	for template, subject := range want {
		if got := render(t, set, nil, sample(template, "", nil, true)).Subject; got != subject {
			t.Errorf("%s: subject = %q, want %q", template, got, subject)
		}
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
		n := sample(templateNames()[int(choice)%3], "", nil, true)
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

func BenchmarkRender(b *testing.B) {
	set := loadDefaultSet(b)
	n := sample(ResetPasswordConfirm, ReasonMember, sampleGroup(), true)
	b.ReportAllocs()
	for b.Loop() {
		render(b, set, []string{"acme-specs", "acme"}, n)
	}
}

func BenchmarkLoadDefaults(b *testing.B) {
	for b.Loop() {
		loadDefaultSet(b)
	}
}

func TestDurationWords(t *testing.T) {
	tests := []struct {
		d        time.Duration
		language string
		want     string
	}{
		{12 * time.Hour, "", "12 hours"},
		{time.Hour, "en-GB", "1 hour"},
		{90 * time.Minute, "de", "1 Stunde 30 Minuten"},
		{24 * time.Hour, "fr", "24 heures"},
		{48 * time.Hour, "es", "2 días"},
		{73*time.Hour + time.Minute, "en", "3 days 1 hour 1 minute"},
		{59*time.Minute + 59*time.Second, "en", "59 minutes"},
		{time.Second, "en", "1 minute"},
		{3 * time.Hour, "cy", "3 h"},
	}
	for _, tt := range tests {
		if got := durationWords(tt.d, tt.language); got != tt.want {
			t.Errorf("%v in %q = %q, want %q", tt.d, tt.language, got, tt.want)
		}
	}
}

func TestDatetimeWords(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 30, 59, 0, time.FixedZone("", 3600))
	tests := map[string]string{
		"": "28 February 2026, 23:30 UTC", "de-CH": "28. Februar 2026, 23:30 Uhr UTC",
		"fr": "28 février 2026 à 23:30 UTC", "es": "28 de febrero de 2026, 23:30 UTC", "cy": "2026-02-28 23:30 UTC",
	}
	for language, want := range tests {
		if got := datetimeWords(at, language); got != want {
			t.Errorf("in %q = %q, want %q", language, got, want)
		}
	}
	if got := datetimeWords(time.Time{}, "en"); got != "" {
		t.Errorf("zero time = %q", got)
	}
	for _, language := range []string{"en", "de", "fr", "es"} {
		if v, _ := vocabularyOf(language); len(strings.Fields(v.months)) != 12 {
			t.Errorf("%s has %d months", language, len(strings.Fields(v.months)))
		}
	}
}

func TestLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"line ends", "a\r\nb\u2028c\u2029d\u0085e\x00f", "a b c d e f"},
		{"space", "  a \t\u00a0 b  ", "a b"},
		{"reordering", "a\u202e\u2066b\u200e", "ab\u200e"},
		{"no form", "a\u200b\ufeff\u00ad\ufffeb", "ab"},
		{"joiners of a script", "می\u200cخواهم 👩\u200d💻", "می\u200cخواهم 👩\u200d💻"},
		{"bad UTF-8", "a\xffb", "a\uFFFDb"},
		{"URL", "see https://x.example/", "see https: //x. example/"},
		{"host names", "a.bb.cc", "a. bb. cc"},
		{"full-width dot", "evil。example", "evil。 example"},
		{"initials", "J.R. Smith Jr. 2.0", "J.R. Smith Jr. 2.0"},
		{"long", strings.Repeat("é", 201), strings.Repeat("é", 199) + "…"},
		{"just not too long", strings.Repeat("é", 200), strings.Repeat("é", 200)},
	}
	for _, tt := range tests {
		if got := personal(tt.in); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

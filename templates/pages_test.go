package templates

import (
	"bytes"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func mustLoadPages(t testing.TB, fsys fstest.MapFS, o Options) *Pages {
	t.Helper()
	p, err := LoadPages(fsys, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPageFaults(t *testing.T) {
	for _, test := range []struct {
		file, content string
		want          string
	}{
		{"acme/page/page.toml", "accent = \"#ffff00\"", "contrast of 1.1:1"},
		{"acme/page/page.toml", "accent = \"#797979\"", "contrast of 4.4:1 against #ffffff"},
		{"acme/page/page.toml", "accent = \"blue\"", "want a colour"},
		{"acme/page/page.toml", "dark-accent = \"#1d4ed8\"", "against #1e293b"},
		{"acme/page/page.toml", "# x\nacent = \"#000000\"", `line 2: there is no setting "acent"; did you mean "accent"?`},
		{"acme/page/page.toml", "next = \"javascript:alert(1)\"", "next: neither http nor https"},
		{"acme/page/page.toml", "next-origins = [\"https://app.example.org/\"]", "want an origin"},
		{"acme/page/page.toml", "next-origins = [\"https://app.example.org:443\"]", "want an origin"},
		{"acme/page/page.toml", "next-origins = [\"https://App.example.org\"]", "want an origin"},
		{"acme/page/page.toml", "logo = \"logo.png\"", "acme/page/logo.png: no such logo"},
		{"acme/page/page.toml", "logo = \"../../x.png\"", "no such logo"},
		{"acme/page/page.toml", "name = 1", "acme/page/page.toml"},
		{"acme/page/logo.png", "x", "does not name it"},
		{"acme/page/styles.css", "x", "no such file"},
		{"acme/page/texts.toml", "sumbit = \"Go\"", `line 1: there is no text "sumbit"; did you mean "submit"?`},
		{"acme/page/texts.toml", "submit = \"\"", "submit: want one line"},
		{"acme/page/texts.toml", "submit = \"a\\nb\"", "submit: want one line"},
		{"acme/page/texts.toml", "submit = \"{name}\"", "no placeholder {name}"},
		{"acme/page/texts.toml", "dir = \"up\"", "dir: want ltr or rtl"},
		{"acme/page/texts.toml", "submit = 5", "acme/page/texts.toml: line 1: submit: want a text"},
		{"acme/page/texts.toml", "[\"d!\"]\nsubmit = \"Go\"", `line 1: "d!" is no language tag`},
		{"acme/page/texts.toml", "[de]\nsubmit = \"Los\"\n[DE]\nsubmit = \"Los\"", `line 1: "de" is no language tag, or the second table`},
		{"acme/page/texts.toml", "submit = \"Go\"\n[de]\nsubmit = \"{x}\"", "line 3: submit: there is no placeholder {x}"},
		{"acme/page/texts.toml", "[de]\n[de.at]\nsubmit = \"Los\"", `there is no text "at"`},
		{"acme/page/texts.de.toml", "submit = \"Los\"", "a language is a table in it"},
		{"acme/page/page.toml", "name = \"a\"\nlogo = \"", "line 2: "},
		{"acme/page/page.toml", "\n\naccent = \"blue\"", "line 3: accent: "},
		{"acme/page/style.css", "a { color: red;\n\nb { color: red }", "line 1: this { has no }"},
		{"acme/page/style.css", "a { color: red }\n}", "line 2: this } has no {"},
		{"acme/page/style.css", "a { color: red }\n/* b", "line 2: this comment has no end"},
		{"acme/page/style.css", "a { content: \"x\n }", "has no end"},
		{"acme/pages/page.toml", "", "acme/pages: misplaced"},
		{"acme/texts.toml", "", "acme/texts.toml: misplaced"},
	} {
		_, err := LoadPages(files(test.file, test.content), Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s with %s: %v, want %q", test.file, test.content, err, test.want)
		}
	}
	_, err := LoadPages(files("a/page/page.toml", "x = 1", "b/page/texts.toml", "y = \"z\""), Options{})
	if err == nil || !strings.Contains(err.Error(), "a/page") || !strings.Contains(err.Error(), "b/page") {
		t.Errorf("%v, want both faults", err)
	}
}

func TestLookChain(t *testing.T) {
	p := mustLoadPages(t, files(
		"acme/page/page.toml", "name = \"Acme\"\naccent = \"#1f6b3a\"\nlogo = \"a.svg\"",
		"acme/page/a.svg", "<svg/>",
		"acme-Specs/page/page.toml", "name = \"Specs\"\nnext = \"https://specs.example.org/\"",
		"acme-Specs/page/ignored.md", "",
		"corp/page/page.toml", "next = \"https://corp.example.org/\"",
		"corp/page/style.css", "body{margin:1px}",
	), Options{GlobalTemplate: "corp"})
	look := p.Look([]string{"acme-SPECS", "acme"})
	if look.Name != "Specs" || look.Accent != "#1f6b3a" || string(look.LogoData) != "<svg/>" || look.LogoType != "image/svg+xml" ||
		look.NextURL("") != "https://specs.example.org/" || !strings.Contains(look.Style, "margin:1px") || !strings.Contains(look.Style, "--accent:#1f6b3a") {
		t.Errorf("the group's: %+v", look.Settings)
	}
	if look := p.Look([]string{"acme-web", "acme"}); look.Name != "Acme" || look.NextURL("") != "https://corp.example.org/" {
		t.Errorf("the project's: %+v", look.Settings)
	}
	if look := p.Look(nil); look.Name != "" || look.Accent != "#1d4ed8" || look.NextURL("") != "https://corp.example.org/" {
		t.Errorf("the global one: %+v", look.Settings)
	}
	if look := mustLoadPages(t, nil, Options{}).Look([]string{"", "x"}); look.NextURL("") != "" || look.DarkAccent != "#93c5fd" {
		t.Errorf("the built-in one: %+v", look.Settings)
	}
}

func TestTextsChain(t *testing.T) {
	p := mustLoadPages(t, files(
		"acme/page/texts.toml", "submit = \"Go\"\n[DE]\nsubmit = \"Los\"\n[ar]\nlang = \"ar\"\ndir = \"rtl\"",
	), Options{})
	acme := p.Look([]string{"acme"})
	for _, test := range []struct {
		languages []string
		key, want string
	}{
		{nil, "submit", "Go"},
		{[]string{"de-AT"}, "submit", "Los"},
		{[]string{"de-AT"}, "show", "Anzeigen"},
		{[]string{"fr"}, "submit", "Go"}, // the folder comes before the language, as with mails
		{[]string{"fr"}, "show", "Afficher"},
		{[]string{"xx", "de"}, "lang", "de"},
		{[]string{"en-US", "de"}, "lang", "en"},
		{[]string{"ar"}, "dir", "rtl"},
		{[]string{"ar"}, "show", "Show"},
		{nil, "no-such-text", "no-such-text"},
	} {
		if got := acme.Texts(test.languages...).Say(test.key); got != test.want {
			t.Errorf("%s in %v: %q, want %q", test.key, test.languages, got, test.want)
		}
	}
}

func TestSayIsolatesValues(t *testing.T) {
	texts := mustLoadPages(t, nil, Options{}).Look(nil).Texts()
	got := texts.Say("change-intro", "account", "{site}\u202Eevil\nx", "site", "Acme http://x")
	if want := "For the account \u2068{site}evil x\u2069 at \u2068Acme http: //x\u2069."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Every built-in language has every text, with the same placeholders.
func TestBuiltInTextsAreComplete(t *testing.T) {
	base := mustLoadPages(t, nil, Options{}).Look(nil).sources[0].texts
	if len(base) != 4 {
		t.Fatalf("%d languages", len(base))
	}
	names := func(s string) []string {
		found := placeholder.FindAllString(s, -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	for language, texts := range base {
		for key := range base[""] {
			if texts[key] == "" || !slices.Equal(names(texts[key]), names(base[""][key])) {
				t.Errorf("%s.%s: %q", language, key, texts[key])
			}
		}
		for key := range texts {
			if base[""][key] == "" {
				t.Errorf("%s.%s: no such text in English", language, key)
			}
		}
	}
}

// A page of the demo must not fall back to another language half-way, which
// would have English run from right to left.
func TestDemoPagesSpeakOneLanguageEach(t *testing.T) {
	p, err := LoadPages(os.DirFS("../demo/templates"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, look := range p.Looks() {
		spoken := &Look{}
		for _, s := range look.sources {
			texts := maps.Clone(s.texts)
			delete(texts, "")
			spoken.sources = append(spoken.sources, &pageSource{texts: texts})
		}
		for _, language := range []string{"de", "fr", "es", "ar"} {
			for key := range p.BuiltIn().sources[0].texts[""] {
				if strings.HasPrefix(key, "desk-") {
					continue // no page that members see
				}
				said, _ := look.find(key, look.Texts(language).language)
				if text, _ := spoken.find(key, language); text != said && look.Texts(language).language != "" {
					t.Errorf("%s in %s: %s is %q", look.Name, language, key, said)
				}
			}
		}
	}
}

func TestContrast(t *testing.T) {
	for _, test := range []struct {
		a, b     string
		low, top float64
	}{{"#000000", "#ffffff", 21, 21}, {"#767676", "#ffffff", 4.54, 4.55}, {"#ffffff", "#1d4ed8", 6.6, 6.8}, {"#123456", "#123456", 1, 1}} {
		if c := contrast(test.a, test.b); c < test.low-1e-9 || c > test.top+1e-9 {
			t.Errorf("%s on %s: %f", test.a, test.b, c)
		}
	}
	for _, value := range []string{"#000000", "#1d4ed8", "#b91c1c", "#5b2a86", "#ff0000"} {
		if c := contrast(tint(value, darkCard), darkCard); c < 7 {
			t.Errorf("tint of %s: %.1f", value, c)
		}
	}
}

func TestAllowedURL(t *testing.T) {
	origins := []string{"https://app.example.org", "http://localhost:3000"}
	for _, raw := range []string{"https://app.example.org", "https://app.example.org/", "https://APP.example.org/a?b#c", "HTTPS://app.example.org/x", "http://localhost:3000/cb"} {
		if !allowedURL(raw, origins) {
			t.Errorf("%s is refused", raw)
		}
	}
	for _, raw := range []string{
		"", "/x", "//app.example.org", "\\\\app.example.org", "/\\app.example.org", "https:app.example.org", "https:/app.example.org",
		"https:///app.example.org", "http://app.example.org", "https://app.example.org:8443", "https://app.example.org:443/", "https://app.example.org.evil.test",
		"https://app.example.org@evil.test", "https://evil.test@app.example.org", "https://evil.test\\@app.example.org", "https://app.example.org\\.evil.test",
		"https://evil.test/https://app.example.org", "https://app。example。org", "https://xapp.example.org", "https://app.example.org%2eevil.test",
		"https://app.example.org\r\nX: y", "https://app.example.org\t/", " https://app.example.org", "javascript://app.example.org/%0aalert(1)", "https://app.example.org./", "http://localhost:3001/",
	} {
		if allowedURL(raw, origins) {
			t.Errorf("%q passes", raw)
		}
	}
	if allowedURL("https://app.example.org", nil) {
		t.Error("passes without a list")
	}
	for _, test := range []struct{ origins, asked, want string }{
		{"", "https://app.example.org/a", "https://app.example.org/a"},
		{"", "javascript:alert(1)", "https://home.example.org"},
		{"", "//evil.test", "https://home.example.org"},
		{"", "", "https://home.example.org"},
		{"next-origins = []", "https://app.example.org/a", "https://home.example.org"},
		{"next-origins = [\"https://app.example.org\"]", "https://app.example.org/a", "https://app.example.org/a"},
		{"next-origins = [\"https://app.example.org\"]", "https://evil.test/a", "https://home.example.org"},
	} {
		look := mustLoadPages(t, files("g/page/page.toml", "next = \"https://home.example.org\"\n"+test.origins), Options{}).Look([]string{"g"})
		if got := look.NextURL(test.asked); got != test.want {
			t.Errorf("%s with %s: %s, want %s", test.asked, test.origins, got, test.want)
		}
	}
}

// FuzzRedirect holds what passes against the text alone: it starts with an
// allowed origin, and what follows can't belong to the host.
func FuzzRedirect(f *testing.F) {
	for _, seed := range []string{
		"https://app.example.org/x", "//app.example.org", "https://app.example.org@evil.test", "https:\\app.example.org",
		"https://app.example.org:443", "https://app.example.org%00.evil.test/", "https://[::1]:80/", "http://localhost:3000?x", "https://app.example.org#@x",
	} {
		f.Add(seed)
	}
	origins := []string{"https://app.example.org", "http://localhost:3000"}
	passes := regexp.MustCompile(`^(?i:https://app\.example\.org|http://localhost:3000)([/?#][\x21-\x7e]*)?$`)
	f.Fuzz(func(t *testing.T, raw string) {
		if !allowedURL(raw, origins) {
			return
		}
		if !passes.MatchString(raw) {
			t.Errorf("%q passes", raw)
		}
		if u, err := url.Parse(raw); err != nil || u.User != nil {
			t.Errorf("%q passes: %v", raw, err)
		}
	})
}

func FuzzPageTexts(f *testing.F) {
	f.Add([]byte("submit = \"Go {site}\""))
	f.Add([]byte("lang = \"ar\"\ndir = \"rtl\"\n"))
	f.Add([]byte("show = \"Show\"\n[de]\nshow = \"Anzeigen\"\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := LoadPages(fstest.MapFS{"acme/page/texts.toml": &fstest.MapFile{Data: content}}, Options{})
		if err != nil {
			return
		}
		texts := p.Look([]string{"acme"}).Texts()
		for key := range p.BuiltIn().sources[0].texts[""] {
			if said := texts.Say(key, "site", "S"); said == "" || bytes.ContainsAny([]byte(said), "\r\n\x00") {
				t.Errorf("%s: %q", key, said)
			}
		}
	})
}

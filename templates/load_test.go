package templates

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// files builds a templates folder of path and content pairs.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

func mustLoad(t testing.TB, fsys fs.FS, opts Options) *Set {
	t.Helper()
	set, err := Load(fsys, opts)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Every fault of an override stops the start and names its file (MAI-5).
func TestLoadReportsFaults(t *testing.T) {
	const dir = "acme/notification/"
	html, text := dir+"reset-password-confirm.html", dir+"reset-password-confirm.txt"
	tests := []struct {
		name string
		fsys fstest.MapFS
		want []string // each in the error
	}{
		{"does not parse", files(html, "{{if}}"), []string{html, "missing value"}},
		{"unclosed HTML attribute", files(html, `<a href="{{.Link}}>x`), []string{html}},
		{"unknown field", files(text, "Hi {{.Member.FirstName}}"), []string{text + `: line 1: {{.Member.FirstName}}: there is no field "FirstName"; did you mean "Firstname"?`}},
		{"unknown field behind a reason", files(text, `{{if eq .Reason "forced"}}{{.Typo}}{{end}}x`), []string{text, "Typo"}},
		{"unknown field for a group alone", files(text, `{{with .Group}}{{.Typo}}{{end}}x`), []string{text, "Typo"}},
		{"no group", files("default/notification/change-password.txt", "{{.Group.Title}}"), []string{"default/notification/change-password.txt: line 1: {{.Group.Title}}: some mails have no group: write {{with .Group}}{{.Title}}{{end}}"}},
		{"no first name", files(text, "{{slice .Member.Firstname 0 1}}"), []string{text, "out of range"}},
		{"unknown function", files(text, "{{now}}"), []string{text + `: line 1: there is no function "now"` + "\n"}},
		{"misspelt function", files(text, "{{.Link}}\n{{duratoin .ValidFor}}"), []string{text + `: line 2: there is no function "duratoin"; did you mean "duration"?`}},
		{"block without an end", files(html, "{{if .Group}}{{.Link}}"), []string{html + ": line 1: unexpected EOF: a {{ lacks its }}, or an {{if}}, {{with}} or {{define}} its {{end}}"}},
		{"unknown template", files(html, `{{template "frame.html" .}}`), []string{html, "frame.html"}},
		{"layout without its parts", files(html, `{{template "layout.html" .}}`), []string{"no such template"}},
		{"broken layout", files(dir+"layout.html", "{{.Typo}}"), []string{dir + "layout.html", "Typo"}},
		{"layout that does not parse", files(dir+"layout.html", "{{end}}"), []string{dir + "layout.html"}},
		{"empty", files(text, " \n"), []string{text, "nothing"}},
		{"empty for some", files(text, "{{.Member.Firstname}}"), []string{text, "nothing"}},
		{"empty subject", files(text, `{{define "subject"}}{{.Member.Firstname}}{{end}}x`), []string{text, "subject"}},
		{"broken subject of HTML", files(html, `{{define "subject"}}{{.Typo}}{{end}}x`), []string{html, "Typo"}},
		{"range", files(text, "{{range 9000000000}}{{end}}x"), []string{text, "range"}},
		{"range in a subject", files(text, `{{define "subject"}}{{range 9000000000}}{{end}}{{end}}x`), []string{text, "range"}},
		{"recursion", files(text, `{{define "a"}}{{template "b" .}}{{end}}{{define "b"}}{{if .Link}}{{template "a" .}}{{end}}{{end}}{{template "a" .}}`), []string{text, "calls itself"}},
		{"multiplied calls", files(text, multiplied(30)), []string{text, "steps"}},
		{"endless output", files(text, multiplied(14)), []string{text, "512 KiB"}},
		{"a short name cut", files(text, "x{{with .Member.Firstname}}{{slice . 0 2}}{{end}}"), []string{text, "out of range"}},
		{"not UTF-8", files(text, "caf\xe9"), []string{text, "UTF-8"}},
		{"too large", files(text, strings.Repeat("x", maxSource+1)), []string{text, "KiB"}},
		{"misspelt template", files(dir+"reset-pasword.html", "x"), []string{dir + "reset-pasword.html", "no mail template"}},
		{"misspelt by a letter", files(dir+"chnge-password.html", "x"), []string{dir + "chnge-password.html", `did you mean "change-password.html"?`}},
		{"text without the link", files(text, "Hello!"), []string{text, "lacks the link"}},
		{"HTML without the link", files(html, "<p>Hello!</p>"), []string{html, "lacks the link"}},
		{"link without the token", files(html, "<p>{{.HostURL}}</p>"), []string{html, "lacks the link"}},
		{"link for administrators alone", files(text, `{{if eq .Reason "admin"}}{{.Link}}{{end}}x`), []string{text, "lacks the link"}},
		{"a stylesheet without a renderer", files(dir+"change-password.xsl", "<x/>"), []string{dir + "change-password.xsl", "needs a renderer"}},
		{"a stylesheet beside a template", files(dir+"change-password.xsl", "<x/>", dir+"change-password.html", "x"), []string{"same template"}},
		{"misspelt stylesheet", files(dir+"chnge-password.xsl", "<x/>"), []string{dir + "chnge-password.xsl", `did you mean "change-password.xsl"?`}},
		{"a mark that is no conditional comment", files(html, `{{conditionalComment "<script>"}}{{.Link}}`), []string{html, "marks of conditional comments alone"}},
		{"misspelt extension", files(dir+"change-password.htm", "x"), []string{dir + "change-password.htm"}},
		{"upper case", files(dir+"Change-Password.html", "x"), []string{dir + "Change-Password.html"}},
		{"no language", files(dir+"change-password..html", "x"), []string{dir + "change-password..html"}},
		{"bad language", files(dir+"change-password.french_.html", "x"), []string{"language tag"}},
		{"layout of a language", files(dir+"layout.fr.html", "x"), []string{dir + "layout.fr.html"}},
		{"folder for a file", files(html+"/x", "x"), []string{html}},
		{"misspelt folder", files("acme/notifications/change-password.txt", "x"), []string{"acme/notifications"}},
		{"beside the folder", files("acme/change-password.txt", "x"), []string{"acme/change-password.txt"}},
		{"outside", files("change-password.txt", "x"), []string{"change-password.txt"}},
		{"language twice", files(dir+"change-password.FR.txt", "x", dir+"change-password.fr.txt", "x"), []string{"same template"}},
		{"folder twice", files("ACME/notification/change-password.txt", "x", "acme/notification/set-password.txt", "x"), []string{"by case"}},
		{"layout without use", files(withBodies("acme", "plain {{.Link}}", dir+"layout.html", "x")...), []string{dir + "layout.html", "no template calls it"}},
		{"all together", files(html, "{{.A}}", text, "{{.B}}", "b/notification/x.txt", "x"), []string{html, text, "b/notification/x.txt"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.fsys, Options{})
			if err == nil {
				t.Fatal("loaded")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error()+"\n", want) {
					t.Errorf("error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

// multiplied is a template of 2 to the power of n calls.
func multiplied(n int) string {
	var b strings.Builder
	name := func(i int) string { return "t" + strings.Repeat("i", i) }
	b.WriteString(`{{define "` + name(0) + `"}}` + strings.Repeat("x", 64) + `{{end}}`)
	for i := 1; i <= n; i++ {
		call := `{{template "` + name(i-1) + `" .}}`
		b.WriteString(`{{define "` + name(i) + `"}}` + call + call + `{{end}}`)
	}
	return b.String() + `{{template "` + name(n) + `" .}}`
}

// withBodies overrides every HTML template of a folder by the same text.
func withBodies(name, text string, pairs ...string) []string {
	for _, template := range Names() {
		pairs = append(pairs, name+"/notification/"+template+".html", text)
	}
	return pairs
}

func TestLoadReportsEachFaultOnce(t *testing.T) {
	_, err := Load(files("acme/notification/layout.html", "{{.Typo}}"), Options{})
	if err == nil {
		t.Fatal("loaded")
	}
	if n := strings.Count(err.Error(), "{{.Typo}}"); n != 1 {
		t.Errorf("the fault of a layout is reported %d times:\n%v", n, err)
	}
}

func TestLoadLeavesAlone(t *testing.T) {
	fsys := files(
		"README.md", "x", ".git/config", "x", "acme/look.toml", "x", "acme/pages/form.html", "x",
		"acme/notification/.hidden.html", "x", "acme/notification/NOTES.md", "x",
		"Acme-Specs/notification/change-password.txt", "x",
	)
	set := mustLoad(t, fsys, Options{})
	if diff := cmp.Diff([]string{"acme-specs"}, set.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestLoadMissingFolder(t *testing.T) {
	if _, err := Load(missingFS{}, Options{}); err == nil {
		t.Error("a templates folder that cannot be read loaded")
	}
}

type missingFS struct{}

func (missingFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func TestLoadNormalisesSources(t *testing.T) {
	fsys := files("acme/notification/change-password.txt", "\ufeffone\r\ntwo\r\n\r\n")
	r := render(t, mustLoad(t, fsys, Options{}), []string{"acme"}, sample(ChangePassword, "", nil, true))
	if r.Text != "one\ntwo\n" {
		t.Errorf("text = %q", r.Text)
	}
}

// An operator's copy of the defaults is a templates folder, and renders the same.
func TestDefaultsAreAnOverrideFolder(t *testing.T) {
	copied := mustLoad(t, Defaults(), Options{})
	if got := copied.Names(); !slices.Equal(got, []string{DefaultGlobalTemplate}) {
		t.Fatalf("names = %q", got)
	}
	builtIn := loadDefaultSet(t)
	for _, c := range goldenCases() {
		if diff := cmp.Diff(render(t, builtIn, nil, c.n), render(t, copied, nil, c.n)); diff != "" {
			t.Errorf("%s (-built-in +copy):\n%s", c.name, diff)
		}
	}
}

func TestDefaultsAreComplete(t *testing.T) {
	set := loadDefaultSet(t)
	for _, template := range Names() {
		for _, language := range []string{"", "de", "fr", "es"} {
			for _, ext := range []string{extText, extHTML} {
				if set.folders[builtin][fileKey{template, language, ext}] == nil {
					t.Errorf("no built-in %s, language %q, %s", template, language, ext)
				}
			}
			body := set.find([]string{builtin}, template, language).text
			c, err := set.compiledPair(pair{body: body})
			if err != nil {
				t.Fatal(err)
			}
			if c.subject == nil {
				t.Errorf("%s sets no subject", body.path)
			}
		}
	}
}

// A project's folder is often a link to where its own people keep it.
func TestLoadFollowsLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := os.CopyFS(elsewhere, files("notification/change-password.txt", "linked")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(dir, "acme")); err != nil {
		t.Skip(err)
	}
	r := render(t, mustLoad(t, os.DirFS(dir), Options{}), []string{"acme"}, sample(ChangePassword, "", nil, true))
	if r.Text != "linked\n" {
		t.Errorf("text = %q", r.Text)
	}
}

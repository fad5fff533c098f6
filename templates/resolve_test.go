package templates

import (
	"cmp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// overrides is a folder whose every file holds its own path, and the link.
func overrides(names ...string) []string {
	var pairs []string
	for _, name := range names {
		i := strings.IndexByte(name, '/')
		path := name[:i] + "/notification" + name[i:]
		pairs = append(pairs, path, path+" {{.Link}}")
	}
	return pairs
}

func TestResolve(t *testing.T) {
	const reset = "/reset-password-confirm"
	fsys := files(overrides(
		"acme-specs-drafts"+reset+".txt",
		"acme-specs"+reset+".html", "acme-specs"+reset+".fr.txt",
		"acme"+reset+".html", "acme"+reset+".txt", "acme"+reset+".fr.html", "acme"+reset+".pt-br.txt",
		"house"+reset+".txt", "house"+reset+".html", "house/change-password.de.txt",
	)...)
	set := mustLoad(t, fsys, Options{GlobalTemplate: "House"})
	drafts := []string{"acme-specs-drafts", "acme-specs", "acme"}
	tests := []struct {
		name               string
		chain              []string
		template, language string
		text, html         string // folder and file; without a folder, built in
	}{
		{"a part alone: the other is made from it", drafts, ResetPasswordConfirm, "", "acme-specs-drafts/txt", "none"},
		{"HTML alone", drafts[1:], ResetPasswordConfirm, "", "none", "acme-specs/html"},
		{"project", drafts[2:], ResetPasswordConfirm, "", "acme/txt", "acme/html"},
		{"a folder without the tag is not passed over for one with", drafts, ResetPasswordConfirm, "fr", "acme-specs-drafts/txt", "none"},
		{"tag before none in one folder, in both parts", drafts[2:], ResetPasswordConfirm, "fr", "none", "acme/fr.html"},
		{"tag alone", drafts[1:], ResetPasswordConfirm, "fr", "acme-specs/fr.txt", "none"},
		{"longer tag", drafts[2:], ResetPasswordConfirm, "fr-CA", "none", "acme/fr.html"},
		{"tag in full, other case", drafts[2:], ResetPasswordConfirm, "PT-BR", "acme/pt-br.txt", "none"},
		{"shorter tag does not take a longer file", drafts[2:], ResetPasswordConfirm, "pt", "acme/txt", "acme/html"},
		{"other case of the group", []string{"ACME"}, ResetPasswordConfirm, "", "acme/txt", "acme/html"},
		{"unknown group: global", []string{"other"}, ResetPasswordConfirm, "", "house/txt", "house/html"},
		{"no group: global", nil, ResetPasswordConfirm, "", "house/txt", "house/html"},
		{"global has the language alone", nil, ChangePassword, "de-AT", "house/de.txt", "none"},
		{"global lacks the language", nil, ChangePassword, "fr", "fr.txt", "fr.html"},
		{"default", drafts, SetPassword, "", "txt", "html"},
		{"default of an unknown language", drafts, SetPassword, "cy", "txt", "html"},
		{"default of a language", drafts, SetPassword, "es-419", "es.txt", "es.html"},
		{"an empty name is no folder", []string{"", "acme"}, ResetPasswordConfirm, "", "acme/txt", "acme/html"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := set.Resolve(tt.chain, tt.template, tt.language)
			if err != nil {
				t.Fatal(err)
			}
			want := Files{
				Text: fullPath(tt.text, tt.template), HTML: fullPath(tt.html, tt.template),
			}
			if strings.HasPrefix(want.HTML, "built-in:") {
				want.Layout = "built-in:default/notification/layout.html"
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			n := sample(tt.template, "", nil, true)
			n.Language = tt.language
			r := render(t, set, tt.chain, n)
			text, html := cmp.Or(got.Text, got.HTML), cmp.Or(got.HTML, got.Text)
			if !strings.HasPrefix(text, "built-in:") && (!strings.HasPrefix(r.Text, text) || !strings.Contains(r.HTML, html)) {
				t.Errorf("rendered %q and %q, not what Resolve says, %+v", r.Text, r.HTML, got)
			}
		})
	}
}

// fullPath writes folder/rest as folder/notification/template.rest.
func fullPath(short, template string) string {
	if short == "none" {
		return ""
	}
	folder, rest, found := strings.Cut(short, "/")
	if !found {
		return "built-in:default/notification/" + template + "." + short
	}
	return folder + "/notification/" + template + "." + rest
}

func TestResolveUnknownTemplate(t *testing.T) {
	if _, err := loadDefaultSet(t).Resolve(nil, "layout", ""); err == nil {
		t.Error("a layout is no template")
	}
}

// A layout alone dresses all mails of the folder and of those below it.
func TestLayoutOfItsOwn(t *testing.T) {
	layout := `<p>{{.Origin}}: {{template "title" .}} <a href="{{.Link}}">{{template "action" .}}</a></p>`
	set := mustLoad(t, files("acme/notification/layout.html", layout,
		"acme-specs/notification/set-password.html", `<b>own {{.Token}}</b>`), Options{})
	n := sample(ResetPasswordConfirm, ReasonMember, nil, true)
	n.Language = "fr"
	want := `<p>Example: Réinitialisez votre mot de passe <a href="` + strings.ReplaceAll(n.Link, "&", "&amp;") + `">Réinitialiser le mot de passe</a></p>` + "\n"
	for _, chain := range [][]string{{"acme"}, {"acme-specs", "acme"}} {
		if got := render(t, set, chain, n).HTML; got != want {
			t.Errorf("%q: HTML = %q, want %q", chain, got, want)
		}
	}
	n = sample(SetPassword, ReasonMember, nil, true)
	if got := render(t, set, []string{"acme-specs", "acme"}, n).HTML; got != "<b>own "+n.Token+"</b>\n" {
		t.Errorf("HTML = %q", got)
	}
	if got := render(t, set, nil, n).HTML; strings.HasPrefix(got, "<p>") {
		t.Error("the layout of a project dresses everybody's mail")
	}
}

// A chain that does not nest by name works too, though nothing was compiled for it.
func TestRenderUnforeseenChain(t *testing.T) {
	set := mustLoad(t, files(
		"one/notification/layout.html", `<i>{{template "title" .}}</i>{{.Token}}`,
		"two/notification/set-password.html", `{{define "title"}}two{{end}}{{template "layout.html" .}}`+restOfParts,
	), Options{})
	r := render(t, set, []string{"one", "two"}, sample(SetPassword, "", nil, true))
	if r.HTML != "<i>two</i>"+sample(SetPassword, "", nil, true).Token+"\n" {
		t.Errorf("HTML = %q", r.HTML)
	}
}

// restOfParts are the parts of the built-in layout but the title.
const restOfParts = `{{define "lang"}}en{{end}}{{define "greeting"}}g{{end}}{{define "message"}}m{{end}}` +
	`{{define "action"}}a{{end}}{{define "address"}}a{{end}}{{define "note"}}n{{end}}` +
	`{{define "closing"}}c{{end}}{{define "footer"}}f{{end}}`

func TestSubjectPrecedence(t *testing.T) {
	const name = "set-password"
	sets := func(s string) string { return `{{define "subject"}}` + s + `{{end}}x{{.Link}}` }
	tests := []struct {
		name     string
		files    []string
		language string
		want     string
	}{
		{"built-in", nil, "", "Set your password"},
		{"built-in of a language", nil, "de", "Passwort festlegen"},
		{"text", []string{"g/notification/" + name + ".txt", sets("text")}, "", "text"},
		{"HTML", []string{"g/notification/" + name + ".html", sets("Bill & {{.Member.Firstname}}'s")}, "", "Bill & John's"},
		{"text before HTML", []string{"g/notification/" + name + ".txt", sets("text"), "g/notification/" + name + ".html", sets("html")}, "", "text"},
		{"specific HTML before text", []string{"p/notification/" + name + ".txt", sets("text"), "g/notification/" + name + ".html", sets("html")}, "", "html"},
		{"neither sets one", []string{"g/notification/" + name + ".txt", "{{.Link}}", "g/notification/" + name + ".html", "{{.Link}}"}, "es", "Establezca su contraseña"},
		{"folded to one line", []string{"g/notification/" + name + ".txt", sets(" a\n\tb\r\nBcc: x\u2028y ")}, "", "a b Bcc: x y"},
		{"cut", []string{"g/notification/" + name + ".txt", sets(strings.Repeat("é", 300))}, "", strings.Repeat("é", 199) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := mustLoad(t, files(tt.files...), Options{})
			n := sample(SetPassword, "", nil, true)
			n.Language = tt.language
			if got := render(t, set, []string{"g", "p"}, n).Subject; got != tt.want {
				t.Errorf("subject = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLanguageTags(t *testing.T) {
	tests := map[string][]string{
		"": nil, "fr": {"fr"}, "fr-CA": {"fr-ca", "fr"},
		"zh-Hant-CN-x-private1": {"zh-hant-cn-x-private1", "zh-hant-cn", "zh-hant", "zh"},
	}
	for tag, want := range tests {
		if diff := gocmp.Diff(want, languageTags(tag)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tag, diff)
		}
	}
}

package templates

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// goldenCase is a notification whose rendering is kept as files.
type goldenCase struct {
	name string
	n    Notification
}

func goldenCases() []goldenCase {
	var cases []goldenCase
	add := func(name, language string, n Notification) {
		n.Language = language
		cases = append(cases, goldenCase{name + "." + language, n})
	}
	for _, language := range []string{"en", "de", "fr", "es"} {
		for _, reason := range []string{ReasonMember, ReasonAdmin, ReasonForced} {
			add(ResetPasswordConfirm+"-"+reason, language, sample(ResetPasswordConfirm, reason, nil, true))
		}
		add(ResetPasswordConfirm+"-group", language, sample(ResetPasswordConfirm, ReasonMember, sampleGroup(), true))
		add(ChangePassword, language, sample(ChangePassword, "", nil, true))
		add(SignInLocked, language, sample(SignInLocked, "", nil, true))
		add(SetPassword, language, sample(SetPassword, ReasonMember, sampleGroup(), true))
		for template, page := range map[string]string{ActivateAccount: "activate", ConfirmEmail: "confirmemail"} {
			n := sample(template, ReasonMember, nil, true)
			n.Link = strings.Replace(n.Link, "/email/changepassword?", "/email/"+page+"?", 1)
			add(template, language, n)
		}
		add(EmailChanged, language, sample(EmailChanged, "", nil, true))
	}
	add(ResetPasswordConfirm+"-bare", "en", sample(ResetPasswordConfirm, ReasonMember, nil, false))
	add(ChangePassword+"-bare", "en", sample(ChangePassword, "", nil, false))
	add(SetPassword+"-hidden", "en", sample(SetPassword, ReasonMember, sampleGroup(), false))
	return cases
}

func TestGoldenDefaults(t *testing.T) {
	set := loadDefaultSet(t)
	for _, c := range goldenCases() {
		t.Run(c.name, func(t *testing.T) {
			r := render(t, set, nil, c.n)
			checkGolden(t, c.name+".txt", fmt.Sprintf("Subject: %s\n\n%s", r.Subject, r.Text))
			checkGolden(t, c.name+".html", r.HTML)
		})
	}
}

// One mail from each place that can serve it (contract 1.9), and in a language.
func TestGoldenPlaces(t *testing.T) {
	link := "\n{{.Link}}\n"
	set := mustLoad(t, files(
		"acme-specs/notification/reset-password-confirm.txt", `{{define "subject"}}{{.Origin}}: the group's{{end}}Hello {{.Member.Firstname}},`+link,
		"acme/notification/reset-password-confirm.html", `<h1>The project's</h1><p><a href="{{.Link}}">Reset</a></p>`,
		"acme/notification/reset-password-confirm.fr.html", `<h1>Celui du projet</h1><p><a href="{{.Link}}">Réinitialiser</a></p>`,
		"default/notification/reset-password-confirm.txt", "The global one for {{.Origin}}"+link,
	), Options{})
	for name, c := range map[string]struct {
		chain    []string
		language string
	}{
		"group": {[]string{"acme-specs", "acme"}, ""}, "project": {[]string{"acme-web", "acme"}, ""},
		"project.fr": {[]string{"acme-web", "acme"}, "fr"}, "global": {[]string{"globex"}, ""},
	} {
		n := sample(ResetPasswordConfirm, ReasonMember, sampleGroup(), true)
		n.Language = c.language
		r := render(t, set, c.chain, n)
		checkGolden(t, "place-"+name+".txt", "From: "+r.Settings.FromName+"\nSubject: "+r.Subject+"\n\n"+r.Text)
		checkGolden(t, "place-"+name+".html", r.HTML)
	}
}

// Load leaves this to the tests.
func TestDefaultsServeEveryKind(t *testing.T) {
	set := loadDefaultSet(t)
	tried := 0
	for _, template := range Names() {
		for _, body := range set.reachable([]string{builtin}, template) {
			c, err := set.compiledPair(set.pairOf([]string{builtin}, body))
			if err == nil {
				err = set.try(t.Context(), c)
			}
			if err != nil {
				t.Error(err)
			}
			tried++
		}
	}
	if want := len(Names()) * 4 * 2; tried != want {
		t.Errorf("%d built-in templates, want %d: four languages, two parts", tried, want)
	}
}

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; -update rewrites it (-want +got):\n%s", name, diff)
	}
}

func loadDefaultSet(t testing.TB) *Set {
	t.Helper()
	set, err := Load(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func render(t testing.TB, set *Set, chain []string, n Notification) Rendered {
	t.Helper()
	r, err := set.Render(context.Background(), chain, n)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

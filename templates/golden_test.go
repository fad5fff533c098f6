package templates

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
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
		add(SetPassword, language, sample(SetPassword, ReasonMember, sampleGroup(), true))
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

// Load leaves this to the tests.
func TestDefaultsServeEveryKind(t *testing.T) {
	for _, c := range loadDefaultSet(t).compiled {
		if err := c.try(); err != nil {
			t.Error(err)
		}
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
	r, err := set.Render(chain, n)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

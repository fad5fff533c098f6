package templates

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The built-in mails lead to the link and nowhere else, and load nothing (MAI-7).
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

// ownLogo is shown if the vendor's organization-config.xml names one.
var ownLogo = regexp.MustCompile(`\{\{with \.Brand\.Logo\}\}<img src="\{\{\.\}\}"[^<>]*/>\{\{else\}\}`)

// Nor do their sources have what loads, tracks or runs (MAI-7, TOK-12).
func TestDefaultSourcesHaveNoResources(t *testing.T) {
	seen := 0
	err := fs.WalkDir(Defaults(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen++
		b, err := fs.ReadFile(Defaults(), path)
		b = ownLogo.ReplaceAll(b, nil)
		if found := thirdParty.Find(b); found != nil {
			t.Errorf("%s holds %q", path, found)
		}
		return err
	})
	if err != nil || seen != 59 {
		t.Errorf("%d files, error %v; want 7 templates in 2 parts and 4 languages, a layout, and a page with texts in 4 languages", seen, err)
	}
}

// A template can fail for values that no sample has; the error is for the log.
func TestErrorsHoldNoSecret(t *testing.T) {
	body := `{{if eq .Member.ID 99}}{{index .Token 1000}}{{end}}{{if eq .Member.ID 98}}{{slice .Link 1000}}{{end}}{{.Link}}`
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
		_, err := set.Render(t.Context(), []string{"g"}, n)
		errs = append(errs, err)
	}
	for i, err := range errs {
		if err == nil || strings.Contains(err.Error(), "ujHid") {
			t.Errorf("error %d = %v", i, err)
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	body := `{{define "a"}}` + strings.Repeat("{{.Group.Description}}", 600) + `{{end}}{{if .Group}}{{template "a" .}}{{end}}{{.Link}}`
	set := mustLoad(t, files("g/notification/set-password.txt", body), Options{})
	n := sample(SetPassword, "", sampleGroup(), true)
	n.Group.Description = strings.Repeat("x", 2*maxDescription)
	if _, err := set.Render(t.Context(), []string{"g"}, n); err == nil || !strings.Contains(err.Error(), "KiB") {
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
			[]string{ignore, "asked to reset the password", "John Jones (jjones)", "12 hours", "Example"}, []string{"administrator"}},
		{"no reason is the member's", sample(ResetPasswordConfirm, "", nil, true), false, []string{ignore}, nil},
		{"admin", sample(ResetPasswordConfirm, ReasonAdmin, nil, true), false,
			[]string{"An administrator of Example asks"}, []string{ignore}},
		{"forced", sample(ResetPasswordConfirm, ReasonForced, nil, true), false,
			[]string{"now an administrator of Example"}, []string{ignore}},
		{"group", sample(ResetPasswordConfirm, ReasonMember, sampleGroup(), true), false, []string{"Acme specifications"}, nil},
		{"hidden", sample(ResetPasswordConfirm, ReasonMember, nil, true), true, nil, []string{"ignore"}},
		{"Wix", sample(SetPassword, "", nil, true), false, []string{ignore}, nil},
		{"Wix hidden", sample(SetPassword, "", nil, true), true, nil, []string{"ignore"}},
		{"notice", sample(ChangePassword, "", nil, true), true,
			[]string{"22 November 2026, 04:45 UTC", "someone else may have access"}, []string{"href", "token"}},
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

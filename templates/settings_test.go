package templates

import (
	"strings"
	"testing"
	"time"
)

func TestMailSettingsChain(t *testing.T) {
	set := mustLoad(t, files(
		"acme-specs/mail.toml", "from-name = \"Specs\"\ntoken-life = \"PT6H\"\n[headers]\nX-Group = \"specs\"\n",
		"acme/mail.toml", "from-name = \"Acme\"\nfrom-address = \"acme@acme.example\"\nhost-url = \"https://acme.example/ps/\"\nsmtp = \"smtps://u@mail.acme.example\"\nsmtp-password-file = \"/run/p\"\n[headers]\nX-Group = \"acme\"\nX-Project = \"acme\"\n",
		"default/mail.toml", "language = \"de\"\nreply-to = \"help@example.org\"\n",
	), Options{})
	m := set.Settings([]string{"acme-specs", "acme"})
	if m.FromName != "Specs" || m.FromAddress != "acme@acme.example" || m.HostURL != "https://acme.example/ps" || m.Language != "de" ||
		m.ReplyTo != "help@example.org" || time.Duration(m.TokenLife) != 6*time.Hour || m.Headers["X-Group"] != "specs" || m.Headers["X-Project"] != "acme" ||
		m.SMTP == "" || m.SMTPPasswordFile != "/run/p" {
		t.Errorf("%+v", m)
	}
	if m := set.Settings(nil); m.FromName != "" || m.Language != "de" {
		t.Errorf("without a group: %+v", m)
	}
	if got := set.Names(); len(got) != 3 {
		t.Errorf("names %q", got)
	}
}

func TestMailSettingsFaults(t *testing.T) {
	for text, want := range map[string]string{
		"\nform-name = \"x\"":                              `line 2: there is no setting "form-name"; did you mean "from-name"?`,
		"from-name = \"a\\nBcc: x\"":                       "line 1: from-name: want one line",
		"from-address = \"Acme <a@b.example>\"":            "no email address",
		"from-address = \"a@b.example, c@d.example\"":      "no email address",
		"return-path = \"bounces\"":                        "return-path: ",
		"host-url = \"acme.example\"":                      "host-url: neither http nor https",
		"host-url = \"https://acme.example/ps?x=1\"":       "site prefix alone",
		"token-life = \"8d\"":                              "1 minute to 7 days",
		"token-life = \"30s\"":                             "1 minute to 7 days",
		"language = \"german!\"":                           "no language tag",
		"smtp-password-file = \"/run/p\"":                  "set smtp too",
		"smtp-token-file = \"/run/t\"":                     "smtp-token-file: set smtp too",
		"[headers]\nBcc = \"eve@example.org\"":             "Bcc: this header can't be set here",
		"[headers]\nX-A = \"a\\r\\nBcc: eve@example.org\"": "X-A: want one line",
		"from-name = ":                                     "line 1: ",
	} {
		_, err := Load(files("acme/mail.toml", text), Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "acme/mail.toml: ") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for file, want := range map[string]string{"acme/mails.toml": "misspelt?", "acme/notification/mail.toml": "no mail template"} {
		if _, err := Load(files(file, ""), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestLife(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "12h": 12 * time.Hour, "P1D": 24 * time.Hour, "P2DT12H": 60 * time.Hour, "PT90M": 90 * time.Minute,
		"P7D": maxLife, "P8D": 0, "P": 0, "PT": 0, "1": 0, "": 0, "-5h": 0, "P99999999999D": 0,
	} {
		var l Life
		err := l.UnmarshalText([]byte(text))
		if time.Duration(l) != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %v, %v; want %v", text, time.Duration(l), err, want)
		}
	}
}

// The vendor's file for a project's mails is read for what it covers.
func TestOrganizationConfig(t *testing.T) {
	const config = `<organization-config><email>
  <dkim domain="acme.example" selector="mail"/>
  <sender name="Acme app" email="app@acme.example"/>
  <links prefix="https://acme.example/email/"/>
  <images prefix="https://acme.example/images" logo-filename="logo.png"/>
  <application name="Acme portal" homepage="https://acme.example" helppage="https://acme.example/help"/>
  <footer text="Acme Inc, 1 Road"/>
  <style><text font-family="'Helvetica Neue', sans-serif"/><header background-color="#f7f7f7" text-color="#1179D2"/><footer background-color="#eee" text-color="#999"/></style>
</email><ui/><security/></organization-config>`
	set := mustLoad(t, files("acme/organization/organization-config.xml", config, "acme/mail.toml", "from-name = \"Ours\""), Options{})
	n := sample(ResetPasswordConfirm, ReasonMember, sampleGroup(), true)
	n.LinkPrefix = set.Settings([]string{"acme"}).LinkPrefix
	n.Link = n.LinkPrefix + "/changepassword?member=12&token=" + n.Token
	r := render(t, set, []string{"acme"}, n)
	if r.Settings.FromName != "Ours" || r.Settings.FromAddress != "app@acme.example" || n.LinkPrefix != "https://acme.example/email" {
		t.Errorf("%+v", r.Settings)
	}
	for _, want := range []string{
		`src="https://acme.example/images/logo.png" alt="Acme portal"`, "Acme Inc, 1 Road", "background-color:#f7f7f7", "color:#1179D2",
		"font-family:&#39;Helvetica Neue&#39;, sans-serif", "at <span dir=\"auto\">Acme portal</span>", `href="https://acme.example/email/changepassword`,
	} {
		if !strings.Contains(r.HTML, want) {
			t.Errorf("lacks %s:\n%s", want, r.HTML)
		}
	}
	for text, want := range map[string]string{
		"<organisation-config/>": "want an organization-config element",
		strings.Replace(config, "https://acme.example/email/", "javascript:alert(1)", 1): "links: ",
		strings.Replace(config, "#1179D2", "red;x:y", 1):                                 "want a colour",
		strings.Replace(config, "sans-serif", "x;}</style><script>", 1):                  "acme/organization/organization-config.xml: ",
		strings.Replace(config, "app@acme.example", "a@b, c@d", 1):                       "sender: ",
	} {
		if _, err := Load(files("acme/organization/organization-config.xml", text), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A group's mails come from the group (contract 1.9 holds for the services without one).
func TestSenderIsTheGroup(t *testing.T) {
	set := mustLoad(t, files("globex/mail.toml", "reply-to = \"help@globex.example\"", "initech/notification/change-password.txt", "changed"), Options{})
	for _, c := range []struct {
		chain    []string
		group    *Group
		language string
		want     string
	}{
		{nil, nil, "", ""},
		{[]string{"acme"}, sampleGroup(), "", "Acme specifications (do not reply)"},
		{[]string{"acme"}, sampleGroup(), "de-AT", "Acme specifications (bitte nicht antworten)"},
		{[]string{"acme"}, sampleGroup(), "cy", "Acme specifications (do not reply)"},
		{[]string{"globex"}, sampleGroup(), "", "Acme specifications"},
		{[]string{"initech"}, sampleGroup(), "de", "Acme specifications (do not reply)"}, // its templates are in English
	} {
		n := sample(ChangePassword, "", c.group, true)
		n.Language = c.language
		if got := render(t, set, c.chain, n).Settings.FromName; got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.chain, c.language, got, c.want)
		}
	}
}

// Issue 17: conditional comments vanished, and layouts that need them fell apart.
func TestConditionalCommentsReachTheMail(t *testing.T) {
	const body = `<!--[if mso | IE]><table><tr><td style="width:600px"><![endif]--><p>{{.Link}}</p><!--[if mso]><a href="{{.Link}}">{{.Member.Firstname}}</a><![endif]-->` +
		`<!--[if !mso]><!--><b>not Outlook</b><!--<![endif]--><!--[if !mso]>--><i>x</i><!--<![endif]--><!-- dropped --><![if !mso]>y<![endif]>`
	set := mustLoad(t, files("g/notification/set-password.html", body), Options{})
	n := sample(SetPassword, "", nil, true)
	n.Member.Firstname = "<i>Zoë"
	link := strings.ReplaceAll(n.Link, "&", "&amp;")
	want := strings.NewReplacer("{{.Link}}", link, "{{.Member.Firstname}}", "&lt;i&gt;Zoë", "<!-- dropped -->", "").Replace(body)
	if got := render(t, set, []string{"g"}, n).HTML; got != want+"\n" {
		t.Errorf("HTML = %s\nwant   %s", got, want)
	}
}

// A part that a folder lacks is made from the other, never taken from elsewhere.
func TestMissingPartIsMadeFromTheOther(t *testing.T) {
	set := mustLoad(t, files(
		"h/notification/set-password.html", `<div style="display: none">hidden</div><h1>Hello</h1><p>One &amp; two</p><p><a href="{{.Link}}">Set it</a></p>`,
		"t/notification/set-password.txt", "Hello <b>,\nline two\n\n{{.Link}}\n",
	), Options{})
	n := sample(SetPassword, "", sampleGroup(), true)
	r := render(t, set, []string{"h"}, n)
	if !strings.Contains(r.Text, "One & two") || !strings.Contains(r.Text, n.Link) || strings.Contains(r.Text, "hidden") || strings.Contains(r.Text, "<") {
		t.Errorf("text = %s", r.Text)
	}
	r = render(t, set, []string{"t"}, n)
	link := strings.ReplaceAll(n.Link, "&", "&amp;")
	for _, want := range []string{"Hello &lt;b&gt;,<br />line two</p>", `href="` + link + `"`, ">" + link + "</a>", "<title>Set your password</title>"} {
		if !strings.Contains(r.HTML, want) {
			t.Errorf("HTML lacks %s:\n%s", want, r.HTML)
		}
	}
}

// The old set goes on serving if the new one is broken.
func TestReloadKeepsTheOldSet(t *testing.T) {
	fsys := files("g/notification/set-password.txt", "one {{.Link}}", "g/page/page.toml", "name = \"One\"")
	l, err := NewLibrary(fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	says := func() string {
		r, err := l.Render(t.Context(), []string{"g"}, sample(SetPassword, "", sampleGroup(), true))
		if err != nil {
			t.Fatal(err)
		}
		return r.Text[:3] + " " + l.Pages().Look([]string{"g"}).Name + " " + r.Settings.FromName
	}
	if got := says(); got != "one One One (do not reply)" {
		t.Errorf("at first: %s", got)
	}
	fsys["g/notification/set-password.txt"].Data = []byte("two {{.Lnk}}")
	fsys["g/page/page.toml"].Data = []byte("name = \"Two\"")
	if err := l.Reload(); err == nil || !strings.Contains(err.Error(), "Lnk") {
		t.Errorf("broken: %v", err)
	}
	if got := says(); got != "one One One (do not reply)" {
		t.Errorf("after a broken change: %s", got)
	}
	fsys["g/notification/set-password.txt"].Data = []byte("two {{.Link}}")
	if err := l.Reload(); err != nil || says() != "two Two Two (do not reply)" {
		t.Errorf("mended: %v, %s", err, says())
	}
}

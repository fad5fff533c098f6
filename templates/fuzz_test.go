package templates

import (
	"maps"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/fold"
)

// Whatever mail.toml holds, it is refused or yields a sender, links and headers
// that nothing can be slipped into (MAI-1, MAI-4).
func FuzzMailSettings(f *testing.F) {
	for _, seed := range []string{
		"", "from-name = \"Acme\"\nfrom-address = \"no-reply@acme.example\"\nreply-to = \"help@acme.example\"\nreturn-path = \"b@acme.example\"\n",
		"host-url = \"https://acme.example/ps/\"\ntoken-life = \"P2DT12H\"\nlanguage = \"pt-BR\"\n",
		"smtp = \"smtps://u@mail.acme.example\"\nsmtp-password-file = \"/run/p\"\n", "smtp-token-file = \"/run/t\"\n",
		"[headers]\nX-Tenant = \"acme\"\nList-Id = \"<a.acme.example>\"\n", "[headers]\nBcc = \"eve@example.org\"\n",
		"from-name = \"a\\r\\nBcc: eve@example.org\"\n", "from-address = \"a@b.example, c@d.example\"\n", "host-url = \"javascript:alert(1)\"\n",
		"token-life = \"-5h\"\n", "token-life = \"P99999999999D\"\n", "from-name = '''a\nb'''\n", "form-name = \"x\"\n", "\xff", "[[headers]]\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMailSettings(text)
		if err == nil {
			checkSettings(t, m)
		}
	})
}

// The same for the vendor's file.
func FuzzOrganization(f *testing.F) {
	const whole = `<organization-config><email><sender name="Acme" email="app@acme.example"/><links prefix="https://acme.example/email/"/>` +
		`<images prefix="https://acme.example/images" logo-filename="logo.png"/><application name="Acme portal"/><footer text="Acme Inc"/>` +
		`<style><text font-family="'Helvetica Neue', sans-serif"/><header background-color="#f7f7f7" text-color="#1179D2"/>` +
		`<footer background-color="#eee" text-color="#999"/></style></email></organization-config>`
	f.Add(whole)
	for _, change := range [][2]string{
		{"https://acme.example/email/", "javascript:alert(1)"}, {"app@acme.example", "a@b, c@d"}, {"sans-serif", "x;}</style><script>"},
		{"#1179D2", "red;x:y"}, {`name="Acme"`, `name="A&#13;&#10;Bcc: eve@example.org"`}, {"logo.png", "?x=&quot;&gt;"}, {"organization-config", "x"},
		{"</email>", ""}, {"<organization", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><organization"}, {"Acme Inc", "\xff"},
	} {
		f.Add(strings.ReplaceAll(whole, change[0], change[1]))
	}
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseOrganization(text)
		if err == nil {
			checkSettings(t, m)
		}
	})
}

// checkSettings holds settings that were accepted to what mails rely on.
func checkSettings(t *testing.T, m MailSettings) {
	t.Helper()
	lines := append([]string{m.FromName, m.FromAddress, m.ReplyTo, m.ReturnPath, m.HostURL, m.LinkPrefix, m.Language, m.Brand.Name, m.Brand.Logo,
		m.Brand.Footer, m.Brand.Font}, colours(m)...)
	for name := range maps.Keys(m.Headers) {
		lines = append(lines, name, m.Headers[name])
		if !extraHeader.MatchString(name) {
			t.Errorf("header %q", name)
		}
	}
	for _, s := range lines {
		if strings.ContainsAny(s, "\r\n\x00") {
			t.Errorf("more than a line: %q", s)
		}
	}
	for _, address := range []string{m.FromAddress, m.ReplyTo, m.ReturnPath} {
		if address != "" && (strings.Count(address, "@") == 0 || strings.ContainsAny(address, "<>")) {
			t.Errorf("address %q", address)
		}
	}
	for _, link := range []string{m.HostURL, m.LinkPrefix, m.Brand.Logo} {
		if link != "" && !strings.HasPrefix(fold.ASCII(link), "http://") && !strings.HasPrefix(fold.ASCII(link), "https://") {
			t.Errorf("link %q", link)
		}
	}
	for _, value := range append(colours(m), m.Brand.Font) {
		if strings.ContainsAny(value, `;:{}<>()\/*&`) {
			t.Errorf("style %q", value)
		}
	}
	if life := m.TokenLife; life < 0 || life > Life(maxLife) {
		t.Errorf("token life %d", life)
	}
}

func colours(m MailSettings) []string {
	b := m.Brand
	return []string{b.HeaderBackground, b.HeaderText, b.FooterBackground, b.FooterText}
}

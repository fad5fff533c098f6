package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// load reads settings as serve does, with a TOML file where text isn't empty.
func load(t *testing.T, text string, args ...string) (*Config, []string, error) {
	t.Helper()
	if text != "" {
		name := filepath.Join(t.TempDir(), "reseed.toml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", name)
	}
	return Load(args, true)
}

// Domains in their own letters are kept in ASCII, and such before the @ are refused.
func TestConfigInternationalDomains(t *testing.T) {
	c, _, err := load(t, "", "--mail-from-address=no-reply@BÜCHER.example", "--email-domain=bücher.example", "--smtp-hello=mail.bücher.example")
	if err != nil {
		t.Fatal(err)
	}
	const ascii = "xn--bcher-kva.example"
	if c.MailFromAddress != "no-reply@"+ascii || c.EmailDomain != ascii || c.SMTPHello != "mail."+ascii {
		t.Errorf("sender %s, domain %s, hello %s", c.MailFromAddress, c.EmailDomain, c.SMTPHello)
	}
	for _, sender := range []string{"jürgen@example.org", "a@\uff45xample.org", "a@b\u200b.example"} {
		if _, _, err := load(t, "", "--smtp-utf8", "--mail-from-address="+sender); err == nil {
			t.Errorf("the sender %q is accepted", sender)
		}
	}
}

// The defaults are those of the README; a token lives for 12 hours (TOK-5).
func TestConfigDefaults(t *testing.T) {
	c, warnings, err := load(t, "")
	if err != nil || len(warnings) > 0 {
		t.Fatalf("err = %v, warnings %q", err, warnings)
	}
	got := []any{c.Listen, c.HostURL, c.EmailDomain, c.SitePrefix, c.MailFromName, c.MailFromAddress, c.KeyFile, c.TokenLife, c.Compat, c.Disclosure, c.SyncDelivery, c.MinPassword, c.MaxBody, c.MySQL()}
	want := []any{"127.0.0.1:8080", "http://127.0.0.1:8080/ps", "example.org", "/ps", "PageSeeder (DO NOT REPLY)", "pageseeder@example.org", "data/token.key", 12 * time.Hour, 6, "documented", "administrators", 8, int64(65536), false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigPrecedence(t *testing.T) {
	const file = "listen = '127.0.0.1:3'\ntoken-life = '3h'\nmin-password = 13\nmax-body = 3000\n"
	t.Setenv("RESEED_LISTEN", "127.0.0.1:2")
	t.Setenv("RESEED_TOKEN_LIFE", "2h")
	t.Setenv("RESEED_MIN_PASSWORD", "12")
	c, _, err := load(t, file, "--listen", "127.0.0.1:1", "--token-life", "1h")
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Listen, c.TokenLife, c.MinPassword, c.MaxBody, c.Disclosure}
	want := []any{"127.0.0.1:1", time.Hour, 12, int64(3000), "documented"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigEmptyVariableIsNone(t *testing.T) {
	for _, name := range []string{"RESEED_LISTEN", "RESEED_TOKEN_LIFE", "RESEED_MIN_PASSWORD", "RESEED_CONFIG", "RESEED_SMTP_PASSWORD"} {
		t.Setenv(name, "")
	}
	c, _, err := load(t, "min-password = 9\n")
	if err != nil || c.Listen != "127.0.0.1:8080" || c.TokenLife != 12*time.Hour || c.MinPassword != 9 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestConfigFileFromEnvironment(t *testing.T) {
	name := filepath.Join(t.TempDir(), "reseed.toml")
	if err := os.WriteFile(name, []byte("disclosure = 'concealed'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RESEED_CONFIG", name)
	c, _, err := load(t, "")
	if err != nil || c.Disclosure != "concealed" {
		t.Errorf("disclosure = %v, err = %v", c, err)
	}
}

func TestConfigReportsAllFaultsTogether(t *testing.T) {
	t.Setenv("RESEED_MIN_PASSWORD", "many")
	_, _, err := load(t, "compat = 7\ntoken-life = 'long'\nhosturl = 'x'\ndisclosure = 'open'\n", "--listen", "here", "--max-body", "1")
	var faulty Error
	if !errors.As(err, &faulty) {
		t.Fatalf("err = %v, want a configError", err)
	}
	for _, want := range []string{
		`reseed.toml:3: there is no setting "hosturl"; did you mean "host-url"?`, "min-password: ", "token-life: ",
		"compat: ", "disclosure: ", "listen: ", "max-body: ",
	} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("want %q once in:\n%v", want, err)
		}
	}
	if len(faulty) != 7 {
		t.Errorf("%d faults, want 7:\n%v", len(faulty), err)
	}
}

// Each faulty setting is named; a token's life of more than a day among them (TOK-5).
func TestConfigFaults(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	if err := os.WriteFile(open, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ setting, value string }{
		{"data", ""}, {"database", "mysql://u:p@h:33x/n"}, {"database", "mysql://h"}, {"database", "u:p@h/n"}, {"database", "mysql://h/n?tls=nonesuch"},
		{"listen", "localhost"}, {"listen", ":70000"}, {"listen", ":http"},
		{"host-url", "example.org/ps"}, {"host-url", "ftp://example.org"}, {"host-url", "HTTPS://example.org/ps"},
		{"host-url", "https://exämple.org/ps"}, {"host-url", "https://ex\"ample.org/ps"}, {"host-url", "https://example,org/ps"},
		{"host-url", "https://example.org:/ps"}, {"host-url", "https://example.org:99999/ps"}, {"host-url", "https://example.org/" + strings.Repeat("a", 1000)}, {"host-url", "https://example.org/ps?a=b"},
		{"host-url", "https://example.org/ps?"}, {"host-url", "https://example.org/ps#x"}, {"host-url", "https://u:p@example.org"}, {"host-url", "https:///ps"},
		{"host-url", "https://example.org/p s"}, {"host-url", "https://example.org/<b>"},
		{"site-prefix", "ps"}, {"site-prefix", "/ps/../x"}, {"site-prefix", "/a//b"}, {"site-prefix", "/ps;x"},
		{"disclosure", "Documented"}, {"compat", "4"}, {"sync-delivery", "nobody"},
		{"min-password", "7"}, {"min-password", "65"}, {"token-life", "24h0m1s"}, {"token-life", "0"}, {"token-life", "-1h"},
		{"read-timeout", "0"}, {"log-level", "loud"}, {"listen", "unix:here"}, {"stop-timeout", "-1s"}, {"mails-per-hour", "0"}, {"max-body", "0"},
		{"email-domain", "127.0.0.1"}, {"email-domain", "a b"}, {"email-domain", "example.org\r\nBcc"}, {"email-domain", "-x.org"},
		{"mail-from-address", "nobody"}, {"mail-from-address", "A <a@example.org>"}, {"mail-from-name", "a\r\nBcc: b"}, {"mail-from-name", "a\u202eb"},
		{"templates", "/nonexistent"}, {"global-template", "../x"},
		{"smtp", "http://example.org"}, {"smtp", "smtps://h?starttls=never"}, {"smtp", "smtp://h:0"},
		{"smtp-password-file", "/nonexistent"}, {"smtp-password-file", open}, {"config", "/nonexistent"},
	} {
		_, _, err := load(t, "", "--"+c.setting+"="+c.value)
		if err == nil || !strings.Contains(err.Error(), "\n  "+c.setting+": ") {
			t.Errorf("--%s=%q: err = %v", c.setting, c.value, err)
		}
	}
}

func TestConfigSMTP(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("from-file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := load(t, "", "--smtp=smtp://mail.example.org"); err == nil || !strings.Contains(err.Error(), "email-domain: ") {
		t.Errorf("no domain to send from: err = %v", err)
	}
	args := []string{"--smtp=smtp://mailer@mail.example.org", "--host-url=https://reset.example.com/ps"}
	if _, _, err := load(t, "", args...); err == nil || !strings.Contains(err.Error(), "smtp: names a user") {
		t.Errorf("no password: err = %v", err)
	}
	c, _, err := load(t, "", append(args, "--smtp-password-file="+secret)...)
	if err != nil || c.SMTPPassword.Reveal() != "from-file" || c.MailFromAddress != "pageseeder@reset.example.com" {
		t.Errorf("from the file: %+v, %v", c, err)
	}
	t.Setenv("RESEED_SMTP_PASSWORD", "from-environment")
	if c, _, err = load(t, "", append(args, "--smtp-password-file="+secret)...); err != nil || c.SMTPPassword.Reveal() != "from-environment" {
		t.Errorf("from the environment: %+v, %v", c, err)
	}
}

func TestConfigMySQLNeedsKeyFile(t *testing.T) {
	const dsn = "mysql://u:canary@db/reseed"
	if _, _, err := load(t, "", "--database="+dsn); err == nil || !strings.Contains(err.Error(), "key-file: ") {
		t.Errorf("err = %v", err)
	}
	if _, _, err := load(t, "", "--database="+dsn, "--key-file=k"); err != nil {
		t.Errorf("err = %v", err)
	}
}

// No dump of the configuration and no error about it shows a secret (LOG-7).
func TestConfigHidesSecrets(t *testing.T) {
	t.Setenv("RESEED_SMTP_PASSWORD", "canary-1")
	c, _, err := load(t, "database = 'u:canary-2@tcp(db)/reseed'\n", "--key-file=k")
	if err != nil || c.Database.Reveal() != "u:canary-2@tcp(db)/reseed" {
		t.Fatalf("%v, %v", c, err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(verb, *c); strings.Contains(s, "canary") || !strings.Contains(s, "***") {
			t.Errorf("%s prints %s", verb, s)
		}
	}
	_, _, err = load(t, "", "--smtp=smtp://u:canary-3@h", "--host-url=http://u:canary-4@h")
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("err = %v", err)
	}
	_, _, err = load(t, "database = 'canary-5\n")
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "reseed.toml:1: ") {
		t.Errorf("err = %v", err)
	}
}

func TestConfigHostURL(t *testing.T) {
	for _, c := range []struct{ want, domain, args string }{
		{"http://localhost:8080/ps", "example.org", "--listen=:8080"},
		{"http://localhost:8080/ps", "example.org", "--listen=0.0.0.0:8080"},
		{"http://localhost:8080/x", "example.org", "--listen=[::]:8080 --site-prefix=/x/"},
		{"http://[::1]:8080", "example.org", "--listen=[::1]:8080 --site-prefix=/"},
		{"http://reset.example.com/ps", "reset.example.com", "--listen=reset.example.com:80"},
		{"https://a.example.com/ps", "a.example.com", "--host-url=https://a.example.com/ps/"},
		{"https://a.example.com/ps", "b.example.com", "--host-url=https://a.example.com/ps --email-domain=b.example.com"},
	} {
		got, _, err := load(t, "", strings.Fields(c.args)...)
		if err != nil || got.HostURL != c.want || got.EmailDomain != c.domain {
			t.Errorf("%s: %+v, %v, want %s and %s", c.args, got, err, c.want, c.domain)
		}
	}
	derived, _, _ := load(t, "", "--listen=127.0.0.1:0")
	if derived.Listening("127.0.0.1:4711"); derived.HostURL != "http://127.0.0.1:4711/ps" {
		t.Errorf("derived host URL is %s", derived.HostURL)
	}
	given, _, _ := load(t, "", "--host-url=http://example.org/ps")
	if given.Listening("127.0.0.1:4711"); given.HostURL != "http://example.org/ps" {
		t.Errorf("given host URL became %s", given.HostURL)
	}
}

func TestConfigWarnings(t *testing.T) {
	for args, want := range map[string]string{
		"--host-url=http://localhost":                                        "host-url: ",
		"--host-url=https://reset.example.com/ps":                            "smtp: none is set, so NO MAIL IS SENT",
		"--sync-delivery=everyone":                                           "sync-delivery: ",
		"--smtp=smtp://h.example?starttls=never --host-url=https://a.org/ps": "smtp: ",
	} {
		_, warnings, err := load(t, "", strings.Fields(args)...)
		if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], want) {
			t.Errorf("%s: warnings %q, err = %v", args, warnings, err)
		}
	}
}

// The names of settings are what operators have in their files: a renamed field shows here.
func TestConfigNames(t *testing.T) {
	settings, err := Settings()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range settings {
		names = append(names, s.Name)
		if s.Env != "RESEED_"+strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_")) || s.Help == "" || s.Group == "" {
			t.Errorf("%+v", s)
		}
		if err := s.check(s.flag.Target); err != nil {
			t.Errorf("%s: its default is refused: %v", s.Name, err)
		}
	}
	if len(names) < 50 || !slices.Contains(names, "smtp-password-file") || !slices.Contains(names, "max-in-flight") {
		t.Errorf("%q", names)
	}
}

// A value that is refused is named with its line, and so is a key; tables,
// arrays and a byte order mark are read.
func TestConfigFile(t *testing.T) {
	_, _, err := load(t, "\xef\xbb\xbf# head\nmin-password = 3\n\n[session]\ntimeout = 'x'\nlive = '1h'\n[log]\nformat = ['json']\n")
	for _, want := range []string{
		"reseed.toml:2: min-password: 3: want 8 to 64", "reseed.toml:5: session-timeout: ", `reseed.toml:6: there is no setting "session-live"; did you mean "session-life"?`,
		"reseed.toml:8: log-format: want a single value",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
	c, _, err := load(t, "trusted-proxies = ['10.0.0.0/8', '192.0.2.1']\nclient-rate = 7\n[session]\ntimeout = '5m'\nlife = '6h'\n[max]\nin-flight = 5\n")
	if err != nil || c.TrustedProxies != "10.0.0.0/8,192.0.2.1" || c.SessionTimeout != 5*time.Minute || c.MaxInFlight != 5 || c.ClientRate == nil || *c.ClientRate != 7 {
		t.Errorf("%+v, %v", c, err)
	}
}

// A misspelt variable is named; what Kubernetes sets for a service is not.
func TestUnknownVariablesAreNamed(t *testing.T) {
	t.Setenv("RESEED_HOSTURL", "https://example.org")
	t.Setenv("RESEED_SERVICE_HOST", "10.0.0.1")
	t.Setenv("RESEED_PORT_8080_TCP", "tcp://10.0.0.1:8080")
	_, warnings, err := load(t, "")
	if err != nil || len(warnings) != 1 || warnings[0] != `the environment variable RESEED_HOSTURL is no setting; did you mean "RESEED_HOST_URL"?` {
		t.Errorf("%q, %v", warnings, err)
	}
}

// A server that mails for real must not mail links to itself.
func TestMailsNeedAHostURL(t *testing.T) {
	for listen, want := range map[string]bool{"127.0.0.1:8080": true, ":8080": true, "[::1]:80": true, "localhost:80": true, "unix:/run/reseed.sock": true, "192.0.2.7:80": false, "reset.example.org:80": false} {
		_, _, err := load(t, "", "--smtp=smtp://mail.example.org", "--email-domain=example.org", "--listen="+listen)
		if got := err != nil && strings.Contains(err.Error(), "host-url: required with smtp"); got != want {
			t.Errorf("%s: %v", listen, err)
		}
	}
}

// Secrets come from the environment, files that a group may read, mounts, and
// systemd's credentials.
func TestSecretsAsPlatformsPassThem(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	smtp := []string{"--smtp=smtp://mailer@mail.example.org", "--host-url=https://reset.example.com/ps"}
	for _, mode := range []os.FileMode{0o600, 0o640, 0o440} {
		c, _, err := load(t, "", append(smtp, "--smtp-password-file="+write("p", "word\n", mode))...)
		if err != nil || c.SMTPPassword.Reveal() != "word" {
			t.Errorf("%o: %v", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o644, 0o620, 0o602} {
		if _, _, err := load(t, "", append(smtp, "--smtp-password-file="+write("p", "word\n", mode))...); err == nil || !strings.Contains(err.Error(), "chmod 640") {
			t.Errorf("%o: %v", mode, err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", folder)
	write("smtp-password", "passed\n", 0o440)
	write("database", "mysql://u:p@h/n\n", 0o440)
	key := write("token.key", "key\n", 0o440)
	c, _, err := load(t, "", smtp...)
	if err != nil || c.SMTPPassword.Reveal() != "passed" || !c.MySQL() || c.KeyFile != key {
		t.Errorf("%+v, %v", c, err)
	}
	t.Setenv("RESEED_KEY", "text")
	t.Setenv("RESEED_DATABASE", "mysql://u:p@other/n")
	if c, _, err = load(t, "", smtp...); err != nil || c.Key.Reveal() != "text" || c.KeyFile != "" || c.Database.Reveal() != "mysql://u:p@other/n" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestValuesSayWhereTheyComeFrom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "reseed.toml")
	if err := os.WriteFile(file, []byte("# x\nkeep = '96h'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RESEED_COMPAT", "5")
	t.Setenv("RESEED_DATABASE", "mysql://u:canary@h/n")
	c, l, err := parse([]string{"--config", file, "--log-level=debug", "--key-file=k"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Finish(c, false); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range l.Values() {
		got[v.Name] = v.Text + " from " + v.Source
	}
	for name, want := range map[string]string{
		"keep": "96h0m0s from " + file + ":2", "compat": "5 from RESEED_COMPAT", "log-level": "debug from command line", "log-format": "text from default",
		"database": "*** from RESEED_DATABASE", "host-url": "http://127.0.0.1:8080/ps from derived",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

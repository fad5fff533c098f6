package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// load reads settings as serve does, with a TOML file where text isn't empty.
func load(t *testing.T, text string, args ...string) (*Config, *loader, error) {
	t.Helper()
	if text != "" {
		name := filepath.Join(t.TempDir(), "reseed.toml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", name)
	}
	var line commandLine
	l := newLoader()
	parser, err := newParser(&line, l, &console{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(append([]string{"serve"}, args...)); err != nil {
		return nil, l, err
	}
	return &line.Config, l, l.finish(&line.Config, true)
}

// The defaults are those of the README; a token lives for 12 hours (TOK-5).
func TestConfigDefaults(t *testing.T) {
	c, l, err := load(t, "")
	if err != nil || len(l.warnings) > 0 {
		t.Fatalf("err = %v, warnings %q", err, l.warnings)
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
	var faulty configError
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
		{"read-timeout", "0"}, {"stop-timeout", "-1s"}, {"mails-per-hour", "0"}, {"max-body", "0"},
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
		"--host-url=https://example.org":                              "host-url: ",
		"--sync-delivery=everyone":                                    "sync-delivery: ",
		"--smtp=smtp://h.example?starttls=never --email-domain=a.org": "smtp: ",
	} {
		_, l, err := load(t, "", strings.Fields(args)...)
		if err != nil || len(l.warnings) != 1 || !strings.HasPrefix(l.warnings[0], want) {
			t.Errorf("%s: warnings %q, err = %v", args, l.warnings, err)
		}
	}
}

// The three names of a setting follow from each other.
func TestConfigNames(t *testing.T) {
	table, err := configTable()
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(table), "\n")[2:]
	if len(rows) < 20 {
		t.Fatalf("only %d settings:\n%s", len(rows), table)
	}
	for _, r := range rows[:len(rows)-1] {
		cells := strings.Split(r, "`")
		if want := "RESEED_" + strings.ToUpper(strings.ReplaceAll(cells[1], "-", "_")); cells[3] != want {
			t.Errorf("--%s is %s in the environment, want %s", cells[1], cells[3], want)
		}
	}
}

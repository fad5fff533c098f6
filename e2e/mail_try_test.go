package e2e

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	verifier "github.com/toorop/go-dkim"
)

// mailTry is a folder with settings for mail servers of the tests' own.
type mailTry struct {
	dir string
	env []string
}

func newMailTry(t *testing.T, own *mta, other *mta) *mailTry {
	t.Helper()
	m := &mailTry{dir: t.TempDir()}
	certs := append(certificate(own), certificate(other)...)
	m.write(t, "certs.pem", string(certs))
	m.write(t, "token", "canary-token\n")
	m.write(t, "templates/acme/mail.toml", `from-name = "Acme"
from-address = "no-reply@acme.example.org"
return-path = "bounces@acme.example.org"
smtp = "smtp://acme@`+other.addr+`"
smtp-token-file = "`+filepath.Join(m.dir, "token")+`"
[headers]
X-Tenant = "acme"
`)
	m.env = append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(m.dir, "certs.pem"), "SSL_CERT_DIR="+m.dir,
		"RESEED_DATA="+filepath.Join(m.dir, "data"), "RESEED_TEMPLATES="+filepath.Join(m.dir, "templates"),
		"RESEED_HOST_URL=https://accounts.example.org/ps", "RESEED_SMTP=smtp://mailer@"+own.addr,
		"RESEED_SMTP_PASSWORD=canary-smtp-password")
	return m
}

func certificate(m *mta) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.cert})
}

func (m *mailTry) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reseed mail test sends a real mail, and with --group one as the group's are sent:
// through its own server, signed in there by a token, from its own sender and signed
// by the key of that domain. It prints what each stage answered, and no secret.
func TestMailTestSendsAsAGroupDoes(t *testing.T) {
	t.Parallel()
	own, other := startMTA(t), startMTA(t)
	other.token = "canary-token"
	try := newMailTry(t, own, other)
	name, record := dkimRecord(t, mustRun(t, try.env, "dkim", "add", "acme.example.org"))

	for group, want := range map[string]struct {
		mta             *mta
		user, from, out string
	}{
		"":           {own, "mailer", "pageseeder@accounts.example.org", "smtp://" + own.addr},
		"acme-specs": {other, "acme", "bounces@acme.example.org", "smtp://" + other.addr},
	} {
		args := []string{"mail", "test", "--to", "ann@example.org"}
		if group != "" {
			args = append(args, "--group", group)
		}
		out := mustRun(t, try.env, args...)
		t.Logf("%v:\n%s", args, out)
		for _, part := range []string{
			want.out, "\ngreeting\t220", "\nehlo\t250", "\nstarttls\t220", "\nauth\t235", "\nmail\t250", "\nrcpt\t250", "\ndata\t354", "\ndot\t250",
		} {
			if !strings.Contains(out, part) {
				t.Errorf("%q: no %q", group, part)
			}
		}
		if strings.Contains(out, "canary") {
			t.Errorf("%q: a secret is printed", group)
		}
		got := want.mta.next(t)
		if got.user != want.user || got.from != want.from || got.to != "ann@example.org" || got.hello != "accounts.example.org" || !got.tls {
			t.Errorf("%q: user %s, from %s, to %s, hello %s, TLS %v", group, got.user, got.from, got.to, got.hello, got.tls)
		}
		tenant := strings.Contains(string(got.data), "X-Tenant: acme")
		if signed := verified(got.data, name, record); signed != (group != "") || tenant != signed {
			t.Errorf("%q: signed %v, the group's header %v", group, signed, tenant)
		}
	}
	try.write(t, "token", "stale\n")
	out, ok := runs(t, try.env, "mail", "test", "--to", "ann@example.org", "--group", "acme")
	if ok || !strings.Contains(out, "not sent") || !strings.Contains(out, "\nauth\t535") || strings.Contains(out, "stale") {
		t.Errorf("with a token that is refused: %v\n%s", ok, out)
	}
}

// dkimRecord returns name and text of the record that dkim add prints.
func dkimRecord(t *testing.T, out string) (name, text string) {
	t.Helper()
	line, _, _ := strings.Cut(out, "\n")
	name, rest, found := strings.Cut(line, ". IN TXT (")
	if !found {
		t.Fatalf("no record: %s", out)
	}
	for i, part := range strings.Split(rest, `"`) {
		if i%2 == 1 {
			text += part
		}
	}
	return name, text
}

func verified(message []byte, name, record string) bool {
	status, err := verifier.Verify(&message, verifier.DNSOptLookupTXT(func(asked string) ([]string, error) {
		if asked != name {
			return nil, os.ErrNotExist
		}
		return []string{record}, nil
	}))
	return err == nil && status == verifier.SUCCESS
}

// doctor returns what reseed doctor says of this machine alone.
func doctor(t *testing.T, env []string) string {
	t.Helper()
	out, _ := runs(t, env, "doctor", "--offline")
	return out
}

// If mails are signed, a folder whose sender is in a domain without a key is refused
// with the command that makes one; a server of the folder's own may sign.
func TestSenderWithoutDKIMKeyIsRefused(t *testing.T) {
	t.Parallel()
	mta := startMTA(t)
	try := newMailTry(t, mta, mta)
	try.write(t, "templates/other/mail.toml", "from-address = \"no-reply@other.example.org\"\n")
	check := []string{"templates", "check"}
	mustRun(t, try.env, check...) // nothing is signed
	if out := doctor(t, try.env); strings.Contains(out, "unsigned") {
		t.Errorf("without keys: %s", out)
	}
	mustRun(t, try.env, "dkim", "add", "acme.example.org")
	if out := doctor(t, try.env); !strings.Contains(out, "mail-from-address: mails from pageseeder@accounts.example.org go out unsigned") ||
		!strings.Contains(out, "reseed dkim add accounts.example.org") {
		t.Errorf("with another domain's key: %s", out)
	}
	mustRun(t, try.env, "dkim", "add", "accounts.example.org")
	if out := doctor(t, try.env); strings.Contains(out, "unsigned") {
		t.Errorf("with a key: %s", out)
	}
	out, ok := runs(t, try.env, check...)
	t.Log(out)
	if ok || !strings.Contains(out, "other/mail.toml: the sender no-reply@other.example.org has no DKIM key") ||
		!strings.Contains(out, "reseed dkim add other.example.org") || strings.Contains(out, "acme/") {
		t.Errorf("checked: %v", ok)
	}
	mustRun(t, try.env, "dkim", "add", "Other.example.org")
	mustRun(t, try.env, check...)

	// A domain in its own letters is the same as in ASCII.
	try.write(t, "templates/other/mail.toml", "from-address = \"no-reply@BÜCHER.example\"\n")
	if out, ok := runs(t, try.env, check...); ok || !strings.Contains(out, "reseed dkim add xn--bcher-kva.example") {
		t.Errorf("checked: %v\n%s", ok, out)
	}
	if out := mustRun(t, try.env, "dkim", "add", "bücher.example"); !strings.Contains(out, "reseed._domainkey.xn--bcher-kva.example. IN TXT") {
		t.Error(out)
	}
	mustRun(t, try.env, check...)
	try.write(t, "templates/other/mail.toml", "reply-to = \"jürgen@example.org\"\n")
	if out, ok := runs(t, try.env, check...); ok || !strings.Contains(out, `other/mail.toml: reply-to: "jürgen@example.org" is no address of a sender`) {
		t.Errorf("checked: %v\n%s", ok, out)
	}
}

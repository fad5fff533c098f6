package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong is found and has a cure beside it; nothing is made or changed.
func TestDoctor(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := func(more ...string) []string {
		return append(append(os.Environ(), "RESEED_DATA="+filepath.Join(folder, "data"), "RESEED_DATABASE="), more...)
	}
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := closed.Addr().String()
	closed.Close()
	file("broken/acme/notification/change-password.html", "{{.Member.Nickname}}", 0o600)
	file("open.key", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=", 0o644)
	file("short.key", "QUFB", 0o600)
	typo := file("typo.toml", "tokn-life = '1h'\n", 0o600)
	fault := file("fault.toml", "\ntoken-life = '48h'\n", 0o600)

	if out, ok := runs(t, env(), "doctor", "--offline"); ok || !strings.Contains(out, "fault\tdatabase\tthere is no database in ") {
		t.Errorf("without a database: %s", out)
	}
	mustRun(t, env(), "migrate")
	if out := mustRun(t, env(), "doctor", "--offline"); strings.Contains(out, "fault\t") || !strings.Contains(out, "ok\tdatabase\t") {
		t.Errorf("in order: %s", out)
	}
	smtp := []string{"RESEED_SMTP=smtp://" + addr + "?starttls=never", "RESEED_HOST_URL=http://" + addr + "/ps", "RESEED_EMAIL_DOMAIN=reset.invalid"}
	for _, c := range []struct {
		want string
		env  []string
		args []string
	}{
		{"there is no setting \"tokn-life\"; did you mean \"token-life\"?", nil, []string{"--config", typo, "--offline"}},
		{"fault.toml:2: token-life: 48h0m0s: want 1m to 24h", nil, []string{"--config", fault, "--offline"}},
		{"listen: ", nil, []string{"--listen", "nowhere", "--offline"}},
		{"host-url: required with smtp", []string{"RESEED_SMTP=smtp://mail.invalid", "RESEED_EMAIL_DOMAIN=a.org"}, []string{"--offline"}},
		{"names a user, but there is no password", append([]string{"RESEED_SMTP=smtp://u@" + addr}, smtp[1:]...), []string{"--offline"}},
		{"fault\ttoken key\t", []string{"RESEED_KEY_FILE=" + filepath.Join(folder, "open.key")}, []string{"--offline"}},
		{"token key has 3 bytes", []string{"RESEED_KEY_FILE=" + filepath.Join(folder, "short.key")}, []string{"--offline"}},
		{"fault\tdatabase\t", []string{"RESEED_DATABASE=mysql://u:canary@" + addr + "/n", "RESEED_KEY_FILE=k"}, []string{"--offline"}},
		{"the link to another machine is not protected", []string{"RESEED_DATABASE=mysql://u:canary@0.0.0.0:" + addr[strings.LastIndex(addr, ":")+1:] + "/n?tls=false", "RESEED_KEY_FILE=k"}, []string{"--offline"}},
		{"key-file: required with MySQL", []string{"RESEED_DATABASE=mysql://u:canary@" + addr + "/n"}, []string{"--offline"}},
		{"fault\ttemplates\t", []string{"RESEED_TEMPLATES=" + filepath.Join(folder, "broken")}, []string{"--offline"}},
		{"no such folder", []string{"RESEED_TEMPLATES=" + filepath.Join(folder, "none")}, []string{"--offline"}},
		{"fault\tmail server\t", smtp, nil},
		{"fault\thost URL\t", smtp, nil},
		{"has no MX record", smtp, nil},
		{"SPF", smtp, nil},
	} {
		out, ok := runs(t, env(c.env...), append([]string{"doctor"}, c.args...)...)
		if ok || !strings.Contains(out, c.want) || strings.Contains(out, "canary") {
			t.Errorf("want %q in:\n%s", c.want, out)
		}
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "fault\t") && strings.HasSuffix(strings.TrimRight(line, "\n"), "\t") {
				t.Errorf("no cure for %s", line)
			}
		}
	}
	if out, ok := runs(t, env(), "doctor", "--json", "--offline"); !ok || !strings.Contains(out, `{"about":"database","state":"ok"`) {
		t.Error(out)
	}
}

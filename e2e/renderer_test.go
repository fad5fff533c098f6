package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/templates/xslt"
)

// A renderer of stylesheets that dies, prints or hangs delays the mails of its own
// groups alone, and loses none: they go out with the next process.
func TestMailsOutliveTheirRenderer(t *testing.T) {
	t.Parallel()
	for how, meanwhile := range map[string]string{
		"dies":   "echo no memory >&2; exit 3",
		"prints": "echo rendering",
		"hangs":  "",
	} {
		if testing.Short() && how != "dies" {
			continue
		}
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			r := newRendererScript(t)
			site := startSite(t, siteConfig{settings: "templates = \"" + r.templates + "\"\nxslt = \"" + r.script + "\"\n"})
			ask := func(group, email, want string) {
				t.Helper()
				if w := site.send(t, [3]string{"POST", "/groups/" + group + "/members/resetpassword", "email=" + email}, anybody); w.Code != 200 {
					t.Fatalf("%s: %d %s", group, w.Code, w.Body)
				}
				var to []string
				for _, m := range site.deliver(t) {
					to = append(to, m.To+" "+m.Subject)
				}
				if got := strings.Join(to, "\n"); got != want {
					t.Errorf("after %s's request there came\n%s\nwant\n%s", email, got, want)
				}
			}
			ann := "ann@example.org Update your password, acme-specs"
			ask("acme-specs", "ann@example.org", ann)

			r.breakDown(t, meanwhile)
			ask("acme-specs", "ann@example.org", "")
			ask("globex-web", "bob.builder@example.org", "Bob.Builder@example.org Update your password")
			if left := len(site.waiting(t)); left != 1 {
				t.Errorf("%d mails wait, want ann's", left)
			}

			r.mend(t)
			site.clock.advance(t, "2m")
			for _, m := range site.deliver(t) {
				if got := m.To + " " + m.Subject; got != ann {
					t.Errorf("afterwards there came %s", got)
				}
			}
			if left, dead := len(site.waiting(t)), len(site.mails(t, mail.Dead)); left != 0 || dead != 0 {
				t.Errorf("%d mails wait and %d are dead after the renderer is back", left, dead)
			}
		})
	}
}

// rendererScript is a command that starts the built-in renderer until it is
// broken, and the vendor-style templates of acme.
type rendererScript struct{ templates, script, broken, pid string }

func newRendererScript(t *testing.T) rendererScript {
	t.Helper()
	if err := xslt.Check(xslt.Saxon); err != nil {
		t.Fatalf("%v; scripts/setup.sh installs what is missing", err)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		t.Fatal(err)
	}
	source, err := filepath.Abs("templates/xslt/Renderer.java")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := rendererScript{filepath.Join(dir, "templates"), filepath.Join(dir, "render"), filepath.Join(dir, "broken"), filepath.Join(dir, "pid")}
	if err := os.CopyFS(r.templates, os.DirFS("templates/testdata/xslt")); err != nil {
		t.Fatal(err)
	}
	lines := "#!/bin/sh\necho $$ >" + r.pid + "\nif [ -s " + r.broken + " ]; then . " + r.broken + "; exit; fi\n" +
		"exec " + java + " -XX:TieredStopAtLevel=1 -cp /usr/share/java/Saxon-HE.jar " + source + " 5000 524288\n"
	if err := os.WriteFile(r.script, []byte(lines), 0o700); err != nil {
		t.Fatal(err)
	}
	return r
}

// breakDown ends the process, and has the next ones do what the shell lines say;
// without any, it stops the process where it is.
func (r rendererScript) breakDown(t *testing.T, lines string) {
	t.Helper()
	b, err := os.ReadFile(r.pid)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	if err != nil {
		t.Fatal(err)
	}
	signal := syscall.SIGKILL
	if lines == "" {
		signal = syscall.SIGSTOP
	}
	if err := os.WriteFile(r.broken, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
}

// mend has processes work that are started from now on.
func (r rendererScript) mend(t *testing.T) {
	t.Helper()
	if err := os.Remove(r.broken); err != nil {
		t.Fatal(err)
	}
}

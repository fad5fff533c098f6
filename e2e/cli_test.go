package e2e

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/reseed-project/reseed/password"
)

// program returns a command that runs the program, in a process of its own.
func program(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(programPath(t), args...)
	cmd.Env = env
	return cmd
}

// scripts runs testdata/script. Its commands find the database in DSN; without
// one, they work on SQLite.
func scripts(t *testing.T, dsn string, files ...string) {
	t.Helper()
	path := filepath.Dir(programPath(t)) + string(os.PathListSeparator) + os.Getenv("PATH")
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            time.Now().Add(10 * time.Minute), // a server that starts where it should not runs for ever
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", path)
			env.Setenv("RESEED_DATA", filepath.Join(env.WorkDir, "data"))
			env.Setenv("RESEED_DATABASE", dsn)
			return nil
		},
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d scripts, err = %v", len(files), err)
	}
	t.Run("sqlite", func(t *testing.T) { scripts(t, "", files...) })
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if testing.Short() && !slices.Contains([]string{"erase", "list", "mail", "site"}, name) {
			continue
		}
		t.Run("mariadb/"+name, func(t *testing.T) { scripts(t, emptyDSN(t), file) })
	}
}

// Every command has help, and its help an example; those that only hold others, too.
// Commands work in a second process beside a server, and the server sees what they did.
func TestCommandsBesideServer(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(testing.TB) string{
		"sqlite":  func(testing.TB) string { return "" },
		"mariadb": testDSN,
	} {
		t.Run(name, func(t *testing.T) {
			env := append(os.Environ(), "RESEED_DATA="+t.TempDir(), "RESEED_DATABASE="+dsn(t),
				"RESEED_KEY_FILE="+keyFile(t), "RESEED_LISTEN=127.0.0.1:0")
			base := startServer(t, env)
			reseed := func(args ...string) string {
				out, err := program(t, env, args...).Output()
				if err != nil {
					t.Fatalf("%v: %v", args, err)
				}
				return string(out)
			}
			if id := reseed("member", "add", "--email", "new@example.org"); id != "1\n" {
				t.Errorf("member add prints %q", id)
			}
			reseed("member", "lock", "new@example.org")
			if got := postEmail(t, base, "new@example.org"); !strings.Contains(got, `<error id="1019">`) {
				t.Errorf("a member locked by command is answered %s", got)
			}
			reseed("member", "unlock", "1")
			if got := postEmail(t, base, "new@example.org"); got != `<reset-password status="request-successful" />` {
				t.Errorf("a member unlocked by command is answered %s", got)
			}
			if mails := reseed("mail", "list", "--member", "1"); strings.Count(mails, "\n") != 1 {
				t.Errorf("mail list prints %q", mails)
			}
		})
	}
}

// keyFile makes a file with a key to make tokens with.
func keyFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "token.key")
	if _, err := password.LoadOrCreateKeyFile(name, rand.Reader); err != nil {
		t.Fatal(err)
	}
	return name
}

var listening = regexp.MustCompile(`^listening +(\S+)`)

// startServer returns the URL of a server that ends, well, with the test.
func startServer(t *testing.T, env []string) string {
	t.Helper()
	cmd := program(t, env, "serve")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ends with %v:\n%s", err, log.String())
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			return "http://" + m[1]
		}
	}
	t.Fatal("the server doesn't say where it listens")
	return ""
}

func postEmail(t *testing.T, base, email string) string {
	t.Helper()
	resp, err := http.PostForm(base+"/members/resetpassword", url.Values{"email": {email}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// Every example passes as it stands, and fails with a wrong expectation.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		folder, command string
		right, wrong    string // an expectation in the example, and another one
	}{
		{"python", "for p in python3 /usr/bin/python3; do if $p -c 'import pytest'; then exec $p -m pytest -q -p no:cacheprovider; fi; done; exit 1", `== "password-changed"`, `== "password-kept"`},
		{"node", "npm ci --no-audit --no-fund >/dev/null && reseed test -- node --test", "'SUCCESS'", "'FAILURE'"},
		{"java", "reseed test -- java ResetTest.java", `expect("password-changed"`, `expect("password-kept"`},
		{"go", "go test .", "password-changed", "password-kept"},
	} {
		if testing.Short() && c.folder == "go" {
			continue // it is a package of the module, and tested as such
		}
		t.Run(c.folder, func(t *testing.T) {
			folder := filepath.Join("examples", c.folder)
			if c.folder != "go" { // which has to stay in the module
				folder = t.TempDir()
				if err := os.CopyFS(folder, os.DirFS(filepath.Join("examples", c.folder))); err != nil {
					t.Fatal(err)
				}
			}
			if out, err := runExample(t, folder, c.command); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if testing.Short() {
				return
			}
			changed := folder
			if c.folder == "go" { // it stays as it is: the compiler reads the changed file in its place
				changed = t.TempDir()
				if err := os.CopyFS(changed, os.DirFS(folder)); err != nil {
					t.Fatal(err)
				}
				c.command = "go test -overlay=" + overlay(t, folder, changed) + " ."
			}
			changeExpectation(t, changed, c.right, c.wrong)
			out, err := runExample(t, folder, c.command)
			words := strings.FieldsFunc(c.wrong, func(r rune) bool { return strings.ContainsRune(`=('" `, r) })
			if err == nil || !strings.Contains(out, words[len(words)-1]) {
				t.Errorf("does not fail by a wrong expectation:\n%s", out)
			}
		})
	}
}

// overlay returns the file that has the compiler read the files of one folder in
// place of those of another.
func overlay(t *testing.T, folder, changed string) string {
	t.Helper()
	entries, err := os.ReadDir(changed)
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	for _, e := range entries {
		from, err := filepath.Abs(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		replace[from] = filepath.Join(changed, e.Name())
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func runExample(t *testing.T, folder, command string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(programPath(t))+":"+os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func changeExpectation(t *testing.T, folder, right, wrong string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*[tT]est*.*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(text), right) {
		t.Fatalf("%s lacks %q: %v", files[0], right, err)
	}
	if err := os.WriteFile(files[0], []byte(strings.Replace(string(text), right, wrong, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The examples are short enough to be read at a glance.
func TestExamplesAreShort(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"*/*.py", "*/*.mjs", "*/*.java", "*/*.go"} {
		files, err := filepath.Glob("examples/" + pattern)
		if err != nil || len(files) == 0 {
			t.Errorf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if n := strings.Count(string(text), "\n"); err != nil || n > 60 {
				t.Errorf("%s: %d lines, %v", file, n, err)
			}
		}
	}
}

// The program runs in a folder that has nothing else, as a user without rights,
// with what the Dockerfile says, and its health check tells so. It takes root;
// others run it where they are.
func TestContainer(t *testing.T) {
	root := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(root, "reseed"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data := filepath.Join(root, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	start := func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(root, "reseed"), args...)
		cmd.Env = []string{"RESEED_DATA=" + data, "RESEED_LISTEN=" + listen}
		if os.Getuid() == 0 {
			if err := os.Chmod(root, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(data, 65532, 65532); err != nil {
				t.Fatal(err)
			}
			cmd.Path, cmd.Args[0] = "/reseed", "/reseed"
			cmd.Env[0] = "RESEED_DATA=/data"
			cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
			cmd.Dir = "/"
		}
		return cmd
	}
	if out, err := start("health").CombinedOutput(); err == nil {
		t.Errorf("healthy without a server: %s", out)
	}
	server := start("serve")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Wait() }()
	defer func() { _ = server.Process.Signal(syscall.SIGTERM) }()
	eventually(t, 20*time.Second, func() (bool, string) {
		out, err := start("health").CombinedOutput()
		return err == nil, string(out)
	})
	resp, err := http.Get("http://" + listen + "/version")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); !strings.HasPrefix(string(body), "<version ") {
		t.Errorf("answered %s", body)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// What can be said of the container files without an engine: they are well
// formed, name settings that there are, and what is copied is there.
func TestContainerFiles(t *testing.T) {
	settings, err := os.ReadFile("docs/reference-settings.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"Dockerfile", "examples/container/compose.yaml", "examples/github/test.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "ml") {
			var document map[string]any
			if err := yaml.Unmarshal(text, &document); err != nil || len(document) < 2 {
				t.Errorf("%s: %v, %v", file, document, err)
			}
		}
		for _, word := range strings.FieldsFunc(string(text), func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') }) {
			if strings.HasPrefix(word, "RESEED_") && word != "RESEED_URL" && !strings.Contains(string(settings), fmt.Sprintf("`%s`", word)) {
				t.Errorf("%s: there is no setting %s", file, word)
			}
		}
	}
}

// The container file and the job are what their own linters take for good, with
// nothing wrong that a schema knows; each of them finds a fault that is planted.
func TestLintersOfContainerFiles(t *testing.T) {
	if testing.Short() {
		return
	}
	for _, c := range []struct{ file, command, right, wrong string }{
		{"examples/container/compose.yaml", "npx --yes dclint@3.1.0 --quiet", "read_only: true", "readonly: true"},
		{"examples/container/compose.yaml", "npx --yes dclint@3.1.0 --quiet", "retries: 60", "retries: [60]"},
		{"examples/github/test.yml", "go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12", "runs-on: ubuntu-latest", "runs-on: ubunto-latest"},
		{"examples/github/test.yml", "go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12", "go-version:", "golang-version:"},
	} {
		t.Run(c.wrong, func(t *testing.T) {
			text, err := os.ReadFile(c.file)
			if err != nil || !strings.Contains(string(text), c.right) {
				t.Fatalf("%s lacks %s: %v", c.file, c.right, err)
			}
			if out, err := exec.CommandContext(t.Context(), "bash", "-c", c.command+" "+c.file).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			planted := filepath.Join(t.TempDir(), "compose.yaml")
			if err := os.WriteFile(planted, []byte(strings.Replace(string(text), c.right, c.wrong, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), "bash", "-c", c.command+" "+planted).CombinedOutput()
			name, _, _ := strings.Cut(c.wrong, ":")
			if err == nil || !strings.Contains(string(out), name) && !strings.Contains(string(out), "ubunto") {
				t.Errorf("a planted %s passes: %v\n%s", c.wrong, err, out)
			}
		})
	}
}

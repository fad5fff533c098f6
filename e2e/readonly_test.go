package e2e

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// README's production set-up (a database server, a mail server, a key file)
// stores nothing in files: every command works in a folder that takes no writes.
// Root, whom modes don't bind, mounts it read-only in a name space of its own.
func TestProductionOnAReadOnlyFileSystem(t *testing.T) {
	t.Parallel()
	folder, secrets := t.TempDir(), t.TempDir()
	key := filepath.Join(secrets, "token.key")
	if err := os.WriteFile(key, []byte(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	listen, dsn := freeAddress(t), emptyDSN(t)
	run := func(args ...string) *exec.Cmd {
		line := append([]string{programPath(t)}, args...)
		if os.Getuid() == 0 {
			line = append([]string{"unshare", "--mount", "sh", "-c", `mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && ! touch x 2>/dev/null && exec "$@"`, "sh"}, line...)
		}
		cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
		cmd.Dir = folder
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "RESEED_DATABASE=" + dsn, "RESEED_KEY_FILE=" + key, "RESEED_LISTEN=" + listen,
			"RESEED_SMTP=smtp://127.0.0.1:1", "RESEED_HOST_URL=https://accounts.example.org/ps",
		}
		return cmd
	}
	for _, args := range [][]string{
		{"migrate"}, {"member", "add", "--username", "ann", "--email", "ann@example.org", "--firstname", "Ann", "--surname", "Archer"},
		{"member", "list"}, {"mail", "list"}, {"config", "check"},
	} {
		if out, err := run(args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	server := run("serve")
	log := &strings.Builder{}
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, func() (bool, string) {
		resp, err := http.PostForm("http://"+listen+"/ps/service/members/resetpassword", url.Values{"email": {"ann@example.org"}})
		if err != nil {
			return false, err.Error()
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK, resp.Status
	})
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 0 {
		t.Errorf("%v %v", files, err)
	}
}

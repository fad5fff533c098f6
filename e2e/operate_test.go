package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// runs returns what a command prints on both streams, and whether it succeeds.
func runs(t *testing.T, env []string, args ...string) (string, bool) {
	t.Helper()
	out, err := program(t, env, args...).CombinedOutput()
	return string(out), err == nil
}

func mustRun(t *testing.T, env []string, args ...string) string {
	t.Helper()
	out, ok := runs(t, env, args...)
	if !ok {
		t.Fatalf("%v: %s", args, out)
	}
	return out
}

// A backup that is taken while the server runs holds what it had, and nothing
// of what was handed out before opens anything after it was restored.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := append(os.Environ(), "RESEED_DATA="+filepath.Join(folder, "data"), "RESEED_LISTEN=127.0.0.1:0", "RESEED_DATABASE=")
	file := filepath.Join(folder, "backup.db")
	if out, ok := runs(t, env, "backup", file); ok || !strings.Contains(out, "there is no database in "+folder) {
		t.Errorf("without a database: %s", out)
	}
	mustRun(t, env, "member", "add", "--username", "ann", "--email", "ann@example.org")
	t.Run("serving", func(t *testing.T) {
		base := startServer(t, env)
		postEmail(t, base, "ann@example.org")
		eventually(t, 20*time.Second, func() (bool, string) {
			mails, _ := filepath.Glob(filepath.Join(folder, "data", "mail", "*.eml"))
			return len(mails) == 1, "no mail"
		})
		mustRun(t, env, "backup", file)
		if out, ok := runs(t, env, "backup", file); ok || !strings.Contains(out, "is there already") {
			t.Errorf("over a file: %s", out)
		}
		if out, ok := runs(t, env, "restore", "--force", file); ok || !strings.Contains(out, "stop it first") {
			t.Errorf("under a server: %s", out)
		}
	})
	mustRun(t, env, "member", "add", "--username", "late")
	if out, ok := runs(t, env, "restore", file); ok || !strings.Contains(out, "--force") {
		t.Errorf("over a database: %s", out)
	}
	if out := mustRun(t, env, "restore", "--force", file); !strings.Contains(out, "void") {
		t.Errorf("it doesn't tell: %s", out)
	}
	if out := mustRun(t, env, "member", "list"); !strings.Contains(out, "ann") || strings.Contains(out, "late") {
		t.Errorf("restored: %s", out)
	}
	list, err := program(t, env, "mail", "list").Output()
	if err != nil || !strings.Contains(string(list), "ann@example.org") {
		t.Fatalf("its mails: %s, %v", list, err)
	}
	id, _, _ := strings.Cut(string(list), "\t")
	if out, ok := runs(t, env, "mail", "retry", id); ok || !strings.Contains(out, "its link has expired") {
		t.Errorf("the link outlives the restore: %s", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// A backup that is taken while requests come is whole, and a link that was spent
// after it opens nothing on the restored server, as the docs and the command say.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := append(os.Environ(), "RESEED_DATA="+filepath.Join(folder, "data"), "RESEED_LISTEN=127.0.0.1:0", "RESEED_DATABASE=", "RESEED_MAILS_PER_HOUR=1000", "RESEED_CLIENT_RATE=0")
	file := filepath.Join(folder, "backup.db")
	mustRun(t, env, "member", "add", "--username", "ann", "--email", "ann@example.org")
	for i := range 20 {
		mustRun(t, env, "member", "add", "--username", fmt.Sprintf("load%d", i), "--email", fmt.Sprintf("load%d@example.org", i))
	}
	var token string
	spend := func(base string) string {
		t.Helper()
		resp, err := http.PostForm(base+"/members/resetpassword", url.Values{"email": {"ann@example.org"}, "token": {token}, "member-password": {goodPassword}})
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
	t.Run("serving", func(t *testing.T) {
		base := startServer(t, env)
		postEmail(t, base, "ann@example.org")
		eventually(t, 20*time.Second, func() (bool, string) {
			mails, _ := filepath.Glob(filepath.Join(folder, "data", "mail", "*.eml"))
			if len(mails) != 1 {
				return false, "no mail"
			}
			text, err := os.ReadFile(mails[0])
			if found := mailedTokenIn.FindSubmatch(bytes.ReplaceAll(text, []byte("=\r\n"), nil)); found != nil {
				token = string(found[1])
			}
			return err == nil && token != "", "no token in the mail"
		})
		var answered atomic.Int64
		loading, end := context.WithCancel(t.Context())
		var load sync.WaitGroup
		for worker := range 4 {
			load.Go(func() {
				for i := worker; loading.Err() == nil; i++ {
					resp, err := http.PostForm(base+"/members/resetpassword", url.Values{"email": {fmt.Sprintf("load%d@example.org", i%20)}})
					if err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK {
						answered.Add(1)
					}
				}
			})
		}
		eventually(t, 20*time.Second, func() (bool, string) { return answered.Load() > 20, "no load" })
		before := answered.Load()
		mustRun(t, env, "backup", file)
		during := answered.Load() - before
		end()
		load.Wait()
		if during == 0 {
			t.Error("no request was answered while the backup was taken")
		}
		t.Logf("%d requests answered during the backup", during)
		if answer := spend(base); !strings.Contains(answer, "password-changed") {
			t.Fatalf("before the restore: %s", answer)
		}
	})
	if out := mustRun(t, env, "restore", "--force", file); !strings.Contains(out, "void") {
		t.Errorf("it doesn't tell: %s", out)
	}
	if answer := spend(startServer(t, env)); !strings.Contains(answer, `id="102A"`) {
		t.Errorf("a spent link on the restored server: %s", answer)
	}
	if out := mustRun(t, env, "mail", "list", "--limit", "0"); strings.Count(out, "load") < 20 {
		t.Errorf("the backup holds too few of the requests before it:\n%s", out)
	}
}

var mailedTokenIn = regexp.MustCompile(`token=(?:3D)?([A-Za-z0-9_-]{32})`)

// SIGHUP and reload keep the server up, read the level of the log again and say
// what came of it; so does a file with a fault.
func TestReload(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	settings := filepath.Join(folder, "reseed.toml")
	write := func(text string) {
		if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log-format = 'json'\n")
	env := append(os.Environ(), "RESEED_DATA="+folder, "RESEED_LISTEN=unix:"+filepath.Join(folder, "s"), "RESEED_CONFIG="+settings, "RESEED_DATABASE=")
	if out, ok := runs(t, env, "reload"); ok || !strings.Contains(out, "no server runs") {
		t.Errorf("without a server: %s", out)
	}
	lines, stop := startWithLog(t, env)
	if out := mustRun(t, env, "health"); !strings.Contains(out, "ok") {
		t.Errorf("health over the socket: %s", out)
	}
	for _, step := range []struct{ text, want string }{
		{"log-format = 'json'\nlog-level = 'debug'\n", `"msg":"reloaded","log-level":"debug"`},
		{"log-level = 'loud'\n", "not reloaded; the former settings stay in effect"},
	} {
		write(step.text)
		out, ok := runs(t, append(env, "RESEED_CONFIG="), "reload")
		if !ok {
			t.Fatal(out)
		}
		found := false
		for !found {
			line, more := <-lines
			if !more {
				t.Fatalf("the log ends without %q", step.want)
			}
			if !json.Valid([]byte(line)) {
				t.Errorf("no JSON: %s", line)
			}
			found = strings.Contains(line, step.want)
		}
	}
	stop()
	if _, err := os.Stat(filepath.Join(folder, "s")); err == nil {
		t.Error("the socket is left behind")
	}
}

// startWithLog starts a server that is told of as systemd is, and returns the
// lines of its log when it is ready, and what stops it.
func startWithLog(t *testing.T, env []string) (lines chan string, stop func()) {
	t.Helper()
	states, path := notifySocket(t)
	cmd := program(t, append(env, "NOTIFY_SOCKET="+path), "serve")
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines = make(chan string, 1000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(log); s.Scan(); {
			lines <- s.Text()
		}
	}()
	awaitState(t, states, "READY=1")
	return lines, func() {
		t.Helper()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		awaitState(t, states, "STOPPING=1")
		for range lines {
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func notifySocket(t *testing.T) (net.PacketConn, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "n")
	c, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, path
}

func awaitState(t *testing.T, c net.PacketConn, want string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 100); ; {
		n, _, err := c.ReadFrom(buf)
		if err != nil {
			t.Fatalf("systemd is not told %s: %v", want, err)
		}
		if string(buf[:n]) == want {
			return
		}
	}
}

// A socket that systemd passes is served, whatever listen says.
func TestSocketActivation(t *testing.T) {
	t.Parallel()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	states, path := notifySocket(t)
	// exec keeps the process number, which systemd puts into LISTEN_PID.
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve`, programPath(t))
	cmd.Env = append(os.Environ(), "RESEED_DATA="+t.TempDir(), "RESEED_LISTEN=127.0.0.1:1", "RESEED_DATABASE=", "NOTIFY_SOCKET="+path)
	cmd.ExtraFiles = []*os.File{f}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitState(t, states, "READY=1")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Addr().String()+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v %s", resp, err, log.String())
	}
	resp.Body.Close()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v %s", err, log.String())
	}
}

// The file that config init prints is in order as it is, and with every line in
// it taken out of its comment as far as it has a default.
func TestConfigCommands(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := append(os.Environ(), "RESEED_DATA="+folder, "RESEED_DATABASE=")
	text, err := program(t, env, "config", "init").Output()
	if err != nil {
		t.Fatal(err)
	}
	active := ""
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "##") && !strings.HasSuffix(line, "= \"\"\n") {
			line = line[1:]
		}
		active += line
	}
	for _, content := range []string{string(text), active} {
		file := filepath.Join(folder, "reseed.toml")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := mustRun(t, env, "config", "check", file); !strings.Contains(out, "the configuration is in order") {
			t.Error(out)
		}
	}
	if strings.Count(active, "\nmin-password = 8\n") != 1 {
		t.Errorf("no min-password in\n%s", active)
	}
	if err := os.WriteFile(filepath.Join(folder, "bad.toml"), []byte("\nmin-pasword = 8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, ok := runs(t, env, "config", "check", filepath.Join(folder, "bad.toml")); ok || !strings.Contains(out, `bad.toml:2: there is no setting "min-pasword"; did you mean "min-password"?`) {
		t.Error(out)
	}
	if out := mustRun(t, append(env, "RESEED_SMTP_PASSWORD=canary"), "config", "show", "--keep", "96h"); strings.Contains(out, "canary") || !strings.Contains(out, "keep\t96h0m0s\tcommand line") {
		t.Error(out)
	}
	for _, args := range [][]string{{}, {"help"}, {"help", "member"}, {"-h"}, {"--version"}} {
		mustRun(t, env, args...)
	}
	if _, err := os.Stat(filepath.Join(folder, "reseed.db")); err == nil {
		t.Error("one of them made a database")
	}
}

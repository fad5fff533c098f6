package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reseed-project/reseed/cli"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/contract"
	"github.com/reseed-project/reseed/seed"
	"github.com/reseed-project/reseed/testserver"
)

// startDouble serves a test server without accounts.
func startDouble(t *testing.T) (*testserver.Server, string) {
	t.Helper()
	cfg, _, err := config.Load([]string{"--listen=127.0.0.1:0"}, true)
	if err != nil {
		t.Fatal(err)
	}
	s, err := testserver.New(t.Context(), testserver.Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		srv.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, srv.URL
}

// runCommand runs a command line and returns its exit code and what it printed.
func runCommand(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), args, &cli.Console{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr, Now: time.Now, Cases: os.DirFS("."),
	})
	return code, stdout.String(), stderr.String()
}

func TestContractRunAgainstATestServer(t *testing.T) {
	t.Parallel()
	_, base := startDouble(t)
	report := filepath.Join(t.TempDir(), "report.xml")
	code, out, errs := runCommand(t, "contract", "run", "--target", base, "--set", "wix", "--timeout", "1m", "--junit", report)
	if code != 0 || out != "" || !strings.Contains(errs, " passed, 0 failed, 0 without an answer, 0 not run") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if raw, err := os.ReadFile(report); err != nil || !strings.Contains(string(raw), `failures="0"`) {
		t.Errorf("error %v\n%s", err, raw)
	}
}

// One byte of one answer is another: that case fails, and no other.
func TestContractRunFindsOneByte(t *testing.T) {
	t.Parallel()
	_, base := startDouble(t)
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if !strings.HasSuffix(r.Request.URL.Path, "/version.json") {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		body = bytes.Replace(body, []byte("2007"), []byte("2008"), 1)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return err
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	code, out, errs := runCommand(t, "contract", "run", "--target", front.URL, "--match", "version", "--timeout", "1m")
	if code != 1 || strings.Count(out, "FAILED") != 1 || !strings.Contains(out, "2008") || !strings.Contains(errs, " 1 failed, 0 without an answer") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

// Of all cases the one fails of whose answers a byte is another, and the report
// shows it: all cases about errors, or with RESEED_TEST_ALL_CASES all there are.
func TestContractRunFindsOneByteAmongAll(t *testing.T) {
	t.Parallel()
	match, at := "errors", 20
	if os.Getenv("RESEED_TEST_ALL_CASES") != "" { // which takes minutes
		match, at = "", 300
	}
	all, err := contract.ReadCases(os.DirFS(casesFolder))
	if err != nil {
		t.Fatal(err)
	}
	cases := contract.Select(all, contract.SetAll, match)
	_, base := startDouble(t)
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{} // tests beside this one close connections of the default one
	seeds, changed := 0, ""             // a seed begins a case
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Request.URL.Path == "/dev/seed" {
			seeds++
		}
		if seeds < at || changed != "" || strings.HasPrefix(r.Request.URL.Path, "/dev/") || r.Header.Get("Content-Encoding") != "" {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if len(body) > 0 {
			body[len(body)-1] ^= 1
			changed = cases[seeds-1].Name
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		return err
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	code, out, errs := runCommand(t, "contract", "run", "--target", front.URL, "--match", match, "--timeout", "1m")
	want := fmt.Sprintf("%d passed, 1 failed, 0 without an answer, 0 not run", len(cases)-1)
	if code != 1 || changed == "" || strings.Count(out, "FAILED") != 1 || !strings.Contains(out, "FAILED   "+changed+":") || !strings.Contains(errs, want) {
		t.Errorf("a byte of %q is another: exit %d, want %s\n%s%s", changed, code, want, out, errs)
	}
}

func TestContractRunWithoutAnAnswerIsNoPass(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if code, _, errs := runCommand(t, "contract", "run", "--target", "http://"+closed.Addr().String()); code != 1 || !strings.Contains(errs, "refused") {
		t.Errorf("exit %d: %s", code, errs)
	}
	empty := httptest.NewServer(http.NotFoundHandler()) // no control API, no accounts
	t.Cleanup(empty.Close)
	code, out, errs := runCommand(t, "contract", "run", "--target", empty.URL, "--match", "step")
	if code != 1 || !strings.Contains(errs, "0 passed, 0 failed") || !strings.Contains(out, "not run  step/") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// A server without the control API gets its accounts by its command line, once;
// what a case did by commands is gone after it, and a database that has
// accounts is left alone.
func TestContractRunMakesAccountsByCommands(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	listen := freeAddress(t)
	settings := filepath.Join(folder, "reseed.toml")
	text := fmt.Sprintf("listen = %q\ndata = %q\nhost-url = \"https://example.org/ps\"\n", listen, filepath.Join(folder, "data"))
	accounts := filepath.Join(folder, "accounts.yaml")
	if err := errors.Join(os.WriteFile(settings, []byte(text), 0o600), os.WriteFile(accounts, []byte("state: identity\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(programPath(t), "serve", "--config", settings)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = server.Process.Signal(syscall.SIGTERM), server.Wait() })
	eventually(t, 20*time.Second, func() (bool, string) {
		out, err := exec.Command(programPath(t), "health", "--config", settings).CombinedOutput()
		return err == nil, string(out)
	})
	command := "'" + programPath(t) + "' --config '" + settings + "'"
	run := func(match string) (int, string, string) {
		return runCommand(t, "contract", "run", "--target", "http://"+listen, "--command", command, "--accounts", accounts, "--match", match, "--timeout", "1m", "--json")
	}
	code, out, errs := run("oauth")
	var passed int
	_, err := fmt.Sscanf(errs, "%d passed, 0 failed, 0 without an answer", &passed)
	if code != 0 || err != nil || passed < 15 || !strings.Contains(out, "it shows the time of the cases' clock") {
		t.Errorf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	out, err = printed(t, settings, "client", "list")
	if err != nil || out != "" {
		t.Errorf("clients after the cases: %v\n%s", err, out)
	}
	if out, err = printed(t, settings, "member", "list", "--locked"); err != nil || strings.Contains(out, "ann@example.org") {
		t.Errorf("locked after the cases: %v\n%s", err, out)
	}
	if out, err = printed(t, settings, "member", "list"); err != nil || !strings.Contains(out, "ann@example.org") {
		t.Errorf("members after the cases: %v\n%s", err, out)
	}
	if code, out, errs := run("self"); code != 1 || !strings.Contains(out, "it needs an empty database") || !strings.Contains(errs, "0 passed, 0 failed") {
		t.Errorf("with accounts there: exit %d\n%s%s", code, out, errs)
	}
	_, base := startDouble(t)
	if code, _, errs := runCommand(t, "contract", "run", "--target", base, "--command", command); code != 1 || !strings.Contains(errs, "needs no --command") {
		t.Errorf("a test server: exit %d: %s", code, errs)
	}
}

func printed(t *testing.T, settings string, command ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(programPath(t), append([]string{"--config", settings}, command...)...).Output()
	return string(out), err
}

func TestContractRecordWritesACase(t *testing.T) {
	t.Parallel()
	_, base := startDouble(t)
	file := filepath.Join(t.TempDir(), "new.txt")
	text := "Ann asks who she is.\n--- state identity\n--- request\nGET /ps/api/self\nAuthorization: {{basic \"ann\" \"old-Garden-12-gate\"}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runCommand(t, "contract", "record", "--target", base, "--case", file)
	if code != 0 || !strings.HasPrefix(out, text+"--- response\n200\nContent-Type: application/xml;charset=utf-8\n\n<member id=\"2\"") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Mkdir(filepath.Dir(file)+"/states", 0o700) != nil || os.CopyFS(filepath.Dir(file)+"/states", os.DirFS(casesFolder+"/states")) != nil {
		t.Fatal("copy the states")
	}
	if code, out, errs := runCommand(t, "contract", "run", "--target", base, "--cases", filepath.Dir(file)); code != 0 {
		t.Errorf("the recorded case does not pass: exit %d\n%s%s", code, out, errs)
	}
}

func TestTestCommandEndsWithTheStatusOfItsCommand(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{
		`test "${RESEED_URL#http://127.0.0.1:}" != "$RESEED_URL"`: 0,
		"exit 7":        7,
		"kill -TERM $$": 128 + 15,
	} {
		if code, out, errs := runCommand(t, "test", "--", "sh", "-c", script); code != want {
			t.Errorf("%s: exit %d, want %d\n%s%s", script, code, want, out, errs)
		}
	}
	if code, _, errs := runCommand(t, "test", "--", "/nonexistent/command"); code != 1 || !strings.Contains(errs, "no such file") {
		t.Errorf("a missing command: exit %d: %s", code, errs)
	}
}

func TestTestServerRefusesWhatIsReal(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--smtp", "smtp://127.0.0.1:25?starttls=never", "--email-domain", "example.org", "--host-url", "https://example.org/ps"},
		{"--listen", ":0"},
		{"--listen", "192.0.2.1:8080"},
	} {
		code, _, errs := runCommand(t, append([]string{"serve", "--test"}, args...)...)
		if code != 1 || !strings.Contains(errs, "serve --test") {
			t.Errorf("%v: exit %d: %s", args, code, errs)
		}
	}
	if code, _, errs := runCommand(t, "serve", "--force"); code != 1 || !strings.Contains(errs, "--test") {
		t.Errorf("--force alone: exit %d: %s", code, errs)
	}
}

// control sends a request to the control API.
func control(t *testing.T, method, address, body string, header ...string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "application/json;charset=utf-8" {
		t.Errorf("%s %s: content type %q", method, address, got)
	}
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	return resp.StatusCode, answer
}

func TestControlRefusesBadInput(t *testing.T) {
	t.Parallel()
	_, base := startDouble(t)
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/dev/reset", "", 405},
		{"POST", "/dev/seed", "{", 400},
		{"POST", "/dev/seed", `{"member":[]}`, 400},
		{"POST", "/dev/seed", `{"members":[{"email":"not an address"}]}`, 400},
		{"POST", "/dev/seed", `{"members":[{"email":"a@example.org"},{"email":"A@example.org"}]}`, 400},
		{"POST", "/dev/seed", `{"members":[{"username":"a","groups":["none"]}]}`, 400},
		{"POST", "/dev/seed", `{"settings":{"database":"mysql://x"}}`, 400},
		{"POST", "/dev/seed", `{"settings":{"no-such-setting":1}}`, 400},
		{"POST", "/dev/seed", `{"settings":{"compat":[5]}}`, 400},
		{"POST", "/dev/seed", `{"templates":{"../x":"y"}}`, 400},
		{"POST", "/dev/seed?add=true", `{"settings":{"compat":5}}`, 400},
		{"POST", "/dev/clock", `{"advance":"12"}`, 400},
		{"POST", "/dev/clock", `{"set":"tomorrow"}`, 400},
		{"POST", "/dev/fault", `{"kind":"meteor"}`, 400},
		{"POST", "/dev/fault", `{"kind":"delay"}`, 400},
		{"POST", "/dev/do", `{"words":[]}`, 400},
		{"POST", "/dev/do", `{"words":["lock"]}`, 400},
		{"POST", "/dev/do", `{"words":["lock","nobody-here"]}`, 400},
	} {
		status, answer := control(t, c.method, base+c.path, c.body)
		if status != c.want || answer["error"] == "" || answer["error"] == nil {
			t.Errorf("%s %s %s: %d %v, want %d", c.method, c.path, c.body, status, answer, c.want)
		}
	}
	if status, answer := control(t, "GET", base+"/dev/test.json", ""); status != 200 || answer["test"] != true {
		t.Errorf("the server is gone: %d %v", status, answer)
	}
}

func TestControlIsNotForForeignPages(t *testing.T) {
	t.Parallel()
	_, base := startDouble(t)
	for _, header := range [][]string{
		{"Host", "evil.example"}, {"Origin", "https://evil.example"}, {"Origin", "null"}, {"Content-Type", "application/x-www-form-urlencoded"},
	} {
		if status, _ := control(t, "POST", base+"/dev/clock", "advance=1h", header...); status != 403 && status != 415 {
			t.Errorf("%v: %d", header, status)
		}
	}
}

// A seed that fails leaves the server as it was.
func TestFailedSeedChangesNothing(t *testing.T) {
	t.Parallel()
	s, base := startDouble(t)
	ids, err := s.Seed(t.Context(), &seed.Document{Members: []seed.Member{{Username: "ann", Email: "ann@example.org"}}})
	if err != nil || ids.Members["ann"] != 1 {
		t.Fatalf("%v, error %v", ids, err)
	}
	if status, _ := control(t, "POST", base+"/dev/seed", `{"members":[{"username":"bob"},{"username":"BOB"}]}`); status != 400 {
		t.Errorf("a member twice: %d", status)
	}
	resp, err := http.PostForm(base+"/members/resetpassword", url.Values{"member-username": {"ann"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, err := s.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if mails, err := s.Mails("ann@example.org"); err != nil || len(mails) != 1 {
		t.Errorf("%d mails, error %v", len(mails), err)
	}
}

// Readers of mail.json may wait for a mail instead of asking again and again.
func TestMailJSONWaits(t *testing.T) {
	t.Parallel()
	s, base := startDouble(t)
	if _, err := s.Seed(t.Context(), &seed.Document{Members: []seed.Member{{Username: "ann", Email: "ann@example.org"}}}); err != nil {
		t.Fatal(err)
	}
	got := make(chan int, 1)
	go func() {
		_, answer := control(t, "GET", base+"/dev/mail.json?to=ann@example.org&wait=30s", "")
		mails, _ := answer["mails"].([]any)
		got <- len(mails)
	}()
	resp, err := http.PostForm(base+"/members/resetpassword", url.Values{"member-username": {"ann"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n := <-got; n != 1 {
		t.Errorf("%d mails", n)
	}
	for _, wait := range []string{"1", "-1s", "31s", "x"} {
		if status, _ := control(t, "GET", base+"/dev/mail.json?wait="+wait, ""); status != 400 {
			t.Errorf("wait=%s: %d", wait, status)
		}
	}
}

// Resets while requests come in: each request sees one server or the other.
func TestResetsUnderLoad(t *testing.T) {
	t.Parallel()
	s, base := startDouble(t)
	if _, err := s.Seed(t.Context(), &seed.Document{Members: []seed.Member{{Username: "ann", Email: "ann@example.org"}}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	failed := make(chan string, 4)
	for range cap(failed) {
		go func() {
			for ctx.Err() == nil {
				resp, err := http.PostForm(base+"/members/resetpassword", url.Values{"member-username": {"ann"}})
				if err != nil {
					failed <- err.Error()
					return
				}
				resp.Body.Close()
				if !slices.Contains([]int{200, 503}, resp.StatusCode) {
					failed <- fmt.Sprint(resp.StatusCode)
					return
				}
			}
			failed <- ""
		}()
	}
	for range 10 {
		if err := s.Reset(t.Context()); err != nil {
			t.Error(err)
		}
	}
	stop()
	for range cap(failed) {
		if f := <-failed; f != "" {
			t.Error(f)
		}
	}
}

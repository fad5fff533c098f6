package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/webhooks"
)

// Every event of a webhook is one of the security events.
func TestWebhookEventsAreKinds(t *testing.T) {
	t.Parallel()
	for _, k := range webhooks.Kinds() {
		if !slices.Contains(members.Kinds(), members.Kind(k)) {
			t.Errorf("%s is no kind of event", k)
		}
	}
}

const receiverVariable = "RESEED_TEST_WEBHOOK_RECEIVER" // address, secret, file

// TestWebhookReceiver is the receiver, in a process of its own that can be killed.
// It writes down what it verified before it answers. By itself it tests nothing.
func TestWebhookReceiver(t *testing.T) {
	t.Parallel()
	given := strings.Fields(os.Getenv(receiverVariable))
	if len(given) != 3 {
		return
	}
	wh, err := standardwebhooks.NewWebhook(given[1])
	if err != nil {
		t.Fatal(err)
	}
	book, err := os.OpenFile(given[2], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Addr: given[0], ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = wh.Verify(body, r.Header)
		}
		if err != nil {
			fmt.Fprintf(book, "FAULT %v\n", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		time.Sleep(rand.N(5 * time.Millisecond))
		fmt.Fprintf(book, "%s %s\n", r.Header.Get("Webhook-Id"), body)
		w.WriteHeader(http.StatusNoContent)
	})}
	t.Fatal(s.ListenAndServe())
}

// freePort is an address that nobody listens on just now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// process is a program that is killed and started again.
type process struct {
	t     *testing.T
	start func() *exec.Cmd
	cmd   *exec.Cmd
}

func (p *process) run() {
	p.t.Helper()
	p.cmd = p.start()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// TestWebhooksSurviveKills kills the server and the receiver, at random and with
// SIGKILL, while members are unlocked: the receiver is told of each member whose
// unlocking was answered, and of nothing forged.
//
// Alone, since whoever listens next could be given the port of one that is down.
func TestWebhooksSurviveKills(t *testing.T) {
	inFullOnBoth(t, emptyDSN, func(t *testing.T, dsn string) {
		const count = 120
		folder := t.TempDir()
		server, receiver := freePort(t), freePort(t)
		env := append(os.Environ(), "RESEED_DATA="+filepath.Join(folder, "data"), "RESEED_LISTEN="+server, "RESEED_DATABASE="+dsn, "RESEED_TOTAL_RATE=0")
		if dsn != "" {
			env = append(env, "RESEED_KEY_FILE="+keyFile(t))
		}
		add := program(t, env, "member", "add", "--username", "root", "--admin", "--password-stdin")
		add.Stdin = strings.NewReader(rootPassword)
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%s", out)
		}
		list := "username,email\n"
		for i := range count {
			list += fmt.Sprintf("m%dx,m%d@example.org\n", i, i)
		}
		file := filepath.Join(folder, "members.csv")
		if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		mustRun(t, env, "member", "import", file)
		secret, err := program(t, env, "webhook", "add", "http://"+receiver+"/hook", "--allow-private", "--event", "member-unlocked").Output()
		if err != nil {
			t.Fatal(err)
		}
		book := filepath.Join(folder, "book")
		us := &process{t: t, start: func() *exec.Cmd { return program(t, env, "serve") }}
		them := &process{t: t, start: func() *exec.Cmd {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWebhookReceiver$")
			cmd.Env = append(os.Environ(), receiverVariable+"="+receiver+" "+strings.TrimSpace(string(secret))+" "+book, "TMPDIR="+folder)
			return cmd
		}}
		us.run()
		them.run()
		defer func() { us.kill(); them.kill() }()

		var load sync.WaitGroup
		load.Go(func() { unlockAll(t, "http://"+server, count) })
		for range 3 {
			time.Sleep(rand.N(700 * time.Millisecond))
			us.kill()
			us.run()
			time.Sleep(rand.N(700 * time.Millisecond))
			them.kill()
			them.run()
		}
		load.Wait()
		if t.Failed() {
			return
		}
		eventually(t, 2*time.Minute, func() (bool, string) {
			told, err := os.ReadFile(book)
			if err != nil {
				return false, err.Error()
			}
			missing := 0
			for i := range count {
				if !bytes.Contains(told, fmt.Appendf(nil, `"type":"member-unlocked"`)) || !bytes.Contains(told, fmt.Appendf(nil, `"data":{"member":%d}}`, i+2)) {
					missing++
				}
			}
			return missing == 0, fmt.Sprintf("%d of %d members are missing", missing, count)
		})
		told, err := os.ReadFile(book)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(told, []byte("FAULT")) {
			t.Errorf("the receiver refused something:\n%s", told)
		}
		t.Logf("%d requests told of %d members", bytes.Count(told, []byte("\n")), count)
	})
}

// unlockAll unlocks the members from the second on, each until that is answered.
func unlockAll(t *testing.T, base string, count int) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Error(err)
		return
	}
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	send := func(path string, form url.Values) bool {
		for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			resp, err := client.PostForm(base+path, form)
			if err == nil {
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					return true
				}
				err = fmt.Errorf("status %d", resp.StatusCode)
			}
			if time.Since(began) > 20*time.Second {
				t.Errorf("%s isn't answered: %v", path, err)
				return false
			}
		}
	}
	ok := send("/ps/service/authenticate", url.Values{"action": {"login"}, "username": {"root"}, "password": {rootPassword}})
	for i := 0; ok && i < count; i++ {
		time.Sleep(25 * time.Millisecond) // so that the kills hit all of it
		ok = send(fmt.Sprintf("/ps/service/members/%d/unlock", i+2), url.Values{})
	}
}

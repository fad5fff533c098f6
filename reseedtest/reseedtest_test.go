package reseedtest_test

import (
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reseed-project/reseed/reseedtest"
)

var ann = reseedtest.Member{Username: "ann", Email: "ann@example.org", Firstname: "Ann", Surname: "Archer", Password: "old-Garden-12-gate"}

// reset sends a form to the reset service and returns status and body.
func reset(t *testing.T, srv *reseedtest.Server, form url.Values) (int, string) {
	t.Helper()
	resp, err := http.PostForm(srv.URL+"/members/resetpassword", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestBothSteps(t *testing.T) {
	t.Parallel()
	srv := reseedtest.Start(t, reseedtest.Members(ann))
	if status, body := reset(t, srv, url.Values{"email": {"ann@example.org"}}); status != 200 || body != `<reset-password status="request-successful" />` {
		t.Fatalf("%d %s", status, body)
	}
	token := srv.WaitForMail("ann@example.org").Token
	status, body := reset(t, srv, url.Values{"email": {"ann@example.org"}, "token": {token}, "member-password": {"violet-Harbor-93-maple"}})
	if status != 200 || body != `<reset-password status="password-changed" />` {
		t.Fatalf("%d %s", status, body)
	}
	if mails := srv.Mails("ann@example.org"); len(mails) != 2 {
		t.Errorf("%d mails, want the token's and the notice", len(mails))
	}
}

func TestManyMailsToOneMember(t *testing.T) {
	t.Parallel()
	srv := reseedtest.Start(t, reseedtest.Members(ann))
	for range 20 {
		reset(t, srv, url.Values{"email": {"ann@example.org"}})
	}
	if mails := srv.Mails(""); len(mails) != 20 {
		t.Errorf("%d mails, want 20: the double has no limits of its own", len(mails))
	}
}

func TestTokenExpiresWhenTheClockIsAdvanced(t *testing.T) {
	t.Parallel()
	srv := reseedtest.Start(t, reseedtest.Members(ann))
	reset(t, srv, url.Values{"email": {"ann@example.org"}})
	token := srv.WaitForMail("ann@example.org").Token
	srv.Clock.Advance(12*time.Hour + time.Minute)
	status, body := reset(t, srv, url.Values{"email": {"ann@example.org"}, "token": {token}, "member-password": {"violet-Harbor-93-maple"}})
	if status != 400 || !strings.Contains(body, `id="102A"`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestResetReturnsToTheSeed(t *testing.T) {
	t.Parallel()
	srv := reseedtest.Start(t, reseedtest.Members(ann), reseedtest.Setting("min-password", 20))
	srv.Add(reseedtest.Document{Members: []reseedtest.Member{{Username: "bob", Email: "bob@example.org"}}})
	reset(t, srv, url.Values{"email": {"bob@example.org"}})
	if len(srv.Mails("bob@example.org")) != 1 {
		t.Error("no mail to the added member")
	}
	srv.Clock.Advance(time.Hour)
	srv.Reset()
	if len(srv.Mails("")) != 0 || len(srv.Requests()) != 0 || time.Until(srv.Clock.Now()) > time.Minute {
		t.Error("the reset left something behind")
	}
	reset(t, srv, url.Values{"email": {"bob@example.org"}})
	reset(t, srv, url.Values{"email": {"ann@example.org"}})
	mails := srv.Mails("")
	if len(mails) != 1 || mails[0].To != "ann@example.org" {
		t.Fatalf("%d mails", len(mails))
	}
	form := url.Values{"email": {"ann@example.org"}, "token": {mails[0].Token}, "member-password": {"violet-Harbor-93"}}
	if status, body := reset(t, srv, form); status != 400 || !strings.Contains(body, `id="1015"`) {
		t.Errorf("the setting is gone: %d %s", status, body)
	}
}

func TestRequestFaults(t *testing.T) {
	t.Parallel()
	srv := reseedtest.Start(t, reseedtest.Members(ann))
	form := url.Values{"email": {"ann@example.org"}}
	for kind, want := range map[string]int{reseedtest.FaultUnavailable: 503, reseedtest.FaultTooMany: 429} {
		srv.Fail(reseedtest.Fault{Kind: kind, Service: "/members/resetpassword"})
		resp, err := http.PostForm(srv.URL+"/ps/api/members/resetpassword.json", form)
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ ID string }
		err = json.NewDecoder(resp.Body).Decode(&body)
		resp.Body.Close()
		if resp.StatusCode != want || resp.Header.Get("Retry-After") == "" || err != nil || !strings.HasPrefix(body.ID, "F00") {
			t.Errorf("%s: %d %v %+v, error %v", kind, resp.StatusCode, resp.Header, body, err)
		}
	}
	srv.Fail(reseedtest.Fault{Kind: reseedtest.FaultCut})
	if resp, err := http.PostForm(srv.URL+"/members/resetpassword", form); err == nil {
		resp.Body.Close()
		t.Errorf("a cut connection answered %d", resp.StatusCode)
	}
	srv.Fail(reseedtest.Fault{Kind: reseedtest.FaultMalformed})
	if _, body := reset(t, srv, form); xml.Unmarshal([]byte(body), new(struct{})) == nil {
		t.Errorf("well-formed: %s", body)
	}
	srv.Fail(reseedtest.Fault{Kind: reseedtest.FaultDelay, Delay: "1h", Service: "/version"})
	if status, _ := reset(t, srv, form); status != 200 {
		t.Errorf("a fault of another service: %d", status)
	}
}

func TestMailFaults(t *testing.T) {
	t.Parallel()
	srv := reseedtest.Start(t, reseedtest.Members(ann))
	srv.Clock.Stop()
	srv.Fail(reseedtest.Fault{Kind: reseedtest.FaultStall})
	reset(t, srv, url.Values{"email": {"ann@example.org"}})
	if n := len(srv.Mails("")); n != 0 {
		t.Errorf("%d mails although the mail server stalls", n)
	}
	srv.Clock.Advance(time.Hour)
	if n := len(srv.Mails("")); n != 1 {
		t.Errorf("%d mails, want the one that was tried again", n)
	}
	srv.Fail(reseedtest.Fault{Kind: reseedtest.FaultRefuse})
	reset(t, srv, url.Values{"email": {"ann@example.org"}})
	srv.Clock.Advance(time.Hour)
	if n := len(srv.Mails("")); n != 1 {
		t.Errorf("%d mails, want none for the one that was refused", n)
	}
}

func TestRequestsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	srv := reseedtest.Start(t, reseedtest.Members(ann))
	for _, form := range []string{
		"email=ann@example.org&token=canary&member-password=canary", "%74oken=canary", "email=a&member-p%61ssword=canary", "a=%zz&%zz=canary",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/members/resetpassword;jsessionid=canary?key=canary&lang=de", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Authorization", "Basic canary")
		req.Header.Set("Cookie", "JSESSIONID=canary")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	list := srv.Requests()
	if len(list) != 4 || !strings.Contains(list[0].Query, "lang=de") || !strings.Contains(list[0].Body, "email=ann@example.org") || list[0].Status == 0 {
		t.Fatalf("%+v", list)
	}
	if text := fmt.Sprintf("%+v", list); strings.Contains(text, "canary") {
		t.Errorf("a secret is shown: %s", text)
	}
}

// howManyServers is how many tests have a server each.
func howManyServers() int {
	if testing.Short() {
		return 40
	}
	return 200
}

// TestManyServers runs parallel tests with a server each, and sees what they
// take, and that they leave nothing behind: no goroutine, no file.
func TestManyServers(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	manyServers, before, start := howManyServers(), runtime.NumGoroutine(), time.Now()
	atOnce, err := strconv.Atoi(flag.Lookup("test.parallel").Value.String())
	if err != nil {
		t.Fatal(err)
	}
	var peak atomic.Uint64
	t.Run("servers", func(t *testing.T) {
		for i := range manyServers {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				name := fmt.Sprintf("member%d@example.org", i)
				srv := reseedtest.Start(t, reseedtest.Members(reseedtest.Member{Email: name}))
				reset(t, srv, url.Values{"email": {name}})
				if mails := srv.Mails(""); len(mails) != 1 || mails[0].To != name {
					t.Errorf("%d mails", len(mails))
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapInuse))
			})
		}
	})
	took := time.Since(start)
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			var stacks [1 << 16]byte
			t.Fatalf("%d goroutines are left of %d\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks[:], true)])
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, error %v", left, err)
	}
	t.Logf("%d tests with a server each, %d at once: %s, %s a test, %d MiB of heap at most",
		manyServers, atOnce, took.Round(time.Millisecond), (took / time.Duration(manyServers)).Round(time.Microsecond), peak.Load()>>20)
	if peak.Load() > uint64(atOnce)*64<<20 {
		t.Errorf("%d MiB of heap: what ended servers held is kept", peak.Load()>>20)
	}
}

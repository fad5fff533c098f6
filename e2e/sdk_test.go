package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	acmeSite   = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1" // of the basic state
	globexSite = "11111111-2222-4333-8444-555555555555"
)

// The vendor's own SDK doesn't notice that it talks to another server: calls
// resolve, and errors arrive as what integrators match on (contract 2.1, 2.2).
func TestSDK(t *testing.T) {
	t.Parallel()
	folder := installSDK(t)
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "site-mails-per-day = 5\n"})
		sdk := startSDK(t, folder, site.Handler)
		t.Run("accepted", func(t *testing.T) { sdk.accepts(t, site) })
		t.Run("validation", sdk.validates)
		t.Run("access", sdk.refuses)
		t.Run("recovery", func(t *testing.T) { sdk.recovers(t, site) })
		t.Run("cap", sdk.exhausts)
	})
}

var accepted = outcome{Resolved: map[string]any{"accepted": true}}

func (s *sdk) accepts(t *testing.T, site *testSite) {
	const host = "www.wixapis.com/wix-sm/api/v1/auth/v1/auth/members/send-set-password-email"
	s.expect(t, accepted, acme(), "authentication", "sendSetPasswordEmail", "ann@example.org")
	if s.requested != "POST "+host {
		t.Errorf("the SDK asked for %s", s.requested)
	}
	if mails := site.deliver(t); len(mails) != 1 || !strings.Contains(mails[0].Text, "ignore this email") {
		t.Errorf("%d mails, or without the sentence", len(mails))
	}
	s.expect(t, accepted, acme(), "authentication", "sendSetPasswordEmail", "ann@example.org", map[string]any{"hideIgnoreMessage": true})
	if mails := site.deliver(t); len(mails) != 1 || strings.Contains(mails[0].Text, "ignore this email") {
		t.Errorf("%d mails, or with the sentence", len(mails))
	}
	own := acme()
	own.APIBaseURL = "api.example.org"
	s.expect(t, accepted, own, "authentication", "sendSetPasswordEmail", "nemo@example.org")
	if s.requested != "POST api.example.org/identity/members/v1/auth/members/send-set-password-email" {
		t.Errorf("with a host of its own the SDK asked for %s", s.requested)
	}
	if mails := site.deliver(t); len(mails) != 0 {
		t.Errorf("%d mails for a stranger", len(mails))
	}
}

func (s *sdk) validates(t *testing.T) {
	email := violated("email", "must be a valid email address", "FORMAT", map[string]any{"type": "EMAIL"})
	for _, address := range []any{"ann", 1, []string{"ann@example.org", "bob@example.org"}, map[string]any{"a": 1}} {
		s.expect(t, email, acme(), "authentication", "sendSetPasswordEmail", address)
	}
	missing := violated("email", "must not be empty", "REQUIRED_FIELD", map[string]any{})
	for _, address := range []any{"", nil} {
		s.expect(t, missing, acme(), "authentication", "sendSetPasswordEmail", address)
	}
	// The SDK renames the field to where the caller gave it.
	s.expect(t, violated("options.hideIgnoreMessage", "must be a boolean", "FORMAT", map[string]any{"type": "BOOLEAN"}),
		acme(), "authentication", "sendSetPasswordEmail", "ann@example.org", map[string]any{"hideIgnoreMessage": "yes"})
}

func (s *sdk) refuses(t *testing.T) {
	for _, c := range []struct {
		options sdkOptions
		status  int
		code    string
		message string
	}{
		{sdkOptions{}, 401, "UNAUTHENTICATED", "The API key is missing or not known"},
		{sdkOptions{APIKey: "other-key", SiteID: acmeSite}, 401, "UNAUTHENTICATED", "The API key is missing or not known"},
		{sdkOptions{APIKey: "acme-powerless-key", SiteID: acmeSite}, 403, "PERMISSION_DENIED", "The API key may not manage the members of this site"},
		{sdkOptions{APIKey: "acme-key", SiteID: globexSite}, 403, "PERMISSION_DENIED", "The API key may not manage the members of this site"},
		{sdkOptions{APIKey: "acme-key"}, 403, "PERMISSION_DENIED", "The API key may not manage the members of this site"},
	} {
		s.expect(t, failed(c.status, c.code, c.message), c.options, "authentication", "sendSetPasswordEmail", "ann@example.org")
	}
}

func (s *sdk) recovers(t *testing.T, site *testSite) {
	redirect := func(url string) map[string]any {
		return map[string]any{"language": "de", "redirect": map[string]any{"url": url, "clientId": acmeSite}}
	}
	s.expect(t, outcome{}, sdkOptions{}, "recovery", "sendRecoveryEmail", "ann@example.org", redirect("https://app.example.org/done"))
	mails := site.deliver(t)
	if len(mails) != 1 || mails[0].Subject != "Passwort festlegen" {
		t.Fatalf("%d mails, or not in German", len(mails))
	}
	s.expect(t, violated("options.redirect.url", "is not an allowed redirect URL", "OTHER", map[string]any{}),
		sdkOptions{}, "recovery", "sendRecoveryEmail", "ann@example.org", redirect("https://evil.example/"))

	password := map[string]any{"password": "violet-Harbor-93-maple"}
	gone := failed(404, "RECOVERY_TOKEN_DATA_NOT_FOUND", "The recovery token was not found")
	s.expect(t, gone, sdkOptions{}, "recovery", "recover", "ARTunknown", password)
	s.expect(t, failed(400, "INVALID_PASSWORD", "The password is too weak."),
		sdkOptions{}, "recovery", "recover", mails[0].Token, map[string]any{"password": "password1"})
	s.expect(t, outcome{Resolved: map[string]any{"state": "SUCCESS"}}, sdkOptions{}, "recovery", "recover", mails[0].Token, password)
	s.expect(t, gone, sdkOptions{}, "recovery", "recover", mails[0].Token, password)

	if mails = site.deliver(t); len(mails) != 1 || mails[0].Token != "" {
		t.Fatalf("%d mails of the change, want a notice", len(mails))
	}

	s.expect(t, outcome{}, sdkOptions{}, "recovery", "sendRecoveryEmail", "Bob.Builder@example.org")
	if mails = site.deliver(t); len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	site.clock.advance(t, "3h1s")
	s.expect(t, failed(400, "EXPIRED_JWT_TOKEN", "The recovery token has expired"),
		sdkOptions{}, "recovery", "recover", mails[0].Token, password)
}

// exhausts uses up what accepts left of the day, of which a stranger's request is a part.
func (s *sdk) exhausts(t *testing.T) {
	for range 2 {
		s.expect(t, accepted, acme(), "authentication", "sendSetPasswordEmail", "ann@example.org")
	}
	s.expect(t, failed(429, "RESOURCE_EXHAUSTED", "Too many requests"),
		acme(), "authentication", "sendSetPasswordEmail", "ann@example.org")
}

// sdkOptions are what sdktest.mjs makes a client with.
type sdkOptions struct {
	APIKey     string `json:"apiKey,omitempty"`
	SiteID     string `json:"siteId,omitempty"`
	APIBaseURL string `json:"apiBaseUrl,omitempty"`
	ClientID   string `json:"clientId,omitempty"` // of an OAuth app, which holds tokens
	Visitor    string `json:"visitor,omitempty"`  // of the app, each with tokens of its own
}

func acme() sdkOptions { return sdkOptions{APIKey: "acme-key", SiteID: acmeSite} }

// outcome is what a call of the SDK came to.
type outcome struct {
	Resolved any
	Rejected *sdkError
}

// sdkError is what the SDK rejects with.
type sdkError struct {
	IsError   bool
	Status    int
	RequestID string
	Message   string
	Details   map[string]any
}

// failed is the SDK's error of an applicationError.
func failed(status int, code, message string) outcome {
	return outcome{Rejected: &sdkError{IsError: true, Status: status, Message: message, Details: map[string]any{
		"applicationError": map[string]any{"code": code, "description": message, "data": map[string]any{}},
	}}}
}

// violated is the SDK's error of one violation.
func violated(field, description, rule string, data map[string]any) outcome {
	message := `INVALID_ARGUMENT: "` + field + `" ` + description
	return outcome{Rejected: &sdkError{IsError: true, Status: 400, Message: message, Details: map[string]any{
		"validationError": map[string]any{"fieldViolations": []any{
			map[string]any{"field": field, "description": description, "violatedRule": rule, "data": data},
		}},
	}}}
}

// sdk is a running e2e/sdk/sdktest.mjs.
type sdk struct {
	in        *json.Encoder
	out       *bufio.Scanner
	requested string // method, host and path that the last call asked for

	mu sync.Mutex
	id string // X-Wix-Request-Id of the last answer
}

// installSDK installs what e2e/sdk/package-lock.json names, and no script of it.
func installSDK(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("e2e/sdk")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	npm.Dir = folder
	out, err := npm.CombinedOutput()
	if err != nil && os.Getenv("RESEED_TEST_REQUIRE_NPM") == "" {
		t.Skipf("SKIPPED: the vendor's SDK is not tested, since npm can't install it: %v\n%s", err, out)
	}
	if err != nil {
		t.Fatalf("npm: %v\n%s", err, out)
	}
	return folder
}

func startSDK(t *testing.T, folder string, handler http.Handler) *sdk {
	t.Helper()
	s := &sdk{}
	srv := httptest.NewServer(s.watch(handler))
	t.Cleanup(srv.Close)
	s.start(t, folder, "RESEED_URL="+srv.URL)
	return s
}

// start runs the program with these variables added to its environment.
func (s *sdk) start(t *testing.T, folder string, env ...string) {
	t.Helper()
	node := exec.CommandContext(context.WithoutCancel(t.Context()), "node", "sdktest.mjs") // ends with its input
	node.Dir, node.Stderr = folder, t.Output()
	node.Env = append(os.Environ(), env...)
	in, errIn := node.StdinPipe()
	out, errOut := node.StdoutPipe()
	if errIn != nil || errOut != nil {
		t.Fatal(errIn, errOut)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := node.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	s.in, s.out = json.NewEncoder(in), bufio.NewScanner(out)
}

// watch keeps the request id of the last answer.
func (s *sdk) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.id = w.Header().Get("X-Wix-Request-Id")
	})
}

// expect makes a call and compares what it comes to.
func (s *sdk) expect(t *testing.T, want outcome, options sdkOptions, module, method string, args ...any) {
	t.Helper()
	if diff := cmp.Diff(want, s.call(t, options, module, method, args...)); diff != "" {
		t.Errorf("%s(%v) (-want +got):\n%s", method, args, diff)
	}
}

// call makes a call. A rejection must name the request, in both places if the
// SDK puts that.
func (s *sdk) call(t *testing.T, options sdkOptions, module, method string, args ...any) outcome {
	t.Helper()
	got := s.unseen(t, options, module, method, args...)
	if r := got.Rejected; r != nil {
		s.checkID(t, r)
		r.Message = shownMessage(t, r.Message)
	}
	return got
}

// unseen makes a call, which need not get to the server.
func (s *sdk) unseen(t *testing.T, options sdkOptions, module, method string, args ...any) outcome {
	t.Helper()
	if err := s.in.Encode(append([]any{options, module, method}, args...)); err != nil {
		t.Fatal(err)
	}
	if !s.out.Scan() {
		t.Fatalf("node says nothing: %v", s.out.Err())
	}
	var got struct {
		Requested string
		outcome
	}
	if err := json.Unmarshal(s.out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, s.out.Text())
	}
	s.requested = got.Requested
	return got.outcome
}

func (s *sdk) checkID(t *testing.T, r *sdkError) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.RequestID == "" || r.RequestID != s.id || r.Details["requestId"] != s.id {
		t.Errorf("request id %q and %v, want %q", r.RequestID, r.Details["requestId"], s.id)
	}
	r.RequestID = ""
	delete(r.Details, "requestId")
}

// shownMessage returns the message in the JSON that is the text of the SDK's errors.
func shownMessage(t *testing.T, text string) string {
	t.Helper()
	var document struct{ Message string }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Errorf("the SDK's error reads %q", text)
	}
	return document.Message
}

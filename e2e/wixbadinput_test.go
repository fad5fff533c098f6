package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/server/wix"
)

// badInput is what a service of the vendor's makes of bad requests.
type badInput struct {
	caller  string   // key, visitor, member: who may call; "": anybody
	lacking []string // fields in the violations of {}; nil: nothing is required
	mistyped
}

// mistyped is a body with values of wrong kinds, and the fields in its violations.
type mistyped struct {
	body   string
	fields []string
}

// wixBadInput has all services that take a body.
var wixBadInput = map[string]badInput{
	"sendSetPasswordEmail": {"key", []string{"email"}, mistyped{
		`{"email":1,"hideIgnoreMessage":"yes","requestedByMember":1}`, []string{"email", "hideIgnoreMessage", "requestedByMember"}}},
	"sendRecoveryEmail": {"", []string{"email"}, mistyped{
		`{"email":"ann","language":1,"redirect":"https://app.example.org/"}`, []string{"email", "language", "redirect"}}},
	"sendActivationEmail": {"key", []string{"identityId"}, mistyped{
		`{"identityId":1,"emailOptions":[]}`, []string{"identityId", "emailOptions"}}},
	"recover": {"", []string{"recoveryToken", "password"}, mistyped{
		`{"recoveryToken":1,"password":{}}`, []string{"recoveryToken", "password"}}},
	"loginV2": {"visitor", []string{"loginId.email", "password"}, mistyped{
		`{"loginId":{"email":"ann"},"password":1}`, []string{"loginId.email", "password"}}},
	"registerV2": {"visitor", []string{"loginId.email", "password"}, mistyped{
		`{"loginId":{"email":1},"password":1,"profile":{"firstName":1,"lastName":[],"language":1}}`,
		[]string{"profile.firstName", "profile.lastName", "profile.language", "loginId.email", "password"}}},
	"changePassword": {"member", []string{"newPassword"}, mistyped{
		`{"newPassword":1}`, []string{"newPassword"}}},
	"tokens": {"", []string{"grantType"}, mistyped{
		`{"grantType":1}`, []string{"grantType"}}},
	"createRedirectSession": {"visitor", nil, mistyped{
		`{"auth":1}`, []string{"auth"}}},
	"queryMembers": {"key", nil, mistyped{
		`{"query":{"filter":1,"paging":{"limit":"x","offset":-1}},"fieldsets":"FULL"}`,
		[]string{"fieldsets", "query.paging.limit", "query.paging.offset", "query.filter"}}},
}

// The table of errors of contract 2.1 holds on every path, in the vendor's shape:
// what is no object, lacking and mistyped fields, a megabyte, no credentials,
// those of others, another method.
func TestWixBadInputOnEveryPath(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		w := newBadInputSite(t, dsn)
		for _, r := range wix.Routes() {
			for _, path := range r.Paths {
				path = strings.ReplaceAll(path, "{id}", guid(w.site.ids["ann"]))
				t.Run(r.Name+path, func(t *testing.T) {
					w.wrongMethods(t, r.Method, path)
					w.origins(t, r.Method, path)
					if r.Method == http.MethodPost {
						w.bodies(t, r.Name, path)
						w.credentials(t, wixBadInput[r.Name].caller, r.Method, path)
					}
				})
			}
		}
		for path, caller := range map[string]string{"/members/v1/members/my": "member", "/members/v1/members/" + guid(w.site.ids["ann"]): "visitor"} {
			w.credentials(t, caller, http.MethodGet, path)
		}
	})
}

// badInputSite is a site with everybody's credentials.
type badInputSite struct {
	site    *testSite
	headers map[string]http.Header // by caller
}

func newBadInputSite(t *testing.T, dsn string) badInputSite {
	t.Helper()
	w := badInputSite{site: startSite(t, siteConfig{dsn: dsn})}
	site, err := w.site.Store.FindSite(t.Context(), acmeSite)
	if err != nil {
		t.Fatal(err)
	}
	visitor, err := w.site.Members.GrantVisitor(t.Context(), site)
	if err != nil {
		t.Fatal(err)
	}
	member, err := w.site.Members.GrantMember(t.Context(), site, w.site.ids["ann"])
	if err != nil {
		t.Fatal(err)
	}
	w.headers = map[string]http.Header{
		"":        {},
		"key":     {"Authorization": {"acme-key"}, "Wix-Site-Id": {acmeSite}},
		"visitor": {"Authorization": {visitor.Access}},
		"member":  {"Authorization": {member.Access}},
	}
	return w
}

// vendorAnswer is an answer of the vendor's services.
type vendorAnswer struct {
	status  int
	header  http.Header
	Message string
	Details struct {
		ApplicationError struct{ Code string }
		ValidationError  struct{ FieldViolations []struct{ Field string } }
	}
}

func (w badInputSite) ask(t *testing.T, method, path, body string, header http.Header) vendorAnswer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	answer := httptest.NewRecorder()
	w.site.Handler.ServeHTTP(answer, r)
	got := vendorAnswer{status: answer.Code, header: answer.Header()}
	if answer.Code >= 400 {
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || got.Message == "" || got.header.Get("X-Wix-Request-Id") == "" {
			t.Errorf("%s %s: not an error of the vendor's: %d %s", method, path, answer.Code, answer.Body)
		}
	}
	return got
}

func (w badInputSite) wrongMethods(t *testing.T, right, path string) {
	t.Helper()
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, "BREW"} {
		if method == right {
			continue
		}
		if got := w.ask(t, method, path, "{}", nil); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != right {
			t.Errorf("%s: %d, Allow: %q", method, got.status, got.header.Get("Allow"))
		}
	}
}

// origins asks as pages do: those of a listed origin may call, and no look-alike.
func (w badInputSite) origins(t *testing.T, method, path string) {
	t.Helper()
	for origin, allowed := range map[string]bool{
		"https://app.example.org": true, "null": false, "https://app.example.org/path": false, "https://sub.app.example.org": false,
		"http://app.example.org": false, "https://app.example.org.evil.example": false,
	} {
		header := http.Header{"Origin": {origin}, "Access-Control-Request-Method": {method}}
		preflight := w.ask(t, http.MethodOptions, path, "", header)
		answer := w.ask(t, method, path, "[]", http.Header{"Origin": {origin}})
		want := map[bool]string{true: origin}[allowed]
		for what, got := range map[string]vendorAnswer{"preflight": preflight, "answer": answer} {
			if leave := got.header.Get("Access-Control-Allow-Origin"); leave != want {
				t.Errorf("%s to a page of %s: %d with the leave %q, want %q", what, origin, got.status, leave, want)
			}
		}
		if (preflight.status < 300) != allowed {
			t.Errorf("preflight from %s: %d", origin, preflight.status)
		}
	}
}

func (w badInputSite) bodies(t *testing.T, name, path string) {
	t.Helper()
	bad, listed := wixBadInput[name]
	if !listed {
		t.Fatalf("%s is not in the list of what is bad input", name)
	}
	post := func(body string) vendorAnswer { return w.ask(t, http.MethodPost, path, body, w.headers[bad.caller]) }
	for _, body := range []string{"", "null", "[]", "1", `"x"`, "{", `{"email":}`, "{} {}", "a=b", "\xff"} {
		if got := post(body); got.status != http.StatusBadRequest || got.Message != "Expected an object" {
			t.Errorf("%q: %d %s", body, got.status, got.Message)
		}
	}
	if got := post(`{"email":"` + strings.Repeat("x", 1_000_000) + `"}`); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a megabyte: %d %s", got.status, got.Message)
	}
	if bad.lacking != nil {
		checkViolations(t, bad.lacking, post("{}"))
	}
	checkViolations(t, bad.fields, post(bad.body))
}

func checkViolations(t *testing.T, want []string, got vendorAnswer) {
	t.Helper()
	var violated []string
	for _, v := range got.Details.ValidationError.FieldViolations {
		violated = append(violated, v.Field)
	}
	for _, name := range want {
		if !slices.Contains(violated, name) || got.status != http.StatusBadRequest {
			t.Errorf("%d %s (-want +violated):\n%s", got.status, got.Message, cmp.Diff(want, violated))
			return
		}
	}
}

// credentials asks without any, with a key that is not known and with one of
// another site, and as somebody who may not.
func (w badInputSite) credentials(t *testing.T, caller, method, path string) {
	t.Helper()
	if caller == "" {
		return
	}
	refused := func(what string, header http.Header, status int, code string) {
		t.Helper()
		if got := w.ask(t, method, path, "{}", header); got.status != status || got.Details.ApplicationError.Code != code {
			t.Errorf("%s: %d %s", what, got.status, got.Message)
		}
	}
	refused("no credentials", nil, http.StatusUnauthorized, "UNAUTHENTICATED")
	refused("an unknown key", http.Header{"Authorization": {"other-key"}, "Wix-Site-Id": {acmeSite}}, http.StatusUnauthorized, "UNAUTHENTICATED")
	refused("a key of another site", http.Header{"Authorization": {"acme-key"}, "Wix-Site-Id": {globexSite}}, http.StatusForbidden, "PERMISSION_DENIED")
	refused("a key and no site", http.Header{"Authorization": {"acme-key"}}, http.StatusForbidden, "PERMISSION_DENIED")
	refused("a key without the scope", http.Header{"Authorization": {"acme-powerless-key"}, "Wix-Site-Id": {acmeSite}}, http.StatusForbidden, "PERMISSION_DENIED")
	token := w.headers["visitor"].Get("Authorization")
	refused("a token that is not known", http.Header{"Authorization": {token[:len(token)-1] + "~"}}, http.StatusUnauthorized, "UNAUTHENTICATED")
	if caller != "visitor" || method == http.MethodGet {
		refused("a visitor", w.headers["visitor"], http.StatusForbidden, "PERMISSION_DENIED")
	}
	if caller == "key" {
		refused("a member", w.headers["member"], http.StatusForbidden, "PERMISSION_DENIED")
	}
}

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const globexClient = "cccccccc-2222-4333-8444-555555555555" // which is not the site's id

// The flow of headless sites, by the vendor's own SDK: from a forgotten password
// to a member who is signed in, and every error as the SDK's own (contract 2.2).
func TestSDKOfHeadlessSites(t *testing.T) {
	t.Parallel()
	folder := installSDK(t)
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "host-url = \"http://127.0.0.1/ps\"\n"})
		sdk := startSDK(t, folder, site.Handler)
		t.Run("flow", func(t *testing.T) { sdk.forgetsAndSignsIn(t, site) })
		t.Run("refused", sdk.refusesTokens)
		t.Run("registration", sdk.registers)
		t.Run("members", func(t *testing.T) { sdk.queries(t, site) })
		t.Run("activation", func(t *testing.T) { sdk.activates(t, site) })
		t.Run("unserved", sdk.findsNothing)
	})
}

// headless is a client of the OAuth app of a site.
func headless(client, visitor string) sdkOptions {
	return sdkOptions{ClientID: client, Visitor: visitor}
}

func resolved(v any) outcome { return outcome{Resolved: v} }

// state is what auth.login and auth.register come to.
func (s *sdk) signIn(t *testing.T, o sdkOptions, method, email, password string) map[string]any {
	t.Helper()
	got := s.call(t, o, "auth", method, map[string]any{"email": email, "password": password})
	state, ok := got.Resolved.(map[string]any)
	if !ok {
		t.Fatalf("%s: %+v", method, got.Rejected)
	}
	return state
}

// sessionToken signs in and returns the proof of it.
func (s *sdk) sessionToken(t *testing.T, o sdkOptions, email, password string) string {
	t.Helper()
	state := s.signIn(t, o, "login", email, password)
	data, _ := state["data"].(map[string]any)
	token, _ := data["sessionToken"].(string)
	if state["loginState"] != "SUCCESS" || token == "" {
		t.Fatalf("login of %s: %v", email, state)
	}
	return token
}

func (s *sdk) forgetsAndSignsIn(t *testing.T, site *testSite) {
	const back, first, second = "https://app.example.org/callback", "violet-Harbor-93-maple", "amber-Meadow-41-flute"
	ann := headless(acmeSite, "ann")
	s.expect(t, resolved(nil), ann, "auth", "sendPasswordResetEmail", "ann@example.org", "https://app.example.org/signed-in")
	mails := site.deliver(t)
	if len(mails) != 1 || mails[0].Token == "" {
		t.Fatalf("%d mails", len(mails))
	}
	s.expect(t, resolved(map[string]any{"state": "SUCCESS"}), ann, "recovery", "recover", mails[0].Token, map[string]any{"password": first})
	for _, mode := range []string{"query", "fragment"} {
		s.expect(t, resolved(true), ann, "flow", "memberTokens", s.sessionToken(t, ann, "ann@example.org", first), back, mode)
	}
	s.expect(t, resolved("ann@example.org"), ann, "flow", "current")
	s.expect(t, resolved(map[string]any{"kept": true, "fresh": true}), ann, "flow", "renew")
	s.expect(t, resolved(map[string]any{"kept": true, "fresh": true}), ann, "flow", "renew") // the SDK keeps its refresh token
	s.expect(t, resolved("ann@example.org"), ann, "flow", "current")

	elsewhere := headless(acmeSite, "elsewhere")
	s.expect(t, resolved(true), elsewhere, "flow", "memberTokens", s.sessionToken(t, elsewhere, "ann@example.org", first), back, "query")
	s.expect(t, resolved(nil), ann, "identity", "changePassword", second)
	s.expect(t, resolved("ann@example.org"), ann, "flow", "current") // her own session stays
	s.expect(t, failed(401, "UNAUTHENTICATED", "The access token has expired or is not known"), elsewhere, "flow", "current")
	if state := s.signIn(t, ann, "login", "ann@example.org", first); state["errorCode"] != "invalidPassword" {
		t.Errorf("the old password: %v", state)
	}
	s.sessionToken(t, ann, "ann@example.org", second)
	got := s.call(t, ann, "auth", "logout", "https://app.example.org/bye")
	if address, _ := json.Marshal(got.Resolved); !strings.Contains(string(address), "/_api/iam/authentication/v1/logout?clientId="+acmeSite) {
		t.Errorf("logout: %s", address)
	}
}

func (s *sdk) refusesTokens(t *testing.T) {
	bob := headless(globexClient, "bob")
	if state := s.signIn(t, bob, "login", "ann@example.org", "amber-Meadow-41-flute"); state["errorCode"] != "invalidPassword" {
		t.Errorf("a member of another site: %v", state)
	}
	wrong := failed(401, "-19976", "The email address or password is wrong")
	for _, email := range []string{"ann@example.org", "nobody@example.org"} {
		s.expect(t, wrong, bob, "identity", "loginV2", map[string]any{"email": email}, map[string]any{"password": "wrong"})
	}
	s.expect(t, violated("loginId.email", "must be a valid email address", "FORMAT", map[string]any{"type": "EMAIL"}),
		bob, "identity", "loginV2", map[string]any{"email": "ann"}, map[string]any{"password": "wrong"})
	// A redirect that only looks like one of the site's.
	acme := headless(acmeSite, "visitor")
	for _, url := range []string{"https://app.example.org.evil.example/", "https://app.example.org@evil.example/", "https://sub.app.example.org/", "http://app.example.org/"} {
		s.expect(t, violated("options.redirect.url", "is not an allowed redirect URL", "OTHER", map[string]any{}),
			acme, "auth", "sendPasswordResetEmail", "ann@example.org", url)
	}
	// A visitor's token of one site, used for another.
	s.expect(t, failed(403, "PERMISSION_DENIED", "The access token is for another site"),
		acme, "recovery", "sendRecoveryEmail", "ann@example.org", map[string]any{"redirect": map[string]any{"url": "https://app.example.org/", "clientId": globexClient}})
	s.expect(t, failed(403, "PERMISSION_DENIED", "This takes a member's access token"), acme, "identity", "changePassword", "violet-Harbor-93-maple")
	s.expect(t, failed(403, "PERMISSION_DENIED", "This takes an API key that may manage members"), acme, "authentication", "sendSetPasswordEmail", "ann@example.org")
}

func (s *sdk) registers(t *testing.T) {
	acme, globex := headless(acmeSite, "new"), headless(globexClient, "new")
	const password = "violet-Harbor-93-maple"
	s.expect(t, failed(403, "PERMISSION_DENIED", "The site does not let people register"),
		acme, "identity", "registerV2", map[string]any{"email": "zoe@example.org"}, map[string]any{"password": password})
	if state := s.signIn(t, globex, "register", "zoe@example.org", password); state["loginState"] != "SUCCESS" {
		t.Errorf("register: %v", state)
	}
	if state := s.signIn(t, globex, "register", "zoe@example.org", password); state["errorCode"] != "emailAlreadyExists" {
		t.Errorf("register again: %v", state)
	}
	if state := s.signIn(t, globex, "register", "zoe", password); state["errorCode"] != "invalidEmail" {
		t.Errorf("register without an address: %v", state)
	}
	s.sessionToken(t, globex, "zoe@example.org", password)
	s.expect(t, failed(400, "INVALID_PASSWORD", "The password is too weak."),
		globex, "identity", "registerV2", map[string]any{"email": "yves@example.org"}, map[string]any{"password": "password1"})
}

func (s *sdk) queries(t *testing.T, site *testSite) {
	id := guid(site.ids["ann"])
	found := func(addresses ...any) outcome { return resolved(append([]any{}, addresses...)) }
	s.expect(t, found("ann@example.org"), acme(), "query", "", []any{"eq", "loginEmail", "ANN@example.org"})
	s.expect(t, found(), acme(), "query", "", []any{"eq", "loginEmail", "zoe@example.org"}) // of the other site
	s.expect(t, found("ann@example.org", "Bob.Builder@example.org"), acme(), "query", "",
		[]any{"in", "loginEmail", []any{"bob.builder@example.org", "ann@example.org", "nobody@example.org"}}, []any{"ascending", "_id"})
	s.expect(t, found("ann@example.org"), acme(), "query", "",
		[]any{"startsWith", "loginEmail", "a"}, []any{"ne", "loginEmail", "admin@example.org"}, []any{"limit", 1})
	s.expect(t, violated("undefined.filter", "can hold id and loginEmail only", "OTHER", map[string]any{}), acme(), "query", "", []any{"eq", "profile.slug", "ann"})

	got := s.call(t, acme(), "members", "getMember", id, map[string]any{"fieldsets": []string{"FULL"}})
	ann, _ := got.Resolved.(map[string]any)
	if ann["_id"] != id || ann["status"] == nil || ann["contact"] == nil {
		t.Errorf("getMember: %v, %+v", ann, got.Rejected)
	}
	s.expect(t, failed(404, "MEMBER_NOT_FOUND", "The site has no such member"), acme(), "members", "getMember", "00000000-0000-4000-8000-0000000fffff")
	s.expect(t, resolved(true), headless(acmeSite, "vouched"), "flow", "externalLogin", id, "acme-key")
	s.expect(t, resolved(ann["loginEmail"]), headless(acmeSite, "vouched"), "flow", "current")
}

// guid is a member's id as the vendor's clients see it.
func guid(id int64) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", id) }

func (s *sdk) activates(t *testing.T, site *testSite) {
	id := guid(site.ids["ann"])
	site.deliver(t)
	s.expect(t, resolved(nil), acme(), "recovery", "sendActivationEmail", id,
		map[string]any{"emailOptions": map[string]any{"language": "de"}})
	if mails := site.deliver(t); len(mails) != 1 || mails[0].Token == "" {
		t.Errorf("%d mails", len(mails))
	}
	s.expect(t, failed(404, "MEMBER_NOT_FOUND", "The site has no such member"), acme(), "recovery", "sendActivationEmail", "00000000-0000-4000-8000-0000000fffff")
}

func (s *sdk) findsNothing(t *testing.T) {
	s.expect(t, failed(404, "NOT_FOUND", "No such service"), acme(), "identity", "validateEmail", "ann@example.org")
	s.expect(t, failed(404, "NOT_FOUND", "No such service"), acme(), "members", "muteMember", guid(1))
	s.expect(t, failed(404, "NOT_FOUND", "No such service"), acme(), "authentication", "approve", map[string]any{"email": "ann@example.org"})
}

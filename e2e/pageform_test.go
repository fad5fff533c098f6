package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// The cookie that carries a link is short-lived, goes to the link's page alone,
// is out of reach of scripts, and by HTTPS never travels in clear.
func TestLinkCookie(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("t", 32)
	for hostURL, attributes := range map[string]string{
		"http://127.0.0.1/ps":     "; Path=/ps/email/changepassword; Max-Age=900; HttpOnly; SameSite=Lax",
		"https://example.org/a/b": "; Path=/a/b/email/changepassword; Max-Age=900; HttpOnly; Secure; SameSite=Lax",
	} {
		site := startSite(t, siteConfig{settings: "host-url = \"" + hostURL + "\"\n"})
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), method, "/ps/email/changepassword?member=1&token="+token, nil)
			site.Handler.ServeHTTP(w, r)
			if got, want := w.Header().Get("Set-Cookie"), "reseed_link=1."+token+attributes; w.Code != http.StatusSeeOther || got != want {
				t.Errorf("%s %s: status %d, cookie %q, want %q", method, hostURL, w.Code, got, want)
			}
		}
	}
}

// Who is refused, or reloads, has as much time again (WCAG 2.2, 2.2.1).
func TestRefusalRenewsTheTime(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	link := v.link("", "ann")
	renewed := func() bool { return strings.Contains(v.header.Get("Set-Cookie"), "; Max-Age=900;") }
	v.get(link).get("/ps/email/changepassword").want(200)
	if !renewed() {
		t.Error("not by a reload")
	}
	if v.submit("short", "short").want(422); !renewed() {
		t.Error("not by a refusal")
	}
	v.client.Jar = nil
	v.do(http.MethodPost, "/ps/email/changepassword", url.Values{"address": {link}}).want(200)
	if v.header.Get("Set-Cookie") != "" {
		t.Error("a link that was pasted, since the browser keeps no cookies, came with one")
	}
}

// Password managers find the account and both new passwords, and a text browser
// all that it must send.
func TestFormsForPasswordManagers(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	v.get("/ps/email/resetpassword").want(200, `name="identifier" value="" autocomplete="username"`)
	v.get(v.link("", "ann")).want(200, `name="username" value="ann" autocomplete="username" readonly`)
	if n := strings.Count(v.body, `type="password"`); n != 2 || strings.Count(v.body, `autocomplete="new-password"`) != n {
		t.Errorf("want two new passwords:\n%s", v.body)
	}
	v.get(v.link("", "mailonly@example.org")).want(200, `name="username" value="mailonly@example.org" autocomplete="username"`)
}

// Text browsers show what is hidden: a button that needs the script comes with it.
func TestFormHasNoDeadButton(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	v.get(v.link("", "ann")).want(200, `<button class="button" type="submit">`)
	if n := strings.Count(v.body, "<button"); n != 1 {
		t.Errorf("%d buttons:\n%s", n, v.body)
	}
}

var reference = regexp.MustCompile(`(?:src|href)="(/ps/email/assets/[^"]+)"`)

// The pages of a group wear its logo and colour, and load what they name.
func TestPagesTakeTheGroupsLook(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: "templates = \"demo/templates\"\n"})
	v.get("/ps/email/acme-specs/resetpassword").want(200, `class="logo"`, `alt="Acme Specifications"`, "at \u2068Acme Specifications\u2069")
	types, styles := map[string]bool{}, ""
	for _, match := range reference.FindAllStringSubmatch(v.body, -1) {
		v.get(match[1]).want(200)
		types[v.header.Get("Content-Type")] = true
		if strings.HasSuffix(match[1], "/look.css") {
			styles = v.body
		}
		if policy := v.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; sandbox") {
			t.Errorf("%s: policy %s", match[1], policy)
		}
	}
	if !types["image/svg+xml"] || !strings.Contains(styles, "--accent:#1f6b3a") || !strings.Contains(styles, "Georgia") {
		t.Errorf("types %v, style sheet %s", types, styles)
	}
	v.get("/ps/email/resetpassword").want(200, `<p class="name" dir="auto">PageSeeder</p>`)
}

// A group's form mails the group's members, and says the same about all others.
func TestGroupFormMailsItsMembersAlone(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	said := v.do(http.MethodPost, "/ps/email/acme-specs/resetpassword", url.Values{"identifier": {"ann"}}).want(200).body
	if mails := v.site.deliver(t); len(mails) != 1 {
		t.Errorf("a member got %d mails", len(mails))
	}
	for _, name := range []string{"carl", "carl@example.org", "nobody"} {
		v.do(http.MethodPost, "/ps/email/acme-specs/resetpassword", url.Values{"identifier": {name}}).want(200)
		if mails := v.site.deliver(t); len(mails) != 0 || v.body != said {
			t.Errorf("%s: %d mails, and\n%s", name, len(mails), v.body)
		}
	}
}

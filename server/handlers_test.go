package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/pages"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/templates"
)

// A panic in any handler is answered with the internal error, in the words of
// that service, is one line of log that holds nothing of the request, and the
// next request is served (WEB-14). Here no handler has anything to work with.
func TestEveryHandlerMayPanic(t *testing.T) {
	looks, err := templates.NewLibrary(nil, templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	logged := &logBuffer{}
	h := New(Config{
		SitePrefix: "/ps", Now: time.Now, Log: slog.New(slog.NewTextHandler(logged, nil)),
		Pages: &pages.Config{Looks: looks, HostURL: "http://localhost/ps", SiteName: "canary", Inbox: brokenInbox{}, InboxEverywhere: true},
	})
	const token = "ujHidAn9kKjObQuVbl_vLMc9npOjAKj2"
	form := "email=canary@example.org&member=2&member-password=canary-pw&member-password-again=canary-pw&action=login&username=canary&password=canary-pw" +
		"&identifier=canary&grant_type=client_credentials&client_id=0123456789abcdef&client_secret=canary&token=" + token +
		"&link=" + linkDigest("2."+token)
	wix := `{"email":"canary@example.org","recoveryToken":"canary-token","password":"canary-password"}`
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/members/resetpassword", form, `id="F001"`},
		{"POST", "/groups/canary/members/resetpassword.json", form, `"id":"F001"`},
		{"POST", "/ps/api/members/forceresetpassword", form, `id="F001"`},
		{"POST", "/groups/canary/members/forceresetpassword", form, `id="F001"`},
		{"POST", "/members/canary/unlock", form, `id="F001"`},
		{"GET", "/ps/service/members/canary", "", `id="F001"`},
		{"GET", "/self", "", `id="F001"`},
		{"POST", "/authenticate", form, `id="F001"`},
		{"POST", "/authenticate;jsessionid=canary", "action=logout", `id="F001"`},
		{"POST", "/oauth/token", form, `id="F001"`},
		{"POST", "/members/v1/auth/members/send-set-password-email", wix, `"message":"Internal error"`},
		{"POST", "/_iam/recovery/v1/send-email", wix, `"message":"Internal error"`},
		{"POST", "/_api/iam/recovery/v1/recover", wix, `"message":"Internal error"`},
		{"POST", "/ps/email/changepassword", "address=" + token, `<h1>`},
		{"POST", "/ps/email/changepassword", form, `<h1>`},
		{"POST", "/ps/email/changepassword/strength", form, `<h1>`},
		{"POST", "/ps/email/resetpassword", form, `<h1>`},
		{"GET", "/ps/email/canary/resetpassword", "", `<h1>`},
		{"GET", "/", "", `<h1>`},
		{"GET", "/dev/mail", "", `<h1>`},
		{"GET", "/dev/mail.json", "", `<h1>`},
		{"DELETE", "/dev/mail.json", "", `<h1>`},
		{"GET", "/dev/mail/events", "", `<h1>`},
		{"GET", "/dev/mail/canary", "", `<h1>`},
		{"GET", "/dev/mail/canary/raw", "", `<h1>`},
		{"POST", "/dev/mail/delete", form, `<h1>`},
	} {
		before := len(logged.String())
		header := []string{}
		if c.path == "/self" {
			header = []string{"Authorization", "Basic Y2FuYXJ5OmNhbmFyeQ=="}
		}
		w := send(h, c.method, "http://localhost"+c.path, c.body, header...)
		checkPanic(t, c.method+" "+c.path, w.Code, w.Body.String(), c.want, logged.String()[before:])
		if w := send(h, http.MethodGet, "/version", ""); w.Code != http.StatusOK {
			t.Fatalf("after %s %s: %d", c.method, c.path, w.Code)
		}
	}
}

func checkPanic(t *testing.T, call string, status int, body, want, line string) {
	t.Helper()
	if status != http.StatusInternalServerError || !strings.Contains(body, want) {
		t.Errorf("%s: %d %s", call, status, body)
	}
	for _, inside := range []string{".go:", "goroutine", "runtime", "sql:", "nil pointer", "members.", "0x"} {
		if strings.Contains(body, inside) {
			t.Errorf("%s: %q in the answer %s", call, inside, body)
		}
	}
	if strings.Count(line, "\n") != 1 || !strings.Contains(line, "panic of type ") || strings.Contains(line, "canary") || strings.Contains(line, "goroutine") {
		t.Errorf("%s: log %s", call, line)
	}
}

// linkDigest is what the page's form carries for the link in the cookie.
func linkDigest(cookie string) string {
	sum := sha256.Sum256([]byte("reseed/page/v1\x00" + cookie))
	return hex.EncodeToString(sum[:8])
}

// brokenInbox panics with what it is asked for.
type brokenInbox struct{}

func (brokenInbox) List() ([]pages.MailEntry, error)  { panic("canary") }
func (brokenInbox) Read(id string) ([]byte, error)    { panic(id) }
func (brokenInbox) Remove(id string) error            { panic(id) }
func (brokenInbox) Watch(context.Context) func() bool { panic("canary") }

// Of a parameter that is given more than once the first counts, for every use
// of it, wherever both stand; a name with brackets is another name (PAR-1).
func TestTheFirstValueCounts(t *testing.T) {
	var got members.ResetRequest
	h, _ := newTestServer(&fakeMembers{reset: func(_ context.Context, _ members.Caller, r members.ResetRequest) (members.Outcome, error) {
		got = r
		return members.Requested, nil
	}}, Limits{})
	fields := map[string]func() string{
		"email": func() string { return got.Email }, "member-username": func() string { return got.Username },
		"token": func() string { return got.Token }, "key": func() string { return got.Key }, "member-password": func() string { return got.Password },
	}
	for name, value := range fields {
		one, two := name+"=first", name+"=second"
		for placement, c := range map[string]struct{ query, body, kind string }{
			"twice in the query":       {one + "&" + two, "", ""},
			"twice in the form":        {"", one + "&" + two, ""},
			"in query and form":        {one, two, ""},
			"escaped the second time":  {"", one + "&%" + fmt.Sprintf("%x", name[0]) + two[1:], ""},
			"thrice":                   {one + "&" + two, two, ""},
			"with brackets first":      {"", name + "[]=second&" + name + "[0]=second&" + one, ""},
			"with brackets afterwards": {one, name + "[]=second&" + name + "%5B%5D=second", ""},
			"in other case":            {"", strings.ToUpper(name) + "=second&" + one, ""},
			"twice in JSON":            {"", `{"` + name + `":"first","` + name + `":"second"}`, "application/json"},
			"in query and JSON":        {one, `{"` + name + `":"second"}`, "application/json"},
		} {
			got = members.ResetRequest{}
			header := []string{}
			if c.kind != "" {
				header = []string{"Content-Type", c.kind}
			}
			w := send(h, http.MethodPost, resetPath+"?"+c.query, c.body, header...)
			if w.Code != http.StatusOK || value() != "first" {
				t.Errorf("%s %s: %d, %q counts", name, placement, w.Code, value())
			}
		}
	}
}

// A hundred thousand parameters are refused before they are read, in whatever
// form, also where bodies may be large (LOD-9).
func TestParametersAreCounted(t *testing.T) {
	h, _ := newTestServer(&fakeMembers{reset: succeed}, Limits{Body: 16 << 20})
	var form, object strings.Builder
	object.WriteString(`{"email":"ann@example.org"`)
	for i := range 100_000 {
		fmt.Fprintf(&form, "p%d=x&", i)
		fmt.Fprintf(&object, `,"p%d":"x"`, i)
	}
	for name, c := range map[string]struct{ body, kind string }{
		"form":         {form.String() + "email=ann@example.org", "application/x-www-form-urlencoded"},
		"empty ones":   {strings.Repeat("&", 100_000) + "email=ann@example.org", "application/x-www-form-urlencoded"},
		"of one name":  {strings.Repeat("a=b&", 100_000) + "email=ann@example.org", "application/x-www-form-urlencoded"},
		"JSON":         {object.String() + "}", "application/json"},
		"over by one":  {strings.Repeat("a=b&", 100) + "email=ann@example.org", "application/x-www-form-urlencoded"},
		"nested lists": {strings.Repeat("[", 100_000), "application/json"},
	} {
		if w := send(h, http.MethodPost, resetPath, c.body, "Content-Type", c.kind); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `id="F006"`) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := send(h, http.MethodPost, resetPath, strings.Repeat("a=b&", 99)+"email=ann@example.org"); w.Code != http.StatusOK {
		t.Errorf("a hundred: %d %s", w.Code, w.Body)
	}
}

// Wrong tokens and credentials count for ten against whoever tries them, and
// against nobody else: not another client, not the member (TOK-13, LOD-7).
func TestGuessesCountForTen(t *testing.T) {
	for name, fault := range map[string]error{"token": errcodes.New(errcodes.InvalidToken), "credentials": errcodes.BadCredentials(nil)} {
		fail := true
		s := Config{
			Members: &fakeMembers{reset: func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
				if fail {
					return 0, fault
				}
				return members.Requested, nil
			}},
			SitePrefix: "/ps", Rates: Rates{Client: 30}, Now: func() time.Time { return start }, Log: slog.New(slog.DiscardHandler),
			Proxies: request.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		}
		h := New(s)
		ask := func(client string) int {
			return send(h, http.MethodPost, resetPath, "email=ann@example.org", "X-Forwarded-For", client).Code
		}
		var got []int
		for range 4 {
			got = append(got, ask("198.51.100.1"))
		}
		if got[2] == http.StatusTooManyRequests || got[3] != http.StatusTooManyRequests {
			t.Errorf("%s: guesses get %v, want the fourth refused", name, got)
		}
		fail = false
		if status := ask("198.51.100.2"); status != http.StatusOK {
			t.Errorf("%s: another client, about the same member, gets %d", name, status)
		}
	}
}

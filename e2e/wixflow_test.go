package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// From the request to the mail, to the page that its link opens, and on to where
// the request asked to continue (contract 2.2).
func TestWixFlowOverThePage(t *testing.T) {
	for name, c := range map[string]struct{ path, body, next string }{
		"send-email": {"/_iam/recovery/v1/send-email",
			`{"email":"mailonly@example.org","redirect":{"url":"https://app.example.org/done?a=1&b=2","clientId":"` + acmeSite + `"}}`,
			`href="https://app.example.org/done?a=1&amp;b=2"`},
		"set-password": {"/members/v1/auth/members/send-set-password-email", `{"email":"mailonly@example.org"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			site := startSite(t, siteConfig{settings: "host-url = \"http://127.0.0.1/ps\"\n"})
			srv := httptest.NewServer(site.Handler)
			t.Cleanup(srv.Close)
			wixPost(t, srv.Listener.Addr(), c.path, c.body)
			token := site.deliver(t)[0].Token
			browser := newBrowser(t, srv.URL)
			form := browser.get(t, "/ps/email/changepassword?forgotPasswordToken="+token)
			if !strings.Contains(form, "Acme specifications") || strings.Contains(form, token) {
				t.Errorf("the form is without the group, or shows the token:\n%s", form)
			}
			done := browser.submit(t, form, "violet-Harbor-93-maple")
			if !strings.Contains(done, c.next) || c.next == "" && strings.Contains(done, "app.example.org") {
				t.Errorf("want %s in\n%s", c.next, done)
			}
			if mails := site.deliver(t); len(mails) != 1 || mails[0].Subject != "Your password has been updated" {
				t.Errorf("%d mails after the change, want the notice", len(mails))
			}
			if m, err := site.Members.SignIn(t.Context(), "mailonly@example.org", "violet-Harbor-93-maple"); err != nil || m.Status != "activated" {
				t.Errorf("signed in as %+v, error %v", m.ID, err)
			}
			answer := wixPost(t, srv.Listener.Addr(), "/_iam/recovery/v1/recover", `{"recoveryToken":"`+token+`","password":"violet-Harbor-93-maple"}`)
			if !strings.Contains(answer, "RECOVERY_TOKEN_DATA_NOT_FOUND") {
				t.Errorf("the token of the page serves again: %s", answer)
			}
		})
	}
}

// cookieBrowser keeps cookies and follows redirects.
type cookieBrowser struct {
	*http.Client
	base string
}

func newBrowser(t *testing.T, base string) *cookieBrowser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &cookieBrowser{&http.Client{Jar: jar}, base}
}

func (b *cookieBrowser) get(t *testing.T, path string) string {
	t.Helper()
	resp, err := b.Get(b.base + path)
	return pageOf(t, resp, err)
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// submit sends the form on a page.
func (b *cookieBrowser) submit(t *testing.T, page, password string) string {
	t.Helper()
	form := url.Values{"member-password": {password}, "member-password-again": {password}}
	for _, field := range hiddenField.FindAllStringSubmatch(page, -1) {
		form.Set(field[1], field[2])
	}
	resp, err := b.PostForm(b.base+"/ps/email/changepassword", form)
	return pageOf(t, resp, err)
}

func pageOf(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, error %v:\n%s", resp.StatusCode, err, body)
	}
	return string(body)
}

// Exactly one of many simultaneous uses of a recovery token wins (TOK-3).
func TestOneWinnerPerRecoveryToken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn})
		srv := httptest.NewServer(site.Handler)
		t.Cleanup(srv.Close)
		wixPost(t, srv.Listener.Addr(), "/_iam/recovery/v1/send-email", `{"email":"ann@example.org"}`)
		token := site.deliver(t)[0].Token
		answers := make(chan string)
		for range 16 {
			go func() {
				body, _ := json.Marshal(map[string]string{"recoveryToken": token, "password": "violet-Harbor-93-maple"})
				r := httptest.NewRequest(http.MethodPost, "/_iam/recovery/v1/recover", strings.NewReader(string(body)))
				w := httptest.NewRecorder()
				site.Handler.ServeHTTP(w, r)
				answers <- w.Body.String()
			}()
		}
		won := 0
		for range 16 {
			switch a := <-answers; {
			case a == `{"state":"SUCCESS"}`:
				won++
			case !strings.Contains(a, "RECOVERY_TOKEN_DATA_NOT_FOUND"):
				t.Errorf("a loser got %s", a)
			}
		}
		if won != 1 {
			t.Errorf("%d winners", won)
		}
		if mails := site.deliver(t); len(mails) != 1 {
			t.Errorf("%d mails after the change, want one", len(mails))
		}
	})
}

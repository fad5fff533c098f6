package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// postPage sends a form to a page and returns its status and the page.
func (s *testSite) postPage(t *testing.T, path string, form url.Values) (int, string) {
	t.Helper()
	w := s.send(t, [3]string{http.MethodPost, path, form.Encode()}, func(*http.Request) {})
	return w.Code, w.Body.String()
}

// lastLink returns the link of the latest mail and whom it went to.
func (s *testSite) lastLink(t *testing.T) (link *url.URL, to string) {
	t.Helper()
	mails := s.deliver(t)
	if len(mails) == 0 || len(mails[len(mails)-1].Links) == 0 {
		t.Fatalf("%d mails, no link in the last", len(mails))
	}
	m := mails[len(mails)-1]
	link, err := url.Parse(m.Links[0])
	if err != nil {
		t.Fatal(err)
	}
	return link, m.To
}

// The link of the activation mail activates nothing when it is opened, however
// often and by whatever program; its button does, once (contract 1.5, TOK-11).
func TestActivationPage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "self-register = true\n"})
		site.send(t, [3]string{"POST", "/members/register", "email=eve@example.org&firstname=Eve&surname=Early&member-password=violet-Harbor-93-maple"}, func(*http.Request) {})
		link, to := site.lastLink(t)
		if to != "eve@example.org" || link.Path != "/ps/email/activate" {
			t.Fatalf("to %s: %s", to, link.Path)
		}
		eve := basicAuth("eve@example.org", "violet-Harbor-93-maple")(t, site)
		for range 3 {
			w := site.send(t, [3]string{"GET", link.RequestURI(), ""}, func(*http.Request) {})
			if w.Code != 200 || !strings.Contains(w.Body.String(), "Activate account</button>") || strings.Contains(w.Body.String(), "<script>") {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		if got := site.outcome(t, [3]string{"GET", "/self", ""}, eve); got != "401" {
			t.Fatalf("opening the link let in: %s", got)
		}
		if status, _ := site.postPage(t, "/ps/email/activate", url.Values{"member": {"2"}, "token": link.Query()["token"]}); status != 410 {
			t.Errorf("another member's id: %d", status)
		}
		if status, page := site.postPage(t, "/ps/email/activate", link.Query()); status != 200 || !strings.Contains(page, "Your account is active") {
			t.Errorf("%d %s", status, page)
		}
		if got := site.outcome(t, [3]string{"GET", "/self", ""}, eve); got != "200" {
			t.Errorf("after activation: %s", got)
		}
	})
}

// A new address is used once the mail to it was answered; then the old one is
// told, sessions and tokens end, and the link is spent (contract 1.5, TOK-7).
func TestConfirmEmailPage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn})
		session := withSession(site.login(t))
		change := [3]string{"PATCH", "/members/~ann", "email=anne@example.com&current-password=old-Garden-12-gate"}
		if got := site.outcome(t, change, session); got != "200" {
			t.Fatal(got)
		}
		link, to := site.lastLink(t)
		if to != "anne@example.com" || link.Path != "/ps/email/confirmemail" {
			t.Fatalf("to %s: %s", to, link.Path)
		}
		if got := site.find(t, "ann").Email; got != "ann@example.org" {
			t.Errorf("before the click: %s", got)
		}
		if status, page := site.postPage(t, "/ps/email/confirmemail", link.Query()); status != 200 || !strings.Contains(page, "is confirmed") {
			t.Errorf("%d %s", status, page)
		}
		if got := site.find(t, "ann").Email; got != "anne@example.com" {
			t.Errorf("after the click: %s", got)
		}
		mails := site.deliver(t)
		if last := mails[len(mails)-1]; last.To != "ann@example.org" || last.Subject != "Your email address was changed" {
			t.Errorf("the old address is not told: %s %s", last.To, last.Subject)
		}
		if got := site.outcome(t, [3]string{"GET", "/self", ""}, session); got != "401" {
			t.Errorf("the session goes on: %s", got)
		}
		if status, _ := site.postPage(t, "/ps/email/confirmemail", link.Query()); status != 410 {
			t.Errorf("a second time: %d", status)
		}
	})
}

// A program that signs in with every request, also with many at a time, leaves
// one session (contract 1.5).
func TestBasicRequestsLeaveOneSession(t *testing.T) {
	t.Parallel()
	const together = 16
	n := rounds(t, 10_000)
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn})
		ann := basicAuth("ann", "old-Garden-12-gate")(t, site)
		var left atomic.Int64
		left.Store(int64(n))
		var callers sync.WaitGroup
		for range together {
			callers.Go(func() {
				for left.Add(-1) >= 0 {
					if got := site.outcome(t, [3]string{"GET", "/self", ""}, ann); got != "200" {
						t.Error(got)
						return
					}
				}
			})
		}
		callers.Wait()
		var rows int
		if err := site.open(t).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sessions").Scan(&rows); err != nil || rows != 1 {
			t.Errorf("%d sessions after %d requests, %v", rows, n, err)
		}
	})
}

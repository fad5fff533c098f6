package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// Every notice says when it was and where the request came from, as the setting
// has it, and the database holds no more of the address than the mail.
func TestNoticesTellWhenAndFromWhere(t *testing.T) {
	t.Parallel()
	const client, network = "2001:db8:1:2:3::9", "2001:db8:1:2::/64"
	for how, want := range map[string]string{"": network, "shortened": network, "plain": client, "none": ""} {
		t.Run("notice-addresses="+how, func(t *testing.T) {
			onBoth(t, func(t *testing.T, dsn string) {
				settings := "min-bad-logins = 4\nmax-bad-logins = 4\naudit-addresses = \"hashed\"\n"
				if how != "" {
					settings += "notice-addresses = \"" + how + "\"\n"
				}
				site := startSite(t, siteConfig{dsn: dsn, settings: settings})
				for _, notice := range noticeRequests {
					notice.check(t, site, client, want)
				}
			})
		})
	}
}

// noticeRequest is what leads to one notice, sent so many times.
type noticeRequest struct {
	subject, method, path, form, user, password string
	times                                       int
}

// check sends the request from the client and looks for what is wanted in its notice.
func (n noticeRequest) check(t *testing.T, site *testSite, client, want string) {
	t.Helper()
	for range n.times {
		site.send(t, [3]string{n.method, n.path, n.form}, func(r *http.Request) {
			r.RemoteAddr = "[" + client + "]:4711"
			r.SetBasicAuth(n.user, n.password)
		})
	}
	if want != client {
		site.holdsNoClient(t, client)
	}
	mails := site.deliver(t)
	if len(mails) != 1 || mails[0].Subject != n.subject {
		t.Fatalf("%s: %d mails", n.subject, len(mails))
	}
	for kind, part := range map[string]string{"text": mails[0].Text, "HTML": mails[0].HTML} {
		if !strings.Contains(part, "22 November 2026, 10:00 UTC") || !strings.Contains(part, want) ||
			want == "" && strings.Contains(part, "2001:db8") || want != client && strings.Contains(part, client) {
			t.Errorf("%s: want %q in the %s:\n%s", n.subject, want, kind, part)
		}
	}
}

// noticeRequests lead to one notice each.
var noticeRequests = []noticeRequest{
	{"Your password has been updated", "PATCH", "/members/~ann", "member-password=violet-Harbor-93-maple&current-password=old-Garden-12-gate",
		"ann", "old-Garden-12-gate", 1},
	{"Your email address was changed", "PATCH", "/members/~bob", "email=bobby@example.com&force-email-change=true", "root", "plum-Orbit-77-lantern", 1},
	{"Failed attempts to sign in", "GET", "/self", "", "ann", "wrong", 4},
}

// holdsNoClient refuses an address in what is kept of mails.
func (s *testSite) holdsNoClient(t *testing.T, client string) {
	t.Helper()
	var rows int
	err := s.open(t).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM mails WHERE options LIKE ?", "%"+client+"%").Scan(&rows)
	if err != nil || rows != 0 {
		t.Errorf("%d mails hold the whole address, %v", rows, err)
	}
}

package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an answer tells back, and counts, differs with what was asked.
var (
	accountID     = regexp.MustCompile(`<member id="\d+"|"id":\d+`)
	contentLength = regexp.MustCompile(`(?m)^Content-Length: .*\r\n`)
)

// blank takes what was given out of what was seen.
func (x exchange) blank(given ...string) exchange {
	x.Answer = contentLength.ReplaceAllString(accountID.ReplaceAllString(x.Answer, "ID"), "")
	for _, g := range given {
		x.Answer = strings.ReplaceAll(x.Answer, g, "GIVEN")
	}
	return x
}

// Whoever registers or asks for the activation mail sees the same, and the
// database is asked the same, whether there is such a member or not, and whether
// a mail goes out (contract 1.5, ENU-1, ENU-3, ENU-4).
func TestStrangersLearnNothingOfAccounts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWatch(t, siteConfig{dsn: dsn, state: "identity", settings: "self-register = true\n"})
		t.Run("sendactivation by address", func(t *testing.T) {
			w.accountsAlike(t, func(email string) exchange { return w.sendActivation(t, "email="+email).blank(email) },
				"newbie@example.org", "ann@example.org", "xyz@example.org", "mailonly@example.org", "lou@example.org", "dora@example.org", "robot@example.org")
		})
		t.Run("sendactivation by name", func(t *testing.T) {
			w.accountsAlike(t, func(name string) exchange { return w.sendActivation(t, "member-username="+name).blank(name) },
				"newbie", "ann", "xyz", "nomail", "lou", "dora", "robot")
		})
		t.Run("register an address", func(t *testing.T) {
			w.accountsAlike(t, func(email string) exchange { return w.register(t, "email="+email).blank(email) },
				"new1@example.org", "ann@example.org", "lou@example.org", "robot@example.org", "newbie@example.org", "new2@example.org")
		})
		t.Run("register a username", func(t *testing.T) {
			n := 0
			w.accountsAlike(t, func(name string) exchange {
				n++
				email := fmt.Sprintf("own%d@example.org", n)
				return w.register(t, "email="+email+"&member-username="+name).blank(email, `"`+name+`"`)
			}, "fresh1", "ann", "lou", "robot", "newbie", "fresh2")
		})
	})
}

// accountsAlike holds what is seen of each against what is seen of the first.
func (w *watch) accountsAlike(t *testing.T, see func(who string) exchange, all ...string) {
	t.Helper()
	first := see(all[0])
	if len(first.Statements) < 2 || !strings.Contains(first.Answer, " 200 OK") {
		t.Errorf("%s: %+v", all[0], first)
	}
	for _, who := range all[1:] {
		if diff := cmp.Diff(first, see(who)); diff != "" {
			t.Errorf("%s differs (-%s +%s):\n%s", who, all[0], who, diff)
		}
	}
}

func (w *watch) sendActivation(t *testing.T, query string) exchange {
	t.Helper()
	return w.see(func() string {
		return rawAnswer(t, w.addr.String(), "GET /members/sendactivation?"+query+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	})
}

func (w *watch) register(t *testing.T, form string) exchange {
	t.Helper()
	return w.exchange(t, "/members/register", form+"&firstname=A&surname=B&member-password="+goodPassword)
}

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wixUnknown are whom the Wix services must answer alike.
var wixUnknown = []struct{ name, email string }{
	{"known", "ann@example.org"},
	{"unknown", "xyz@example.org"},
	{"locked", "lou@example.org"},
	{"unknown again", "zyx@example.org"},
	{"disabled", "dora@example.org"},
	{"API account", "robot@example.org"},
	{"locked after failed sign-ins", "tim@example.org"},
	{"of another group", "carl@example.org"},
}

// Whoever is asked for: the same bytes, headers and SQL statements (ENU-1, ENU-3).
func TestWixStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/wix-sm/api/v1/auth/v1/auth/members/send-set-password-email",
		"/_api/iam/recovery/v1/send-email",
	} {
		onBoth(t, func(t *testing.T, dsn string) {
			w := newWixWatch(t, siteConfig{dsn: dsn})
			w.exchange(t, path, `{"email":"xyz@example.org"}`) // opens the day
			first := w.exchange(t, path, `{"email":"ann@example.org"}`)
			for _, s := range wixUnknown {
				if diff := cmp.Diff(first, w.exchange(t, path, `{"email":"`+s.email+`"}`)); diff != "" {
					t.Errorf("%s: %s differs (-known +%s):\n%s", path, s.name, s.name, diff)
				}
			}
			if len(first.Statements) < 2 {
				t.Errorf("only %d statements were seen", len(first.Statements))
			}
		})
	}
}

// Unknown, used and foreign tokens get one answer, by the same statements (ENU-4).
func TestWixTokensLearnNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWixWatch(t, siteConfig{dsn: dsn})
		const path = "/_iam/recovery/v1/recover"
		body := func(token string) string {
			return `{"recoveryToken":"` + token + `","password":"violet-Harbor-93-maple"}`
		}
		w.exchange(t, "/_iam/recovery/v1/send-email", `{"email":"ann@example.org"}`)
		used := w.site.deliver(t)[0].Token
		if e := w.exchange(t, path, body(used)); !bytes.Contains([]byte(e.Answer), []byte(`{"state":"SUCCESS"}`)) {
			t.Fatalf("%s", e.Answer)
		}
		unknown := w.exchange(t, path, body(used[:42]+"~"))
		if diff := cmp.Diff(unknown, w.exchange(t, path, body(used))); diff != "" || len(unknown.Statements) != 2 {
			t.Errorf("%d statements, want 2 (-unknown +used):\n%s", len(unknown.Statements), diff)
		}
	})
}

// wixWatch is a watch over the Wix services.
type wixWatch struct{ *watch }

func newWixWatch(t *testing.T, c siteConfig) wixWatch {
	t.Helper()
	return wixWatch{newWatch(t, c)}
}

func (w wixWatch) exchange(t *testing.T, path, body string) exchange {
	t.Helper()
	return w.see(func() string { return wixPost(t, w.addr, path, body) })
}

// wixPost returns an answer as it came over the wire.
func wixPost(t *testing.T, addr net.Addr, path, body string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: acme-key\r\n"+
		"wix-site-id: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", path, acmeSite, len(body), body)
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(bufio.NewReader(conn)); err != nil {
		t.Fatal(err)
	}
	return raw.String()
}

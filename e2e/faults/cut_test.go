package faults

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// Whichever statement of a request the link breaks at, before the database gets
// it or before its answer comes back, the public is told the same about
// everybody: members, strangers, and those who may not be reset (ENU-6).
func TestCutAnywhereTellsNothing(t *testing.T) {
	server := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2", Networking: true})
	s := onMariaDB(t, server)
	p := s.addBehindProxies(server, 1, "RESEED_FAILPOINT_HASHING=cheap", "RESEED_DISCLOSURE=concealed")[0]
	s.populate(10)
	for i, standing := range []string{"admin_locked = 1", "status = 'disabled'", "api_account = 1", "email = '', email_key = NULL"} {
		if _, err := s.db.Exec("UPDATE members SET "+standing+" WHERE username = ?", fmt.Sprintf("m%05d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	s.servers[0].startReady()
	s.drain(20 * time.Second)
	client := newClient(30 * time.Second)
	classes := []string{"m00000", "m00001", "m00002", "m00003", "m00004", "stranger"}
	for _, c := range []struct{ name, statement, form string }{
		{"step 1, looking up", "WHERE m.username_key >= ?", ""},
		{"step 1, ordering", "INSERT INTO mails", ""},
		{"step 2, looking up", "WHERE m.username_key >= ?", "token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2&member-password=violet-Harbor-93-maple"},
		{"step 2, the token", "LEFT JOIN mails AS o ON o.token_hash", "token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2&member-password=violet-Harbor-93-maple"},
	} {
		for _, forward := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, forwarded %t", c.name, forward), func(t *testing.T) {
				first := ""
				for i, name := range classes {
					got := s.cutAt(t, client, p, toxic{cut: c.statement, forward: forward}, "member-username="+name+"&"+c.form)
					if i == 0 {
						first = got
					}
					if got != first {
						t.Errorf("%s is answered\n%s\nand %s\n%s", name, got, classes[0], first)
					}
				}
				if !strings.HasPrefix(first, "503 ") || !strings.Contains(first, `id="F004"`) {
					t.Errorf("want 503 with F004, got %s", first)
				}
			})
		}
	}
}

// cutAt sends a form while the proxy cuts, and returns what there is to see.
func (s *site) cutAt(t *testing.T, client *http.Client, p *proxy, x toxic, form string) string {
	t.Helper()
	s.recovery(20 * time.Second)
	_, before := p.count()
	p.set(x)
	defer p.set(toxic{})
	values, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.PostForm(s.servers[0].url+"/members/resetpassword", values)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if _, cuts := p.count(); cuts == before {
		t.Errorf("%s: nothing was cut", form)
	}
	header := resp.Header.Clone()
	header.Del("Date")
	header.Del("X-Request-Id")
	return fmt.Sprintf("%d %v %s", resp.StatusCode, header, body)
}

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/inbox"
)

// A member with nothing but an address, with the whole program: imported from
// XML or CSV by command, then reset, sign-in and memberships over the wire, in
// XML and in JSON, up to the changed password.
func TestAddressOnlyMemberFromImportToChangedPassword(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(testing.TB) string{
		"sqlite":  func(testing.TB) string { return "" },
		"mariadb": testDSN,
	} {
		for format, file := range map[string]string{
			"xml": `<memberships><member id="4711" firstname="Member" surname="4711" username="mo@example.org" email="mo@example.org" status="activated"><fullname>Member 4711</fullname></member>
				<membership id="9" email-listed="false" notification="daily" status="normal" role="reviewer"><group id="202" name="acme-info" /></membership></memberships>`,
			"json": "id,email,groups\n4711,mo@example.org,acme-info\n",
		} {
			t.Run(name+"/"+format, func(t *testing.T) {
				m := movedMember{data: t.TempDir(), format: format}
				m.env = append(os.Environ(), "RESEED_DATA="+m.data, "RESEED_DATABASE="+dsn(t), "RESEED_KEY_FILE="+keyFile(t), "RESEED_LISTEN=127.0.0.1:0")
				source := filepath.Join(t.TempDir(), "members")
				if err := os.WriteFile(source, []byte(file), 0o600); err != nil {
					t.Fatal(err)
				}
				m.reseed(t, "group", "add", "acme-info", "--id", "202")
				if out := m.reseed(t, "member", "import", source); out != "1\n" {
					t.Fatalf("import prints %q", out)
				}
				m.base = startServer(t, m.env)
				m.live(t)
			})
		}
	}
}

// movedMember is a member who moved in, and how it is asked for.
type movedMember struct {
	env              []string
	data, base       string
	format, password string
	session          string
}

func (m *movedMember) reseed(t *testing.T, args ...string) string {
	t.Helper()
	out, err := program(t, m.env, args...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return string(out)
}

// want is a piece of an answer in each format.
type want struct{ xml, json string }

func (m *movedMember) holds(t *testing.T, answer string, w want) {
	t.Helper()
	piece := map[string]string{"xml": w.xml, "json": w.json}[m.format]
	if !strings.Contains(answer, piece) {
		t.Errorf("want %s in %s", piece, answer)
	}
}

// live goes from the first request to the changed password.
func (m *movedMember) live(t *testing.T) {
	t.Helper()
	changed := want{`<reset-password status="password-changed" />`, `{"status":"password-changed"}`}
	asked := m.call(t, http.MethodPost, "/members/resetpassword", "member-username", "mo@example.org")
	m.holds(t, asked, want{`<reset-password status="request-successful" />`, `{"status":"request-successful"}`})
	token := m.mail(t).Token
	shown := m.call(t, http.MethodGet, "/members/4711", "token", token)
	m.holds(t, shown, want{`username="mo@example.org" email="mo@example.org" status="set-password"`, `"username":"mo@example.org","email":"mo@example.org","status":"set-password"`})
	m.holds(t, m.call(t, http.MethodPost, "/members/resetpassword", "member-username", "mo@example.org", "token", token, "member-password", goodPassword), changed)
	m.password = goodPassword
	self := m.call(t, http.MethodGet, "/self")
	m.holds(t, self, want{`<member id="4711" firstname="Member" surname="4711" username="mo@example.org"`, `{"id":4711,"firstname":"Member","surname":"4711","username":"mo@example.org"`})
	if m.session == "" {
		t.Error("signing in opened no session")
	}
	m.holds(t, m.call(t, http.MethodGet, "/self/memberships"), want{`<group id="202" name="acme-info"`, `"group":{"id":202,"name":"acme-info","type":"group"`})
	m.holds(t, m.call(t, http.MethodGet, "/members/~mo%40example.org/memberships"), want{`notification="`, `"notification":"`})
	const next = "violet-Harbor-94-maple"
	edited := m.call(t, http.MethodPatch, "/members/~mo%40example.org", "member-username", "mo@example.org", "member-password", next, "current-password", m.password)
	m.holds(t, edited, want{`status="activated"`, `"status":"activated"`})
	m.holds(t, m.call(t, http.MethodGet, "/self"), want{`<error id="0101">`, `"id":"0101"`})
	m.password, m.session = next, ""
	m.holds(t, m.call(t, http.MethodGet, "/self"), want{`<member id="4711"`, `{"id":4711`})
}

// call sends a request as the vendor's clients do, with Basic once there is a
// password and the session once there is one, and returns the answer.
func (m *movedMember) call(t *testing.T, method, service string, form ...string) string {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	address := m.base + "/ps/service" + service + "." + m.format
	body := values.Encode()
	if method == http.MethodGet {
		address, body = address+"?"+body, ""
	}
	tunnelled := method == http.MethodPatch
	if tunnelled {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	if tunnelled {
		req.Header.Set("X-HTTP-Method-Override", http.MethodPatch)
	}
	switch {
	case m.session != "":
		req.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: m.session})
	case m.password != "":
		req.SetBasicAuth("mo@example.org", m.password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		m.session = c.Value
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// mail waits for the mail and opens it.
func (m *movedMember) mail(t *testing.T) *inbox.Mail {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.base+"/dev/mail.json?to=mo@example.org&wait=5s", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list struct{ Mails []*inbox.Mail }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || len(list.Mails) == 0 {
		t.Fatalf("%d mails, %v", len(list.Mails), err)
	}
	return list.Mails[0]
}

package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/members"
)

// vendorCall is a request that a path builder of one of the vendor's two clients
// makes for the member mo@example.org, who has nothing but the address, and what
// comes back: the root element of the answer, or the code of the error.
type vendorCall struct {
	builder      string // of the client
	as           caller
	method, path string
	form         string // of a POST; a PATCH is tunnelled, as the bridge does
	want         string
}

// caller is who sends a vendorCall.
type caller int

const (
	nobody  caller = iota
	mo             // with the session that Basic opened
	manager        // with Basic, as programs do
)

// bridgeCalls are what the bridge's path builders make of members, groups and
// memberships: {prefix}/service, ~ before all that is no number, encoded. What
// isn't served at all is among them: it is answered as such, and nobody is taken
// for a service's name (contract 1.1 and 1.2).
var bridgeCalls = []vendorCall{
	{"version", nobody, "GET", "/version", "", "version"},
	{"login, as the authenticator does", manager, "GET", "/self", "", "member"},
	{"login with memberships", manager, "GET", "/self/memberships", "", "memberships"},
	{"login of the member manager", nobody, "GET", "/self?username=mo%40example.org&password=" + goodPassword, "", "0101"},
	{"self", mo, "GET", "/self", "", "member"},
	{"self memberships", mo, "GET", "/self/memberships", "", "memberships"},
	{"member details", mo, "GET", "/members/~mo%40example.org", "", "member"},
	{"member details by id", mo, "GET", "/members/{mo}", "", "member"},
	{"member details", manager, "GET", "/members/~mo%40example.org", "", "member"},
	{"member details", manager, "GET", "/members/~nobody%40example.org", "", "0106"},
	{"member details", nobody, "GET", "/members/~mo%40example.org", "", "0101"},
	{"member's memberships", mo, "GET", "/members/~mo%40example.org/memberships", "", "memberships"},
	{"member's memberships", manager, "GET", "/members/{mo}/memberships", "", "memberships"},
	{"save", manager, "PATCH", "/members/~mo%40example.org", "member-username=mo%40example.org&firstname=Member&surname={mo4}&email=mo%40example.org&force-email-change=true", "member"},
	{"save", mo, "PATCH", "/members/~mo%40example.org", "member-username=mo%40example.org&firstname=Member&surname={mo4}&email=mo%40example.org&force-email-change=true", "0101"},
	{"edit", mo, "PATCH", "/members/{mo}", "member-username=mo%40example.org&surname=Moe", "member"},
	{"unlock", manager, "POST", "/members/~mo%40example.org/unlock", "", "member-unlock"},
	{"unlock", mo, "POST", "/members/~mo%40example.org/unlock", "", "0101"},
	{"activate", manager, "POST", "/members/~mo%40example.org/activate", "", "member-activation"},
	{"activate by key", nobody, "GET", "/members/~mo%40example.org/activate?key=x", "", "102A"},
	{"register", nobody, "POST", "/members/register", "email=new%40example.org&firstname=New&surname=One&member-password=" + goodPassword, "member-creation"},
	{"send activation", nobody, "GET", "/members/sendactivation?email=mo%40example.org", "", "member-activation"},
	{"password meter", nobody, "POST", "/password/meter", "member-password=" + goodPassword, "password-meter"},
	{"reset session", mo, "POST", "/resetsession", "", "session"},
	{"reset password", nobody, "POST", "/members/resetpassword", "email=mo%40example.org", "reset-password"},
	{"reset password", nobody, "POST", "/groups/~acme-specs/members/resetpassword", "email=mo%40example.org", "reset-password"},
	{"confirm reset", nobody, "POST", "/members/resetpassword", "email=mo%40example.org&key=x&member-password=" + goodPassword, "102A"},
	{"confirm reset with a key alone", nobody, "POST", "/members/resetpassword", "email=mo%40example.org&key=x", "0201"},
	{"force reset", manager, "POST", "/members/forceresetpassword", "email=mo%40example.org", "reset-password"},
	{"force reset", manager, "POST", "/groups/~acme-specs/members/forceresetpassword", "email=mo%40example.org", "reset-password"},
	{"force reset", mo, "POST", "/members/forceresetpassword", "email=mo%40example.org", "0101"},
	{"group", mo, "GET", "/groups/~acme-specs", "", "group"},
	{"group by id", mo, "GET", "/groups/{acme-specs}", "", "group"},
	{"project", manager, "GET", "/groups/~acme", "", "project"},
	{"membership details", mo, "GET", "/groups/~acme-specs/members/~mo%40example.org", "", "membership"},
	{"membership details", manager, "GET", "/groups/{acme-specs}/members/{mo}", "", "membership"},
	{"membership details", manager, "GET", "/groups/~acme/members/~mo%40example.org", "", "1022"},
	{"find members", mo, "GET", "/groups/~acme-specs/members/find?member-username=mo%40example.org", "", "memberships 1"},
	{"find members", manager, "GET", "/groups/~acme-specs/members/find?role=manager&email=MO%40example.org", "", "memberships 1"},
	{"find members", manager, "GET", "/groups/~acme-specs/members/find?role=manager&member-username=mo%40example.org", "", "memberships 1"},
	{"find members", manager, "GET", "/groups/~acme-specs/members/find?firstname=ann&member-role=contributor", "", "memberships 1"},
	{"all details", manager, "GET", "/groups/~acme-specs/members/alldetails?subgroups=false", "", "memberships"},
	{"all details", mo, "GET", "/groups/~acme-specs/members/alldetails", "", "0101"},

	{"about", nobody, "GET", "/about", "", "0102"},
	{"create member", manager, "POST", "/members", "member-username=x", "0102"},
	{"edit member email", mo, "POST", "/members/~mo%40example.org/email", "", "0102"},
	{"invitations", mo, "GET", "/members/~mo%40example.org/invitations", "", "0102"},
	{"decline invitation", mo, "POST", "/members/~mo%40example.org/declineinvitation", "", "0102"},
	{"personal group", mo, "POST", "/members/~mo%40example.org/creategroup", "", "0102"},
	{"visible groups", mo, "GET", "/members/~mo%40example.org/visiblegroups", "", "0102"},
	{"create membership", manager, "POST", "/groups/~acme-specs/members", "member-username=x", "0102"},
	{"list members", manager, "GET", "/groups/~acme-specs/members", "", "0102"},
	{"invite", manager, "POST", "/groups/~acme-specs/members/invite", "email=mo%40example.org", "0102"},
	{"invite self", mo, "POST", "/groups/~acme-specs/members/inviteself", "", "0102"},
	{"edit membership", manager, "PATCH", "/groups/~acme-specs/members/~mo%40example.org", "role=manager", "0103"},
	{"delete membership", manager, "DELETE", "/groups/~acme-specs/members/~mo%40example.org", "", "0103"},
	{"deregister", manager, "POST", "/groups/~acme-specs/members/~mo%40example.org/deregister", "", "0102"},
	{"manage", manager, "POST", "/groups/~acme-specs/members/~mo%40example.org/manage", "register=true", "0102"},
	{"subgroups", manager, "GET", "/groups/~acme-specs/subgroups", "", "0102"},
	{"labels", manager, "GET", "/groups/~acme-specs/labels", "", "0102"},
	{"create group", manager, "POST", "/members/{mo}/groups", "shortname=x", "0102"},
	{"projects", manager, "GET", "/members/~mo%40example.org/projects/find", "", "0102"},
	{"get project", manager, "GET", "/projects/acme", "", "0102"},
	{"send mail", manager, "POST", "/members/~mo%40example.org/groups/~acme-specs/mail/send", "", "0102"},
}

// sdkCalls are what the SDK's endpoints make: {prefix}/api, the extension of the
// format, segments encoded no more than a path asks for, ~ only before what would
// be read as a number.
var sdkCalls = []vendorCall{
	{"version", nobody, "GET", "/version", "", "version"},
	{"member", mo, "GET", "/members/mo@example.org", "", "member"},
	{"member by id", mo, "GET", "/members/{mo}", "", "member"},
	{"member of a number's name", manager, "GET", "/members/~12345", "", "0106"},
	{"member's memberships", mo, "GET", "/members/mo@example.org/memberships", "", "memberships"},
	{"group", mo, "GET", "/groups/acme-specs", "", "group"},
	{"self", mo, "GET", "/self", "", "member"},
	{"reset password", nobody, "POST", "/members/resetpassword", "email=mo%40example.org", "reset-password"},
	{"reset password", nobody, "POST", "/groups/acme-specs/members/resetpassword", "member-username=mo%40example.org", "reset-password"},
	{"edit", mo, "PATCH", "/members/mo@example.org", "firstname=Mo", "member"},
	{"membership", mo, "GET", "/groups/acme-specs/members/mo@example.org", "", "membership"},
}

// Every request of the vendor's clients about members, groups and memberships,
// for a member who has nothing but an address: what is sent, what comes back,
// and that a reader which demands what the clients demand accepts it.
func TestEveryCallOfTheVendorsClients(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "self-register = true\nmails-per-hour = 100\n"})
		v := vendorSession{site: site, manager: basicAuth("root", "plum-Orbit-77-lantern")(t, site)}
		v.addMo(t)
		for _, c := range bridgeCalls {
			v.play(t, c, "/ps/service", "")
		}
		for _, c := range sdkCalls {
			v.play(t, c, "/ps/api", ".xml")
		}
		v.playJSON(t)
		logout := site.send(t, [3]string{"GET", "/ps/servlet/com.pageseeder.Login;jsessionid=" + v.session + "?xformat=xml&action=logout", ""}, func(*http.Request) {})
		if logout.Code != http.StatusOK || site.outcome(t, [3]string{"GET", "/self", ""}, withSession(v.session)) != "401" {
			t.Errorf("logout: %d", logout.Code)
		}
	})
}

// vendorSession is what the calls are sent with.
type vendorSession struct {
	site    *testSite
	id      int64 // of mo
	session string
	manager func(*http.Request)
}

// addMo adds a member with an address alone, has the password reset and signs in
// as the bridge does: by Basic, from which it takes the session.
func (v *vendorSession) addMo(t *testing.T) {
	t.Helper()
	ids, err := v.site.Store.AddMembers(t.Context(), []members.NewMember{{
		Member: members.Member{Email: "mo@example.org", Status: members.SetPassword}, Groups: []int64{v.site.ids["acme-specs"]},
	}})
	if err != nil {
		t.Fatal(err)
	}
	v.id = ids[0]
	anybody := func(*http.Request) {}
	v.site.send(t, [3]string{"POST", "/members/resetpassword", "email=mo@example.org"}, anybody)
	change := "member-username=mo@example.org&member-password=" + goodPassword + "&token=" + v.site.deliver(t)[0].Token
	if w := v.site.send(t, [3]string{"POST", "/members/resetpassword.json", change}, anybody); w.Body.String() != `{"status":"password-changed"}` {
		t.Fatal(w.Body)
	}
	w := v.site.send(t, [3]string{"GET", "/ps/service/self", ""}, basicAuth("mo@example.org", goodPassword)(t, v.site))
	v.keepSession(w)
	if v.session == "" {
		t.Fatalf("no session: %d %s", w.Code, w.Body)
	}
}

func (v *vendorSession) keepSession(w *httptest.ResponseRecorder) {
	if cookie := w.Header().Get("Set-Cookie"); strings.HasPrefix(cookie, "JSESSIONID=") {
		v.session, _, _ = strings.Cut(strings.TrimPrefix(cookie, "JSESSIONID="), ";")
	}
}

// send sends a call the way its client does: the bridge with the session in the
// path, the SDK with a cookie.
func (v *vendorSession) send(t *testing.T, c vendorCall, prefix, extension string) *httptest.ResponseRecorder {
	t.Helper()
	replaced := strings.NewReplacer("{mo}", strconv.FormatInt(v.id, 10), "{mo4}", fmt.Sprintf("%04d", v.id), "{acme-specs}", strconv.FormatInt(v.site.ids["acme-specs"], 10))
	path, query, asked := strings.Cut(replaced.Replace(c.path), "?")
	path = prefix + path + extension
	if c.as == mo && extension == "" {
		path += ";jsessionid=" + v.session
	}
	if asked {
		path += "?" + query
	}
	method := c.method
	if method == http.MethodPatch {
		method = http.MethodPost
	}
	w := v.site.send(t, [3]string{method, path, replaced.Replace(c.form)}, func(r *http.Request) {
		if c.method == http.MethodPatch {
			r.Header.Set("X-HTTP-Method-Override", c.method)
		}
		switch {
		case c.as == manager:
			v.manager(r)
		case c.as == mo && extension != "":
			r.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: v.session})
		}
	})
	if c.as == mo {
		v.keepSession(w)
	}
	return w
}

func (v *vendorSession) play(t *testing.T, c vendorCall, prefix, extension string) {
	t.Helper()
	w := v.send(t, c, prefix, extension)
	root, err := readStrictly(w.Body.String())
	got := root.Name.Local
	if count := root.attr("count"); count != "" && strings.Contains(c.want, " ") {
		got += " " + count
	}
	if got == "error" {
		got = root.attr("id")
	}
	if success := w.Code == http.StatusOK; err != nil || got != c.want || success == (len(c.want) == 4) {
		t.Errorf("%s: %s %s%s: %d, %s, want %s, %v\n%s", c.builder, c.method, prefix, c.path, w.Code, got, c.want, err, w.Body)
	}
}

// strictElement is an element with what the clients require of it.
type strictElement struct {
	xml.StartElement
}

func (e strictElement) attr(name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// required are the attributes without which the clients' readers throw.
var required = map[string][]string{
	"member":     {"id", "username", "firstname", "surname"},
	"membership": {"notification"},
	"group":      {"id", "name"},
	"project":    {"id", "name"},
	"version":    {"major", "build"},
	"error":      {"id"},
}

// knownValues are those that the clients' readers know of an attribute.
var knownValues = map[string][]string{
	"status":       {"activated", "unactivated", "set-password", "disabled", "normal", "logged-in", "logged-out", "session-reset", "request-successful"},
	"role":         {"guest", "contributor", "reviewer", "approver", "manager", "moderator"},
	"notification": {"none", "immediate", "daily", "weekly"},
	"email-listed": {"true", "false"},
	"admin":        {"true"},
	"common":       {"true", "false"},
}

// fault returns what the clients' readers would throw at.
func (e strictElement) fault() error {
	for _, name := range required[e.Name.Local] {
		if e.attr(name) == "" {
			return fmt.Errorf("%s without %s", e.Name.Local, name)
		}
	}
	for _, a := range e.Attr {
		name, err := a.Name.Local, error(nil)
		switch {
		case name == "id" && e.Name.Local == "error":
			_, err = strconv.ParseInt(a.Value, 16, 32)
		case name == "id":
			_, err = strconv.ParseInt(a.Value, 10, 64)
		case slices.Contains([]string{"created", "activated", "lastlogin", "lastpasswordchange"}, name):
			_, err = time.Parse("2006-01-02T15:04:05-07:00", a.Value)
		case knownValues[name] != nil && !slices.Contains(knownValues[name], a.Value):
			err = fmt.Errorf("unknown")
		}
		if err != nil {
			return fmt.Errorf("%s %s=%q: %w", e.Name.Local, name, a.Value, err)
		}
	}
	return nil
}

// readStrictly reads an answer to its end and returns its root. Each membership
// must hold, or stand beside, a member and a group or project.
func readStrictly(body string) (root strictElement, err error) {
	d := xml.NewDecoder(strings.NewReader(body))
	seen := map[string]int{}
	for {
		token, err := d.Token()
		if err != nil && root.Name.Local == "" {
			return root, err
		}
		if err != nil {
			break
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		e := strictElement{start.Copy()}
		if root.Name.Local == "" {
			root = e
		}
		seen[e.Name.Local]++
		if err := e.fault(); err != nil {
			return root, err
		}
	}
	if seen["membership"] > 0 && (seen["member"] == 0 || seen["group"]+seen["project"] == 0) {
		return root, fmt.Errorf("a membership without member or group: %v", seen)
	}
	if seen["member"] != seen["fullname"] {
		return root, fmt.Errorf("%d members, %d full names", seen["member"], seen["fullname"])
	}
	return root, nil
}

// playJSON reads the same in JSON, by the names that the SDK knows.
func (v *vendorSession) playJSON(t *testing.T) {
	t.Helper()
	type member struct {
		ID                                     int64
		Username, Firstname, Surname, Fullname string
	}
	whole := func(m member) bool {
		return m.ID == v.id && m.Username == "mo@example.org" && m.Firstname != "" && m.Surname != "" && m.Fullname != ""
	}
	var self member
	var list struct {
		Member      member
		Memberships []struct {
			ID           int64
			EmailListed  *bool `json:"emailListed"`
			Notification string
			Role         string
			Group        struct {
				ID         int64
				Name, Type string
			}
		}
	}
	for path, answer := range map[string]any{"/self": &self, "/members/" + url.PathEscape("mo@example.org") + "/memberships": &list} {
		w := v.send(t, vendorCall{as: mo, method: "GET", path: path}, "/ps/api", ".json")
		if err := json.Unmarshal(w.Body.Bytes(), answer); err != nil {
			t.Errorf("%s: %v %s", path, err, w.Body)
		}
	}
	if !whole(self) || !whole(list.Member) {
		t.Errorf("%+v %+v", self, list.Member)
	}
	if len(list.Memberships) != 1 || list.Memberships[0].EmailListed == nil || list.Memberships[0].Group.Type != "group" || list.Memberships[0].Notification == "" {
		t.Errorf("%+v", list)
	}
}

// The reader of the clients' demands refuses what they refuse.
func TestStrictReader(t *testing.T) {
	t.Parallel()
	whole := `<member id="2" firstname="A" surname="B" username="c" status="activated" created="2026-11-22T10:00:00+00:00"><fullname>A B</fullname></member>`
	if root, err := readStrictly(whole); err != nil || root.attr("id") != "2" {
		t.Errorf("%v %v", root, err)
	}
	for _, broken := range []string{
		strings.Replace(whole, ` username="c"`, "", 1),
		strings.Replace(whole, ` surname="B"`, ` surname=""`, 1),
		strings.Replace(whole, `id="2"`, `id="x"`, 1),
		strings.Replace(whole, "+00:00", "", 1),
		strings.Replace(whole, `"activated"`, `"active"`, 1),
		strings.Replace(whole, "<fullname>A B</fullname>", "", 1),
		`<membership id="1" role="guest"><member/></membership>`,
		`<membership id="1" notification="daily">` + whole + `</membership>`,
		`<error id="0x101"/>`, "", "no XML",
	} {
		if _, err := readStrictly(broken); err == nil {
			t.Errorf("accepted: %s", broken)
		}
	}
}

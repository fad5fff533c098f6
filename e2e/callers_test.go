package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/members"
)

// callerKinds are the columns of callerTable: how each sends its requests.
var callerKinds = []struct {
	name string
	sign func(t *testing.T, s *testSite) func(*http.Request)
}{
	{"anybody", func(*testing.T, *testSite) func(*http.Request) { return func(*http.Request) {} }},
	{"ann", basicAuth("ann", "old-Garden-12-gate")},
	{"bob", basicAuth("bob", "old-Bridge-34-crane")},
	{"carl", basicAuth("carl", "old-Kettle-56-spoon")},
	{"session", func(t *testing.T, s *testSite) func(*http.Request) { return withSession(s.login(t)) }},
	{"admin", basicAuth("root", "plum-Orbit-77-lantern")},
	{"adminAPI", func(t *testing.T, s *testSite) func(*http.Request) { return withBearer(s.grant(t, "root")) }},
	{"robot", basicAuth("robot", "old-Piston-90-valve")},
	{"robotAPI", func(t *testing.T, s *testSite) func(*http.Request) { return withBearer(s.grant(t, "robot")) }},
	{"noOneAPI", func(t *testing.T, s *testSite) func(*http.Request) { return withBearer(s.grant(t, "")) }},
	{"disabled", basicAuth("dora", "old-Window-21-frame")},
	{"locked", basicAuth("lou", "old-Hinges-43-latch")},
	{"forawhile", basicAuth("tim", "old-Timber-65-plank")},
	{"wrong", basicAuth("ann", "wrong-Garden-12-gate")},
	{"expired", func(t *testing.T, s *testSite) func(*http.Request) {
		token := s.grant(t, "root")
		s.clock.advance(t, "1h1s")
		return withBearer(token)
	}},
	{"ended", func(t *testing.T, s *testSite) func(*http.Request) {
		id := s.login(t)
		s.clock.advance(t, "30m1s")
		return withSession(id)
	}},
}

// callerTable has what every caller gets from every service: 200, or the code
// of the error, or its status if there is no code. In group services, ann and bob
// belong to acme-specs, the others don't.
const callerTable = `
service               anybody ann  bob  carl session admin adminAPI robot robotAPI noOneAPI disabled locked forawhile wrong expired ended
reset                 200     200  200  200  200     200   200      200   200      200      401      401    401       401   401     200
reset-unknown         200     200  200  200  200     100E  100E     200   200      200      401      401    401       401   401     200
reset-nobody          200     200  200  200  200     1008  1008     200   200      200      401      401    401       401   401     200
reset-two             200     200  200  200  200     101A  101A     200   200      200      401      401    401       401   401     200
reset-robot           1018    1018 1018 1018 1018    1018  1018     1018  1018     1018     401      401    401       401   401     1018
reset-locked          1019    1019 1019 1019 1019    1019  1019     1019  1019     1019     401      401    401       401   401     1019
reset-bad-token       102A    102A 102A 102A 102A    102A  102A     102A  102A     102A     401      401    401       401   401     102A
reset-bad-token-xyz   102A    102A 102A 102A 102A    100E  100E     102A  102A     102A     401      401    401       401   401     102A
group-reset           200     200  200  200  200     200   200      200   200      200      401      401    401       401   401     200
group-reset-outsider  200     200  200  200  200     200   200      200   200      200      401      401    401       401   401     200
group-reset-locked    200     1019 1019 200  1019    1019  1019     1019  1019     200      401      401    401       401   401     200
group-unknown         0202    0202 0202 0202 0202    0202  0202     0202  0202     0202     401      401    401       401   401     0202
force                 0101    0101 0101 0101 0101    200   200      0101  0101     0101     401      401    401       401   401     401
force-unknown         0101    0101 0101 0101 0101    100E  100E     0101  0101     0101     401      401    401       401   401     401
force-change          0101    0101 0101 0101 0101    200   200      0101  0101     0101     401      401    401       401   401     401
force-group           0101    0101 0101 0101 0101    200   200      0101  0101     0101     401      401    401       401   401     401
force-group-unknown   0101    0101 0101 0101 0101    0202  0202     0101  0101     0101     401      401    401       401   401     401
member-ann            0101    200  0101 0101 200     200   200      0101  0101     0101     401      401    401       401   401     0101
member-robot          0101    0101 0101 0101 0101    200   200      200   200      0101     401      401    401       401   401     0101
member-unknown        0101    0106 0106 0106 0106    0106  0106     0106  0106     0101     401      401    401       401   401     0101
member-bad-token      0101    0101 0101 0101 0101    0101  0101     0101  0101     0101     401      401    401       401   401     0101
self                  0101    200  200  200  200     200   200      200   200      0101     401      401    401       401   401     401
version               200     200  200  200  200     200   200      200   200      200      401      401    401       401   401     200
unlock-unknown        0101    0101 0101 0101 0101    0204  0204     0101  0101     0101     401      401    401       401   401     401
unlock                0101    0101 0101 0101 0101    200   200      0101  0101     0101     401      401    401       401   401     401
login-wrong           401     401  401  401  401     401   401      401   401      401      401      401    401       401   401     401
group-own             0101 200 200 0101 200 200 200 200 200 0101 401 401 401 401 401 401
group-nosuch          0101 0202 0202 0202 0202 0202 0202 0202 0202 0101 401 401 401 401 401 401
membership-ann        0101 200 0101 0101 200 200 200 0101 0101 0101 401 401 401 401 401 401
find                  0101 200 200 0101 200 200 200 200 200 0101 401 401 401 401 401 401
alldetails            0101 0101 0101 0101 0101 200 200 0101 0101 0101 401 401 401 401 401 401
memberships-self      0101 200 200 200 200 200 200 200 200 0101 401 401 401 401 401 401
memberships-ann       0101 200 0101 0101 200 200 200 0101 0101 0101 401 401 401 401 401 401
tilde-ann             0101    200  0101 0101 200     200   200      0101  0101     0101     401      401    401       401   401     0101
word-unlock           0101    0101 0101 0101 0101    0204  0204     0101  0101     0101     401      401    401       401   401     401
meter                 200     200  200  200  200     200   200      200   200      200      401      401    401       401   401     200
register              0101 0101 0101 0101 0101 200 200 0101 0101 0101 401 401 401 401 401 0101
register-empty        0101 0101 0101 0101 0101 0201 0201 0101 0101 0101 401 401 401 401 401 0101
sendactivation        200 200 200 200 200 100E 100E 200 200 200 401 401 401 401 401 200
activate-token        102A 102A 102A 102A 102A 102A 102A 102A 102A 102A 401 401 401 401 401 102A
activate-none         0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 401 401 401 401 401 0000
activate-xyz          0101 0101 0101 0101 0101 0204 0204 0101 0101 0101 401 401 401 401 401 401
patch-ann             0101 200 0101 0101 200 200 200 0101 0101 0101 401 401 401 401 401 401
patch-xyz             0101 0101 0101 0101 0101 0204 0204 0101 0101 0101 401 401 401 401 401 401
patch-secret          0101 0201 0101 0101 0201 200 200 0101 0101 0101 401 401 401 401 401 401
resetsession          0101    0101 0101 0101 200     0101  0101     0101  0101     0101     401      401    401       401   401     401
logout                200     200  200  200  200     200   200      200   200      200      200      200    200       200   200     200
oauth                 401     401  401  401  401     401   400      401   400      400      401      401    401       401   400     401
logout-get            200     200  200  200  200     200   200      200   200      200      200      200    200       200   200     200
logout-servlet        200     200  200  200  200     200   200      200   200      200      200      200    200       200   200     200
no-service            0102    0102 0102 0102 0102    0102  0102     0102  0102     0102     0102     0102   0102      0102  0102    0102
`

// serviceCalls are the rows: method, path, and the form of a POST.
var serviceCalls = map[string][3]string{
	"reset":                {"POST", "/members/resetpassword", "email=carl@example.org"},
	"reset-unknown":        {"POST", "/members/resetpassword", "email=xyz@example.org"},
	"reset-nobody":         {"POST", "/members/resetpassword", "x=y"},
	"reset-two":            {"POST", "/members/resetpassword", "email=carl@example.org&member-username=bob"},
	"reset-robot":          {"POST", "/members/resetpassword", "email=robot@example.org"},
	"reset-locked":         {"POST", "/members/resetpassword", "email=lou@example.org"},
	"reset-bad-token":      {"POST", "/members/resetpassword", "email=carl@example.org&token=x&member-password=violet-Harbor-93-maple"},
	"reset-bad-token-xyz":  {"POST", "/members/resetpassword", "email=xyz@example.org&token=x&member-password=violet-Harbor-93-maple"},
	"group-reset":          {"POST", "/groups/acme-specs/members/resetpassword", "email=ann@example.org"},
	"group-reset-outsider": {"POST", "/groups/acme-specs/members/resetpassword", "email=carl@example.org"},
	"group-reset-locked":   {"POST", "/groups/acme-specs/members/resetpassword", "email=lou@example.org"},
	"group-unknown":        {"POST", "/groups/nosuch/members/resetpassword", "email=ann@example.org"},
	"force":                {"POST", "/members/forceresetpassword", "member-username=carl"},
	"force-unknown":        {"POST", "/members/forceresetpassword", "email=xyz@example.org"},
	"force-change":         {"POST", "/members/forceresetpassword", "member-username=chief&member-password=violet-Harbor-93-maple"},
	"force-group":          {"POST", "/groups/acme-specs/members/forceresetpassword", "email=carl@example.org"},
	"force-group-unknown":  {"POST", "/groups/nosuch/members/forceresetpassword", "email=carl@example.org"},
	"member-ann":           {"GET", "/members/ann", ""},
	"member-robot":         {"GET", "/members/robot@example.org", ""},
	"member-unknown":       {"GET", "/members/xyz", ""},
	"member-bad-token":     {"GET", "/members/ann?token=x", ""},
	"self":                 {"GET", "/self", ""},
	"version":              {"GET", "/version", ""},
	"unlock-unknown":       {"POST", "/members/xyz/unlock", "x=y"},
	"unlock":               {"POST", "/members/lou/unlock", "x=y"},
	"login-wrong":          {"POST", "/authenticate", "action=login&username=carl&password=wrong"},
	"logout":               {"POST", "/authenticate", "action=logout"},
	"oauth":                {"POST", "/oauth/token", "grant_type=client_credentials"},
	"tilde-ann":            {"GET", "/members/~ann", ""},
	"word-unlock":          {"POST", "/members/find/unlock", "x=y"},
	"meter":                {"POST", "/password/meter", "member-password=x"},
	"resetsession":         {"POST", "/resetsession", "x=y"},
	"logout-get":           {"GET", "/authenticate?action=logout", ""},
	"logout-servlet":       {"GET", "/ps/servlet/com.pageseeder.Login?action=logout", ""},
	"group-own":            {"GET", "/groups/acme-specs", ""},
	"group-nosuch":         {"GET", "/groups/nosuch", ""},
	"membership-ann":       {"GET", "/groups/acme-specs/members/~ann", ""},
	"find":                 {"GET", "/groups/acme-specs/members/find", ""},
	"alldetails":           {"GET", "/groups/acme-specs/members/alldetails", ""},
	"memberships-self":     {"GET", "/self/memberships", ""},
	"memberships-ann":      {"GET", "/members/~ann/memberships", ""},
	"register":             {"POST", "/members/register", "email=new@example.org&firstname=N&surname=N&member-password=violet-Harbor-93-maple"},
	"register-empty":       {"POST", "/members/register", "x=y"},
	"sendactivation":       {"GET", "/members/sendactivation?email=xyz@example.org", ""},
	"activate-token":       {"GET", "/members/~ann/activate?token=x", ""},
	"activate-none":        {"GET", "/members/~ann/activate", ""},
	"activate-xyz":         {"POST", "/members/~xyz/activate", "x=y"},
	"patch-ann":            {"PATCH", "/members/~ann", "firstname=Ann"},
	"patch-xyz":            {"PATCH", "/members/~xyz", "firstname=Ann"},
	"patch-secret":         {"PATCH", "/members/~ann", "member-password=violet-Harbor-93-maple"},
	"no-service":           {"GET", "/nosuch", ""},
}

// Every service to every kind of caller, on both databases: none by accident.
// Every caller has a server with fresh data, and its requests come in the
// table's order.
func TestEveryServiceToEveryCaller(t *testing.T) {
	t.Parallel()
	rows := strings.Split(strings.TrimSpace(callerTable), "\n")
	if len(rows) != len(serviceCalls)+1 {
		t.Fatalf("%d rows for %d calls", len(rows)-1, len(serviceCalls))
	}
	for column, kind := range callerKinds {
		if head := strings.Fields(rows[0]); head[column+1] != kind.name {
			t.Fatalf("column %d is headed %s, not %s", column, head[column+1], kind.name)
		}
		t.Run(kind.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, dsn string) {
				site := startSite(t, siteConfig{dsn: dsn, state: "identity", settings: "min-bad-logins = 100\nmax-bad-logins = 100\n"})
				sign := kind.sign(t, site)
				var want, got []string
				for _, row := range rows[1:] {
					cells := strings.Fields(row)
					want = append(want, cells[0]+" "+cells[column+1])
					got = append(got, cells[0]+" "+site.outcome(t, serviceCalls[cells[0]], sign))
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			})
		})
	}
}

var errorID = regexp.MustCompile(`<error id="(....)">`)

// clientToken returns an access token for a client's own credentials.
func (s *testSite) clientToken(ctx context.Context, id, secret string) (string, error) {
	tokens, err := s.Members.Token(ctx, members.TokenRequest{Client: id, Secret: secret, Grant: members.ClientCredentials})
	return tokens.Access, err
}

// outcome sends a call and returns 200, the error's code, or its status: of a
// 401 always the status. The status must be the code's own.
func (s *testSite) outcome(t *testing.T, call [3]string, sign func(*http.Request)) string {
	t.Helper()
	w := s.send(t, call, sign)
	m := errorID.FindStringSubmatch(w.Body.String())
	if w.Code == http.StatusUnauthorized || m == nil {
		if w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%v: 401 without a challenge", call)
		}
		return fmt.Sprint(w.Code)
	}
	if want := map[string]int{"0101": 403, "0106": 404, "100E": 404, "0102": 404}[m[1]]; w.Code != max(want, 400) {
		t.Errorf("%v: %s with status %d", call, m[1], w.Code)
	}
	return m[1]
}

func (s *testSite) send(t *testing.T, call [3]string, sign func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(context.WithoutCancel(t.Context()), call[0], call[1], strings.NewReader(call[2]))
	if call[2] != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	sign(r)
	w := httptest.NewRecorder()
	s.Handler.ServeHTTP(w, r)
	return w
}

func basicAuth(name, password string) func(*testing.T, *testSite) func(*http.Request) {
	value := "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
	return func(*testing.T, *testSite) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
}

func withBearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func withSession(id string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: id}) }
}

// login returns a session of ann's.
func (s *testSite) login(t *testing.T) string {
	t.Helper()
	id, _, err := s.Members.Login(t.Context(), "ann", "old-Garden-12-gate", "")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// grant returns an access token of a new client that acts as the member.
func (s *testSite) grant(t *testing.T, as string) string {
	t.Helper()
	c, secret := s.addClient(t, "test", as)
	token, err := s.clientToken(t.Context(), c.ID, secret)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// A reset on one server ends what the member has on every other (PWD-11).
func TestResetEndsAccessOnEveryServer(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		one := startSite(t, siteConfig{dsn: dsn, state: "identity"})
		two := one.second(t)
		session, token := one.login(t), one.grant(t, "ann")
		other := one.grant(t, "carl")
		self := [3]string{"GET", "/self", ""}
		ways := map[string]func(*http.Request){
			"cookie": withSession(session), "bearer": withBearer(token),
			"basic":   basicAuth("ann", "old-Garden-12-gate")(t, one),
			"in path": func(r *http.Request) { r.URL.Path += ";jsessionid=" + session },
		}
		check := func(want int) {
			t.Helper()
			for name, sign := range ways {
				for i, handler := range []http.Handler{one.Handler, two.Handler} {
					r := httptest.NewRequestWithContext(t.Context(), self[0], self[1], nil)
					sign(r)
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, r)
					if w.Code != want {
						t.Errorf("%s on server %d: %d, want %d", name, i+1, w.Code, want)
					}
				}
			}
		}
		check(200)
		reset := [3]string{"POST", "/members/resetpassword", "email=ann@example.org"}
		if w := one.send(t, reset, func(*http.Request) {}); w.Code != 200 {
			t.Fatal(w.Body)
		}
		reset[2] += "&member-password=violet-Harbor-93-maple&token=" + one.deliver(t)[0].Token
		if w := one.send(t, reset, func(*http.Request) {}); w.Code != 200 {
			t.Fatal(w.Body)
		}
		check(401)
		if w := one.send(t, self, withBearer(other)); w.Code != 200 {
			t.Errorf("another member's token: %d", w.Code)
		}
	})
}

// second returns another server on the same data.
func (s *testSite) second(t *testing.T) *app.App {
	t.Helper()
	return s.secondOf(t, app.Deps{})
}

// secondOf is second with what is given in place of the usual.
func (s *testSite) secondOf(t *testing.T, o app.Deps) *app.App {
	t.Helper()
	o.Log, o.Now, o.Hashing = s.Log, s.clock.now, cheapHashing
	a, err := app.NewReady(t.Context(), s.Config, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// find returns a member as it is stored now.
func (s *testSite) find(t *testing.T, username string) members.Member {
	t.Helper()
	found, err := s.Store.FindMember(t.Context(), members.Lookup{Username: username})
	if err != nil {
		t.Fatal(err)
	}
	return found.Member
}

// inDatabase reports whether a text stands in SQLite's files.
func (s *testSite) inDatabase(t *testing.T, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Config.Data, "reseed.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(text)) {
			return true
		}
	}
	return false
}

// What is kept of sessions, secrets and access tokens opens nothing (TOK-2).
func TestSessionsAndSecretsAreStoredHashed(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{state: "identity"})
	session := site.login(t)
	c, secret := site.addClient(t, "test", "ann")
	token, err := site.clientToken(t.Context(), c.ID, secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, stored := range []string{session, secret, token} {
		if found := site.inDatabase(t, stored[:12]); found {
			t.Error("a secret stands in the database")
		}
	}
	if !site.inDatabase(t, c.ID) {
		t.Error("not even the client's id is found: the test looks in the wrong place")
	}
}

// Whoever is refused a sign-in, and why: the same bytes and the same statements.
func TestRefusedSignInsAreAlike(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		var statements []string
		watching := false
		site := startSite(t, siteConfig{dsn: dsn, state: "identity", trace: func(q string) {
			if watching {
				// Addresses, names and what is neither are looked up by an index each.
				statements = append(statements, strings.NewReplacer("email_key", "key", "username_key", "key",
					"SELECT NULL,", "SELECT m.key,", "id <= ? ORDER BY m.id DESC", "key >= ? ORDER BY m.key").Replace(q))
			}
		}})
		type seen struct {
			Code       int
			Header     http.Header
			Body       string
			Statements []string
		}
		var first seen
		for i, who := range []struct{ name, password string }{
			{"ann", "wrong"}, {"xyz", "wrong"}, {"tim", "wrong"}, {"tim", "old-Timber-65-plank"}, {"lou", "old-Hinges-43-latch"},
			{"lou", "wrong"}, {"dora", "old-Window-21-frame"}, {"newbie", "old-Cradle-87-quilt"}, {"mailonly@example.org", "wrong"},
			{"xyz@example.org", "wrong"}, {"", "wrong"},
		} {
			for _, call := range [][3]string{{"GET", "/self", ""}, {"POST", "/authenticate", "action=login&username=" + who.name + "&password=" + who.password}} {
				if who.name == "" && call[0] == "POST" || call[0] == "POST" && i == 0 {
					continue
				}
				statements, watching = nil, true
				w := site.send(t, call, func(r *http.Request) {
					if call[0] == "GET" {
						r.SetBasicAuth(who.name, who.password)
					}
				})
				watching = false
				got := seen{w.Code, w.Header(), strings.ReplaceAll(w.Body.String(), "/authenticate", "/self"), statements}
				for _, varying := range []string{"X-Request-Id", "Content-Length"} {
					got.Header.Del(varying)
				}
				if i == 0 {
					first = got
				}
				if d := cmp.Diff(first, got); d != "" {
					t.Errorf("%s %s %q (-ann with a wrong password +got):\n%s", call[0], who.name, who.password, d)
				}
			}
		}
		if first.Code != 401 || len(first.Statements) != 3 {
			t.Errorf("status %d, %d statements", first.Code, len(first.Statements))
		}
	})
}

// The threshold and the duration of a lock vary between their bounds, and reach both.
func TestLockoutVaries(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{state: "identity", settings: "min-bad-logins = 2\nmax-bad-logins = 4\nmin-account-lockout = \"60s\"\nmax-account-lockout = \"63s\"\n"})
	thresholds, durations := map[int]bool{}, map[time.Duration]bool{}
	for range 60 {
		tries := 0
		for locked := false; !locked; tries++ {
			if tries > 4 {
				t.Fatalf("not locked after %d failures", tries)
			}
			_, _ = site.Members.SignIn(t.Context(), "ann", "wrong")
			until := site.find(t, "ann").LockedUntil
			if locked = until.After(site.clock.now()); locked {
				durations[until.Sub(site.clock.now())] = true
			}
		}
		thresholds[tries] = true
		site.clock.advance(t, "64s")
		if _, err := site.Members.SignIn(t.Context(), "ann", "old-Garden-12-gate"); err != nil {
			t.Fatal(err) // which starts the count of a hundred anew
		}
	}
	if len(thresholds) != 3 || !thresholds[2] || !thresholds[4] {
		t.Errorf("thresholds %v, want 2 to 4", thresholds)
	}
	if len(durations) != 4 || !durations[time.Minute] || !durations[63*time.Second] {
		t.Errorf("durations %v, want 60s to 63s", durations)
	}
}

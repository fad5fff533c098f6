package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// route is a path of the server and what its methods are answered with.
type route struct {
	path    string
	kind    routeKind
	methods string // that are served; "" for none
}

type routeKind int

// A service answers a wrong method with 0103, as the vendor does (contract
// 1.2), the token service with RFC 6749's words; all else answers 405.
const (
	page routeKind = iota
	service
	oauth
	nothing // 404 whatever the method
)

const groupService = "/groups/acme-specs/members/resetpassword"

func allRoutes() []route {
	routes := []route{
		{"/members/resetpassword", service, "POST"},
		{"/ps/service/members/resetpassword.xml", service, "POST"},
		{"/ps/api" + groupService + ".json", service, "POST"},
		{"/members/forceresetpassword", service, "POST"},
		{"/groups/acme-specs/members/forceresetpassword", service, "POST"},
		{"/members/ann/unlock", service, "POST"},
		{"/members/ann", service, "GET, HEAD, PATCH"},
		{"/self.json", service, "GET, HEAD"},
		{"/version", service, "GET, HEAD"},
		{"/authenticate", service, "POST"},
		{"/oauth/token", oauth, "POST"},
		{"/ps/oauth/token", oauth, "POST"},
		{"/_iam/recovery/v1/nosuch", nothing, ""},
		{"/nosuch.json", nothing, ""},
		{"/ps/email/changepassword", page, "GET, HEAD, POST"},
		{"/ps/email/changepassword/strength", page, "POST"},
		{"/ps/email/resetpassword", page, "GET, HEAD, POST"},
		{"/ps/email/acme-specs/resetpassword", page, "GET, HEAD, POST"},
		{"/ps/email/assets/0/pages.css", page, "GET, HEAD"},
		{"/ps/email/nosuch", page, "GET, HEAD, POST"},
		{"/", page, "GET, HEAD"},
		{"/dev/mail", page, "GET, HEAD"},
		{"/dev/mail/events", page, "GET"},
		{"/dev/mail/delete", page, "POST"},
		{"/dev/mail/x", page, "GET, HEAD"},
		{"/dev/mail/x/html", page, "GET, HEAD"},
		{"/dev/mail/x/raw", page, "GET, HEAD"},
		{"/dev/mail/x/delete", page, "POST"},
		{"/ps/admin", page, "GET, HEAD, POST"},
		{"/ps/admin/signin", page, "GET, HEAD, POST"},
		{"/ps/admin/signout", page, "POST"},
		{"/ps/admin/members/2", page, "GET, HEAD"},
		{"/ps/admin/members/2/lock", page, "POST"},
		{"/ps/admin/mails", page, "GET, HEAD"},
		{"/ps/admin/mails/x/retry", page, "POST"},
		{"/livez", page, "GET, HEAD"},
		{"/readyz", page, "GET, HEAD"},
	}
	for _, path := range []string{
		"/wix-sm/api/v1/auth/v1/auth/members", "/wix-sm/api/v1/auth/members", "/members/v1/auth/members",
		"/identity/members/v1/auth/members", "/_api/wix-sm-webapp/members/v1/auth/members",
	} {
		routes = append(routes, route{path + "/send-set-password-email", page, "POST"})
	}
	for _, root := range []string{"/_api/iam", "/_iam"} {
		routes = append(routes, route{root + "/recovery/v1/send-email", page, "POST"}, route{root + "/recovery/v1/recover", page, "POST"})
	}
	return routes
}

// want returns the status that a method which is not served gets.
func (r route) want() int {
	switch r.kind {
	case service, oauth:
		return http.StatusBadRequest
	case nothing:
		return http.StatusNotFound
	default:
		return http.StatusMethodNotAllowed
	}
}

// Every method at every route, with all that a change needs in the query, is
// answered as the contract says, with the headers that every answer has; and
// only POST changes anything (PAR-13, WEB-1, WEB-4, WEB-13).
func TestMethodsAtEveryRoute(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{realTime: true, settings: loopbackSite + adminPages + "min-bad-logins = 100\nmax-bad-logins = 100\n"})
	token := site.mailedToken(t, "ann@example.org") // before the site's own worker can take the order
	addr := serve(t, site)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	query := "?email=ann@example.org&token=" + token + "&member=2&member-password=" + goodPassword + "&member-password-again=" + goodPassword +
		"&action=login&username=ann&password=old-Garden-12-gate&grant_type=client_credentials&identifier=ann"
	before := site.rows(t)
	for _, r := range allRoutes() {
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "DELETE", "CONNECT", "PROPFIND", "post", "X"} {
			if r.path == "/dev/mail/events" && method == "GET" {
				continue // goes on for long
			}
			if r.path == "/authenticate" && (method == "GET" || method == "HEAD") {
				continue // login by GET is 405 (contract 1.5), a case of its own
			}
			status, header := askRoute(t, client, method, "http://"+addr+r.path+query)
			served := slices.Contains(strings.Split(r.methods, ", "), method)
			if !served && status != r.want() || status >= 500 {
				t.Errorf("%s %s: status %d, want %d", method, r.path, status, r.want())
			}
			if status == http.StatusMethodNotAllowed && !sameMethods(header.Get("Allow"), r.methods) {
				t.Errorf("%s %s: Allow %q, want %q", method, r.path, header.Get("Allow"), r.methods)
			}
			for _, fault := range headerFaults(header) {
				t.Errorf("%s %s: %d: %s", method, r.path, status, fault)
			}
		}
	}
	if diff := cmp.Diff(before, site.rows(t)); diff != "" {
		t.Errorf("something changed (-before +after):\n%s", diff)
	}
	status, body := post(t, client, "http://"+addr, "email=ann@example.org&member-password="+goodPassword+"&token="+token)
	if status != http.StatusOK || cmp.Equal(before, site.rows(t)) {
		t.Errorf("a POST changes nothing: %d %s", status, body)
	}
}

func askRoute(t *testing.T, client *http.Client, method, url string) (int, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "acme-key")
	if !strings.Contains(url, "/members/v1/") && !strings.Contains(url, "/wix-sm/") {
		req.Header.Del("Authorization")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("%s: %v", method, err)
	}
	return resp.StatusCode, resp.Header
}

// sameMethods compares two values of Allow. The list of mails has a third
// method under the same address with an extension.
func sameMethods(a, b string) bool {
	split := func(s string) []string { return strings.Split(strings.TrimPrefix(s, "DELETE, "), ", ") }
	return slices.Equal(split(a), split(b))
}

// headerFaults returns which of the headers that every answer has are wrong.
func headerFaults(h http.Header) []string {
	var faults []string
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
	} {
		if got := h.Values(name); len(got) != 1 || got[0] != want {
			faults = append(faults, fmt.Sprintf("%s: %q", name, got))
		}
	}
	if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || len(h.Get("X-Request-Id")) != 16 {
		faults = append(faults, fmt.Sprintf("Content-Security-Policy %q, X-Request-Id %q", h.Get("Content-Security-Policy"), h.Get("X-Request-Id")))
	}
	if kind := h.Get("Content-Type"); !strings.HasSuffix(kind, ";charset=utf-8") && kind != "image/svg+xml" {
		faults = append(faults, fmt.Sprintf("Content-Type %q", kind))
	}
	return faults
}

// Answers that net/http has of its own are left to us, and it is HTTP/1.1 that
// is spoken, whatever a client offers (WEB-1, WEB-10).
func TestNothingButOurOwnAnswers(t *testing.T) {
	t.Parallel()
	_, addr := startListening(t, siteConfig{})
	const end = "Host: localhost\r\nConnection: close\r\n\r\n"
	for name, c := range map[string]struct{ request, want, holds string }{
		"all options":     {"OPTIONS * HTTP/1.1\r\n" + end, "404", "Cache-Control: no-store"},
		"HTTP/2 at once":  {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "404", "Connection: close"},
		"HTTP/2 upgrade":  {"GET /version HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n" + end, "200", "Cache-Control: no-store"},
		"proxy's CONNECT": {"CONNECT example.org:443 HTTP/1.1\r\n" + end, "404", "Cache-Control: no-store"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := rawAnswer(t, addr, c.request)
			if !strings.HasPrefix(answer, "HTTP/1.1 "+c.want+" ") || !strings.Contains(answer, c.holds) || strings.Count(answer, "HTTP/1.1 ") != 1 {
				t.Errorf("want %s once:\n%s", c.want, answer)
			}
		})
	}
}

// rawAnswer sends bytes as they are and returns all that comes back.
func rawAnswer(t *testing.T, addr, request string) string {
	t.Helper()
	answer, err := io.ReadAll(rawRequest(t, addr, request))
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// rows returns what SQLite holds, by table, but for the security events.
func (s *testSite) rows(t *testing.T) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.Config.Data, "reseed.db")+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string][]string{}
	for _, row := range queryAll(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		table := row[1 : len(row)-1]
		if table == "events" {
			continue // tell of requests, and come when they will
		}
		all[table] = queryAll(t, db, "SELECT * FROM "+table)
	}
	if len(all) < 8 || len(all["members"]) < 5 {
		t.Fatalf("%d tables, %d members: the test looks in the wrong place", len(all), len(all["members"]))
	}
	return all
}

func queryAll(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.WithoutCancel(t.Context()), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	var list []string
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// mailedToken asks for a mail and returns its token.
func (s *testSite) mailedToken(t *testing.T, email string) string {
	t.Helper()
	call := [3]string{http.MethodPost, "/members/resetpassword", "email=" + email}
	if w := s.send(t, call, anybody); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	mails := s.deliver(t)
	if len(mails) != 1 || mails[0].Token == "" {
		t.Fatalf("%d mails", len(mails))
	}
	return mails[0].Token
}

// anybody signs a request by nothing.
func anybody(*http.Request) {}

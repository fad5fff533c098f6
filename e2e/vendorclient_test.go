package e2e

import (
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// vendorClient knows the vendor's conventions and nothing of this program:
// forms by POST to {prefix}/service with ;jsessionid= behind the path (the
// bridge), or to {prefix}/api with .xml behind it and gzip asked for (the SDK);
// ~ before a group's name; success by the status alone; error ids in base 16.
type vendorClient struct {
	base    string // scheme, host and site prefix
	sdk     bool
	session string
}

// vendorError is an error the way the vendor's clients read one.
type vendorError struct {
	status int
	id     int64
	text   string
}

func (e *vendorError) Error() string { return fmt.Sprintf("%d: %X %s", e.status, e.id, e.text) }

func asVendorError(err error) (e vendorError) {
	if p := (*vendorError)(nil); errors.As(err, &p) {
		e = *p
	}
	return e
}

// answer is the root element of an answer.
type answer struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Request string     `xml:"request"`
	Message string     `xml:"message"`
	Member  []answer   `xml:"member"`
	Name    string     `xml:"fullname"`
}

func (a answer) attr(name string) string {
	for _, at := range a.Attrs {
		if at.Name.Local == name {
			return at.Value
		}
	}
	return ""
}

func (c *vendorClient) address(service string) string {
	if c.sdk {
		return c.base + "/api" + service + ".xml"
	}
	if c.session != "" {
		service += ";jsessionid=" + c.session
	}
	return c.base + "/service" + service
}

// post calls a service with a form.
func (c *vendorClient) post(t *testing.T, service string, form ...string) (answer, error) {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	return c.call(t, http.MethodPost, service, strings.NewReader(values.Encode()))
}

func (c *vendorClient) call(t *testing.T, method, service string, body io.Reader) (answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.address(service), body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	}
	if c.sdk {
		req.Header.Set("Accept", "application/xml")
		req.Header.Set("Accept-Encoding", "gzip")
		if c.session != "" {
			req.Header.Set("Cookie", "JSESSIONID="+c.session)
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if cookie := resp.Header.Get("Set-Cookie"); strings.HasPrefix(cookie, "JSESSIONID=") {
		c.session, _, _ = strings.Cut(strings.TrimPrefix(cookie, "JSESSIONID="), ";")
	}
	return readAnswer(t, resp)
}

// readAnswer takes text/xml, application/xml and +xml for XML.
func readAnswer(t *testing.T, resp *http.Response) (a answer, err error) {
	t.Helper()
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if kind != "text/xml" && kind != "application/xml" && !strings.HasSuffix(kind, "+xml") {
		t.Fatalf("content type %q", kind)
	}
	if err := xml.NewDecoder(body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return a, nil
	}
	id, err := strconv.ParseInt(a.attr("id"), 16, 32)
	if err != nil || a.XMLName.Local != "error" {
		t.Fatalf("%d: not a service error: %+v", resp.StatusCode, a)
	}
	return a, &vendorError{resp.StatusCode, id, a.Message}
}

// Both flows and an administrator's work, by a client that is written from the
// vendor's conventions alone.
func TestVendorsClient(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		for _, sdk := range []bool{false, true} {
			site := startSite(t, siteConfig{dsn: dsn, state: "identity"})
			srv := httptest.NewServer(site.Handler)
			c := &vendorClient{base: srv.URL + "/ps", sdk: sdk}
			for _, service := range []string{"/members/resetpassword", "/groups/~acme-specs/members/resetpassword"} {
				vendorReset(t, c, site, service)
			}
			vendorErrors(t, c)
			vendorAdministrator(t, c, site)
			srv.Close()
			if dsn != "" {
				dsn = testDSN(t) // for the next one
			}
		}
	})
}

// vendorReset plays both steps of a service, and signs in with the new password.
func vendorReset(t *testing.T, c *vendorClient, site *testSite, service string) {
	t.Helper()
	a, err := c.post(t, service, "email", "bob.builder@example.org")
	if err != nil || a.XMLName.Local != "reset-password" || a.attr("status") != "request-successful" {
		t.Fatalf("%s: %+v, %v", service, a, err)
	}
	mails := site.deliver(t)
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	link, err := url.Parse(strings.Fields(mails[0].Text[strings.Index(mails[0].Text, "https://"):])[0])
	if err != nil {
		t.Fatal(err)
	}
	token := link.Query().Get("token")
	a, err = c.call(t, http.MethodGet, "/members/"+link.Query().Get("member"), nil)
	if e := asVendorError(err); e.id != 0x0101 {
		t.Errorf("a stranger sees %+v, %v", a, err)
	}
	password := "violet-Harbor-" + strconv.Itoa(len(service)) + "-maple"
	a, err = c.post(t, service, "member-username", "bob", "token", token, "member-password", password)
	if err != nil || a.attr("status") != "password-changed" {
		t.Fatalf("%s: %+v, %v", service, a, err)
	}
	_, err = c.post(t, service, "member-username", "bob", "token", token, "member-password", password)
	if e := asVendorError(err); e.id != 0x102A || e.status != 400 {
		t.Errorf("a used token: %v", err)
	}
	site.deliver(t)
	a, err = c.post(t, "/authenticate", "action", "login", "username", "bob", "password", password)
	if err != nil || c.session == "" || len(a.Member) != 1 || a.Member[0].attr("username") != "bob" {
		t.Fatalf("login: %+v, %v", a, err)
	}
	a, err = c.call(t, http.MethodGet, "/self", nil)
	if err != nil || a.attr("id") != "3" || a.Name != "Bob Builder" {
		t.Errorf("self: %+v, %v", a, err)
	}
	if _, err = c.post(t, "/authenticate", "action", "logout"); err != nil {
		t.Error(err)
	}
	c.session = ""
}

// vendorErrors reads errors, small ones and ones that come compressed.
func vendorErrors(t *testing.T, c *vendorClient) {
	t.Helper()
	for service, want := range map[string]vendorError{
		"/groups/~nosuch/members/resetpassword": {400, 0x0202, ""},
		"/members/forceresetpassword":           {403, 0x0101, ""},
		"/nosuch":                               {404, 0x0102, ""},
		"/nosuch/" + strings.Repeat("a-long-path/", 200) + "end": {404, 0x0102, ""},
	} {
		a, err := c.post(t, service, "email", "ann@example.org")
		e := asVendorError(err)
		if e.status != want.status || e.id != want.id || e.text == "" {
			t.Errorf("%.60s: %v, want %v", service, err, want)
		}
		if _, path, _ := strings.Cut(c.address(service), "/ps"); a.Request != "/ps"+strings.Split(path, ";")[0] {
			t.Errorf("%.60s: request %q", service, a.Request)
		}
	}
}

// vendorAdministrator signs in and does what administrators do.
func vendorAdministrator(t *testing.T, c *vendorClient, site *testSite) {
	t.Helper()
	if _, err := c.post(t, "/authenticate", "action", "login", "username", "root", "password", "plum-Orbit-77-lantern"); err != nil {
		t.Fatal(err)
	}
	a, err := c.post(t, "/groups/~acme-specs/members/forceresetpassword", "email", "ann@example.org")
	if err != nil || a.attr("status") != "request-successful" || len(site.deliver(t)) != 1 {
		t.Errorf("force: %+v, %v", a, err)
	}
	a, err = c.call(t, http.MethodGet, "/members/7", nil)
	if err != nil || a.attr("locked") != "true" {
		t.Errorf("member: %+v, %v", a, err)
	}
	a, err = c.post(t, "/members/7/unlock")
	if err != nil || a.XMLName.Local != "member-unlock" || a.Member[0].attr("locked") != "" {
		t.Errorf("unlock: %+v, %v", a, err)
	}
	_, err = c.call(t, http.MethodGet, "/members/999999", nil)
	if e := asVendorError(err); e.status != 404 || e.id != 0x0106 {
		t.Errorf("unknown member: %v", err)
	}
	a, err = c.call(t, http.MethodGet, "/version", nil)
	if err != nil || a.attr("major") != "6" || a.attr("string") != "6.2007" {
		t.Errorf("version: %+v, %v", a, err)
	}
}

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/templates"
)

// visitor is a browser without scripts: it keeps cookies, and follows redirects.
type visitor struct {
	t      *testing.T
	site   *testSite
	url    string
	client *http.Client
	// of the last answer
	status int
	header http.Header
	body   string
	at     *url.URL
}

const loopbackSite = "host-url = \"http://127.0.0.1/ps\"\n"

// visit starts a site and a visitor.
func visit(t *testing.T, c siteConfig) *visitor {
	t.Helper()
	c.settings = override(loopbackSite, c.settings)
	site := startSite(t, c)
	srv := httptest.NewServer(site.Handler)
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, site: site, url: srv.URL, client: &http.Client{Jar: jar}}
}

func (v *visitor) do(method, path string, form url.Values, headers ...string) *visitor {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	v.status, v.header, v.body, v.at = resp.StatusCode, resp.Header, string(body), resp.Request.URL
	if resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Referrer-Policy") != "no-referrer" ||
		resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Content-Security-Policy") == "" {
		v.t.Errorf("%s %s: headers %v", method, path, resp.Header)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		v.wantPolicy(resp.Header.Get("Content-Security-Policy"))
	}
	return v
}

// mailPolicy is of captured mails, which are shown in a frame: their links open
// outside it, and no script runs in them but ours, which tells how high they are.
var mailPolicy = regexp.MustCompile(`^sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox; default-src 'none'; ` +
	`script-src 'sha256-[\w+/=]{44}'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'$`)

// wantPolicy wants a page to load and run nothing but our own files, and to
// stand in no frame (WEB-3).
func (v *visitor) wantPolicy(policy string) {
	v.t.Helper()
	if mailPolicy.MatchString(policy) {
		return
	}
	rules := strings.Split(policy, "; ")
	for _, rule := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
	} {
		if !slices.Contains(rules, rule) {
			v.t.Errorf("%s: the policy %q lacks %q", v.at, policy, rule)
		}
	}
}

func (v *visitor) get(path string, headers ...string) *visitor {
	v.t.Helper()
	return v.do(http.MethodGet, path, nil, headers...)
}

func (v *visitor) want(status int, texts ...string) *visitor {
	v.t.Helper()
	if v.status != status {
		v.t.Errorf("%s: status %d, want %d", v.at, v.status, status)
	}
	for _, text := range texts {
		if !strings.Contains(v.body, text) {
			v.t.Errorf("%s: no %q in\n%s", v.at, text, v.body)
		}
	}
	return v
}

// link asks for a mail and returns its link's path and query.
func (v *visitor) link(group, identifier string) string {
	v.t.Helper()
	path := "/ps/email/resetpassword"
	if group != "" {
		path = "/ps/email/" + group + "/resetpassword"
	}
	v.do(http.MethodPost, path, url.Values{"identifier": {identifier}}).want(200)
	mails := v.site.deliver(v.t)
	if len(mails) != 1 {
		v.t.Fatalf("%d mails", len(mails))
	}
	_, rest, _ := strings.Cut(mails[0].Text, "http://127.0.0.1/ps/email/changepassword?")
	return "/ps/email/changepassword?" + strings.Fields(rest)[0]
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// submit sends the form that is shown.
func (v *visitor) submit(pw, again string) *visitor {
	v.t.Helper()
	form := url.Values{"username": {"x"}, "member-password": {pw}, "member-password-again": {again}}
	for _, field := range hidden.FindAllStringSubmatch(v.body, -1) {
		form.Set(field[1], field[2])
	}
	return v.do(http.MethodPost, "/ps/email/changepassword", form)
}

func (v *visitor) signsIn(name, pw string) bool {
	_, err := v.site.Members.SignIn(v.t.Context(), name, pw)
	return err == nil
}

const goodPassword = "violet-Harbor-93-maple"

func TestPagesJourney(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		v := visit(t, siteConfig{dsn: dsn})
		link := v.link("acme-specs", "ann")
		v.get(link).want(200, "Ann Archer", "Acme specifications", `value="ann"`, "8\u2069 to \u206899")
		if v.at.RawQuery != "" || strings.Contains(v.body, "token") {
			t.Errorf("the token is at %s or in %s", v.at, v.body)
		}
		v.submit("", "").want(422, "Enter a new password.")
		v.submit(goodPassword, goodPassword+"x").want(422, "The passwords don’t match.")
		v.submit("short", "short").want(422, "Use at least \u20688\u2069 characters")
		v.submit("password1", "password1").want(422, "too common")
		v.submit(strings.Repeat("x1-Y", 25), strings.Repeat("x1-Y", 25)).want(422, "at most \u206899\u2069")
		v.submit("ann@example.org", "ann@example.org").want(422, "can’t be your username")
		v.submit("Ann Archer acme", "Ann Archer acme").want(422, "too easy to guess")
		if v.signsIn("ann", goodPassword) {
			t.Fatal("changed too early")
		}
		v.submit(goodPassword, goodPassword).want(200, "Your password was changed")
		if !v.signsIn("ann", goodPassword) {
			t.Fatal("not changed")
		}
		v.get(link).want(410, "has already been used", "/ps/email/acme-specs/resetpassword")
		if mails := v.site.deliver(t); len(mails) != 1 || mails[0].Token != "" {
			t.Errorf("%d mails, want the notice", len(mails))
		}
	})
}

// Whoever reloads the page of the success, or goes back from it, sees the
// success again, and not that somebody has used the link. Opened anew from the
// mail, or in another browser, the link tells of its use.
func TestReloadAfterSuccessShowsIt(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	link := v.link("acme-specs", "ann")
	form := *v.get(link)
	form.submit(goodPassword, goodPassword).want(200, "was changed")
	v.submit(goodPassword, goodPassword).want(200, "Your password was changed")
	v.get("/ps/email/changepassword").want(200, "Your password was changed")
	v.get(link).want(410, "already been used", "/ps/email/acme-specs/resetpassword")
	v.get("/ps/email/changepassword").want(410, "already been used")
}

// Designers see what they save: the preview reads the templates folder again,
// and names what is wrong with it while the old one goes on serving.
func TestPreviewOfTemplates(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "acme-specs", "notification", "reset-password-confirm.html")
	write := func(text string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write(`<p>one <a href="{{.Link}}">{{.Group.Title}}</a></p>`)
	v := visit(t, siteConfig{settings: fmt.Sprintf("templates = %q\n", folder)})
	v.get("/dev/mail/preview").want(200, "Update your password", "Preview of mail templates")
	v.get("/dev/mail/preview?group=acme-specs").want(200, "Acme specifications (do not reply)")
	for _, name := range templates.Names() {
		v.get("/dev/mail/preview?template="+name).want(200, "<option selected>"+name+"</option>")
	}
	v.get("/dev/mail/preview/html?group=acme-specs").want(200, "<p>one <a", ">Acme specifications</a>")
	write("<p>two {{.Lnk}}</p>")
	v.get("/dev/mail/preview?group=acme-specs").want(200, "Faults", "reset-password-confirm.html", "Lnk")
	v.get("/dev/mail/preview/html?group=acme-specs").want(200, "<p>one <a")
	write("<p>three {{.Link}}</p>")
	v.get("/dev/mail/preview?group=acme-specs&template=change-password&lang=fr&reason=nonsense").want(200, "Votre mot de passe a été modifié")
	v.get("/dev/mail/preview/html?group=acme-specs").want(200, "<p>three ")
}

// scanners are some that open the links of a mail before its reader does.
var scanners = []string{
	"Mozilla/5.0 (compatible; SafeLinks)", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)", "BarracudaCentral/1.0",
	"Slackbot-LinkExpanding 1.0", "curl/8.5.0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36", "",
}

// Whoever looks at a link, and at whatever address its parameters are put,
// spends nothing and counts nothing, however often (TOK-11, WEB-13).
func TestLookingSpendsNothing(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	link := v.link("", "carl@example.org")
	_, query, _ := strings.Cut(link, "?")
	query += "&email=carl@example.org&member-password=" + goodPassword + "&member-password-again=" + goodPassword
	before := v.site.rows(t)
	for i := range 100 {
		agent := scanners[i%len(scanners)]
		v.get(link, "User-Agent", agent).want(200)
		v.do(http.MethodHead, link, nil, "User-Agent", agent).want(200)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		v.do(method, "/ps/email/changepassword?"+query, nil).want(200)
		v.do(method, "/members/resetpassword?"+query, nil).want(400)
		v.do(method, "/ps/service/members/carl?"+query, nil).want(200)
		v.do(method, "/_iam/recovery/v1/recover?"+query, nil).want(405)
	}
	if diff := cmp.Diff(before, v.site.rows(t)); diff != "" {
		t.Errorf("looking changes something (-before +after):\n%s", diff)
	}
	v.get(link).submit(goodPassword, goodPassword).want(200, "was changed")
}

func TestLinksOfNoUse(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	expiring := v.link("acme-specs", "ann")
	v.site.clock.advance(t, "12h1s")
	v.get(expiring).want(410, "has expired", "/ps/email/acme-specs/resetpassword")
	voided, spent := v.link("", "ann"), v.link("", "ann")
	v.get(spent).submit(goodPassword, goodPassword).want(200)
	v.site.deliver(t)
	v.get(voided).want(410, "already been used")
	foreign := v.link("", "carl")
	v.get(regexp.MustCompile(`member=\d+`).ReplaceAllString(foreign, "member=2")).want(404, "doesn’t work")
	for _, query := range []string{
		"member=4&token=", "member=4&token=short", "member=0&token=" + strings.Repeat("a", 32), "token=" + strings.Repeat("a", 32),
		"member=-4&token=" + strings.Repeat("a", 32), "member=99999999999999999999&token=" + strings.Repeat("a", 32), "token=%zz&member=4",
		"member=4&token=" + strings.Repeat("a", 32), "forgotPasswordToken=ART" + strings.Repeat("b", 40), "forgotPasswordToken=x", "token=%00",
	} {
		v.get("/ps/email/changepassword?"+query).want(404, "doesn’t work")
		if v.at.RawQuery != "" {
			t.Errorf("%s stays in the address bar", v.at)
		}
	}
	v.site.do(t, []string{"lock", "carl"})
	v.get(foreign).want(410)
}

// A recovery token needs no member.
func TestRecoveryLink(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	id := v.site.ids["ann"]
	token := v.order(members.Order{MemberID: id, Addressed: true, Purpose: password.Recovery, Template: members.SetPasswordTemplate,
		Options: members.Options{Language: "de", RedirectURL: "https://app.example.org/?a=1&b"}})
	v.get("/ps/email/changepassword?forgotPasswordToken="+token).want(200, "Ann Archer", "Neues Passwort")
	v.submit("short", "short").want(422, "mindestens")
	v.submit(goodPassword, goodPassword).want(200, "wurde geändert", `href="https://app.example.org/?a=1&amp;b"`)
	nobody := v.order(members.Order{MemberID: id + 1, Purpose: password.Recovery, Template: members.SetPasswordTemplate})
	v.get("/ps/email/changepassword?forgotPasswordToken="+nobody).want(404, "doesn’t work")
	v.get("/ps/email/changepassword?forgotPasswordToken="+token).want(410, "bereits verwendet")
}

// order adds an order the way a use case does, and returns its token.
func (v *visitor) order(o members.Order) string {
	v.t.Helper()
	now := v.site.clock.now()
	o.ID, o.Created, o.Expires = [16]byte{1, 2, 3, byte(o.MemberID)}, now, now.Add(3600e9)
	token := v.site.Members.Keys.Token(o.Purpose, o.ID, o.MemberID)
	o.Token = password.HashToken(token)
	if err := v.site.Store.AddOrder(v.t.Context(), o); err != nil {
		v.t.Fatal(err)
	}
	return token
}

// The page of one link must not change the password of another.
func TestSecondLinkInOneBrowser(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	ann, carl := v.link("", "ann"), v.link("", "carl")
	first := *v.get(ann)
	v.get(carl)
	first.submit(goodPassword, goodPassword).want(409, "opened another link")
	if v.signsIn("carl", goodPassword) || v.signsIn("ann", goodPassword) {
		t.Error("changed")
	}
}

func TestWithoutCookies(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	link := v.link("", "ann")
	v.client.Jar = nil
	v.get(link).want(400, "paste it here")
	v.do(http.MethodPost, "/ps/email/changepassword", url.Values{"address": {"nonsense"}}).want(404, "doesn’t work")
	v.do(http.MethodPost, "/ps/email/changepassword", url.Values{"address": {" http://127.0.0.1" + link + "#x "}}).want(200, "Ann Archer")
	v.submit("short", "short").want(422)
	v.submit(goodPassword, goodPassword).want(200, "was changed")
}

// A mail program's own browser shows the page, and "Open in Safari" takes along
// the address, which has no token any more: the other browser takes the link
// once more, pasted or opened, without a new mail.
func TestOpenInSafariTakesTheLinkAgain(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	link := v.link("", "ann")
	v.get(link).want(200, "Ann Archer")
	safari := *v
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	safari.client = &http.Client{Jar: jar}
	safari.get(v.at.Path).want(400, "If you came from another app or browser", `name="address"`)
	safari.do(http.MethodPost, v.at.Path, url.Values{"address": {"http://127.0.0.1" + link}}).want(200, "Ann Archer")
	safari.get(link).want(200, "Ann Archer")
	safari.submit(goodPassword, goodPassword).want(200, "was changed")
}

// Password managers open the W3C's address, and find the page; a browser is shown
// a page if there is none at its address, a client is told so in XML. What lies
// under /service is for clients, whoever asks.
func TestBrowsersFindThePage(t *testing.T) {
	v := visit(t, siteConfig{})
	v.get("/.well-known/change-password").want(200, "Forgot your password?")
	if v.at.Path != "/ps/email/resetpassword" {
		t.Errorf("it leads to %s", v.at)
	}
	const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, path := range []string{"/nosuch", "/ps/nosuch"} {
		for header, want := range map[string]string{accept: "Page not found", "application/xml": "<error"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Header.Set("Accept", header)
			w := httptest.NewRecorder()
			v.site.Handler.ServeHTTP(w, r)
			if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s, Accept %s: %d %s", path, header, w.Code, w.Body)
			}
		}
	}
}

// Direction marks, zero-width characters and tabs come along when an address or
// a link is pasted. They are cut off, on every page and in the services.
func TestMarksAroundWhatIsPastedAreCutOff(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: "mails-per-hour = 1000\n"})
	for _, mark := range []string{"\t", " ", "\u00a0", "\u200b", "\u200e", "\u200f", "\u202a", "\u202c", "\u2068", "\u2069", "\ufeff", "\u2028", "\r\n"} {
		v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {mark + "ann@example.org" + mark}}).want(200, "Check your inbox")
		v.do(http.MethodPost, "/ps/service/members/resetpassword", url.Values{"email": {mark + "ann@example.org" + mark}}).want(200)
		mails := v.site.deliver(t)
		if len(mails) != 2 {
			t.Fatalf("%q: %d mails", mark, len(mails))
		}
		_, rest, _ := strings.Cut(mails[0].Text, "http://127.0.0.1")
		link := "http://127.0.0.1" + strings.Fields(rest)[0]
		v.do(http.MethodPost, "/ps/email/changepassword", url.Values{"address": {mark + link + mark}}).want(200, "Ann Archer")
	}
}

// A page of another site changes nothing, whatever it sends (WEB-13).
func TestOtherSitesCannotPost(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	v.get(v.link("", "ann"))
	form := url.Values{"link": {hidden.FindStringSubmatch(v.body)[2]}, "member-password": {goodPassword}, "member-password-again": {goodPassword}}
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "://"},
	} {
		v.do(http.MethodPost, "/ps/email/changepassword", form, headers...).want(403)
		v.do(http.MethodPost, "/dev/mail/delete", url.Values{}, headers...).want(403)
		v.do(http.MethodDelete, "/dev/mail.json", nil, headers...).want(403)
	}
	form.Set("link", "0123456789abcdef")
	v.do(http.MethodPost, "/ps/email/changepassword", form).want(409)
	if v.signsIn("ann", goodPassword) {
		t.Error("changed")
	}
}

// The page's form says the same about everybody (ENU-1).
func TestForgotFormTellsNothing(t *testing.T) {
	t.Parallel()
	for _, settings := range []string{"", "disclosure = \"concealed\"\n"} {
		v := visit(t, siteConfig{settings: settings})
		known := v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"ann"}}).want(200, "Check your inbox").body
		for _, name := range []string{"nobody", "nobody@example.org", "robot", "dora", "lou@example.org", "nomail", "newbie"} {
			v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {name}}).want(200)
			if v.body != known {
				t.Errorf("%s is answered differently:\n%s", name, v.body)
			}
		}
		v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {" "}}).want(422, "Enter your email")
		v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"<b>@x"}}).want(422, "isn’t an email address", "&lt;b&gt;@x")
	}
}

// The title says what is wrong, for whoever hears the page.
func TestRefusalIsInTheTitle(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	v.get("/ps/email/resetpassword").want(200, "<title>Forgot your password?")
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {""}}).want(422, "<title>Enter your email")
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"a@b"}}).want(422, "<title>This isn’t an email address")
	v.get(v.link("", "ann")).want(200, "<title>Reset your password")
	v.submit("x", "y").want(422, "<title>Your password was not changed")
}

func TestPageErrors(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	v.get("/ps/email/nosuch/resetpassword").want(404, "Page not found")
	v.get("/ps/email/").want(404, "<h1>")
	v.get("/ps/email/assets/0/pages.css").want(404, "<h1>")
	v.do(http.MethodPut, "/ps/email/changepassword", nil).want(405, "<h1>")
	if got := v.header.Get("Allow"); got != "GET, HEAD, POST" {
		t.Errorf("Allow: %s", got)
	}
	v.get("/ps/email/changepassword/strength").want(405)
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {strings.Repeat("x", 70000)}}).want(413, "<h1>")
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"\x00"}}).want(400, "<h1>")
	v.get("/email/resetpassword").want(404, "<error")
	v.get("/ps/api/email/resetpassword").want(404, "<error")
	v.get("/ps/service/dev/mail").want(404, "<error")
	v.get("/ps/email/%ff/resetpassword").want(400, "<h1>")
}

func TestPagesSpeak(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	for header, want := range map[string]string{
		"de": "Passwort vergessen?", "fr-CA, en;q=0.5": "Mot de passe", "pt, es;q=0.8, de;q=0.7": "¿Ha olvidado",
		"en-GB, de": "Forgot your", "xx, *": "Forgot your", "de;q=0, fr;q=x": "Forgot your", strings.Repeat("q", 3000): "Forgot your",
	} {
		v.get("/ps/email/resetpassword", "Accept-Language", header).want(200, want)
	}
}

// What is there for developers is in English, and says so, whatever the browser speaks.
func TestDevelopmentPagesAreInEnglish(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: "templates = \"demo/templates\"\n"})
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"ann"}})
	v.send()
	v.get("/dev/mail.json")
	mail := regexp.MustCompile(`"id":"(\w+)"`).FindStringSubmatch(v.body)[1]
	for _, path := range []string{"/", "/dev/mail", "/dev/mail/" + mail} {
		v.get(path, "Accept-Language", "de").want(200, `<html lang="en" dir="ltr">`)
	}
	v.get("/ps/email/globex-web/resetpassword?sent=1", "Accept-Language", "ar").want(200, `<html lang="ar" dir="rtl">`, `lang="en" dir="ltr">Mails are captured`)
}

// The meter says what the server will say.
func TestStrengthAgrees(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	v.get(v.link("acme-specs", "ann"))
	page := *v
	for _, pw := range []string{"a", "password1", "Ann Archer acme", "amber Meadow", goodPassword, strings.Repeat("x1-Y", 25), "ann@example.org"} {
		form := url.Values{"link": {hidden.FindStringSubmatch(page.body)[2]}, "member-password": {pw}}
		v.do(http.MethodPost, "/ps/email/changepassword/strength", form).want(200)
		var answer struct {
			Score       int
			Label, Text string
			Good        bool
		}
		if err := json.Unmarshal([]byte(v.body), &answer); err != nil {
			t.Fatal(err)
		}
		accepted := page.submit(pw, pw).status == 200
		if answer.Good != accepted || answer.Label == "" || !accepted && !strings.Contains(page.body, answer.Text) {
			t.Errorf("%q: %+v, accepted %v", pw, answer, accepted)
		}
		if accepted {
			page.get(v.linkAfterChange("ann"))
		}
	}
	v.client.Jar = nil
	v.do(http.MethodPost, "/ps/email/changepassword/strength", url.Values{"member-password": {"x"}}).want(400)
}

// Whoever types in a page whose link has left the browser meanwhile is not
// held for somebody who guesses tokens, and shut out.
func TestStrengthInAnOldPageIsNoGuess(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: "client-rate = 30\n"})
	ann, carl := v.link("", "ann"), v.link("", "carl")
	form := url.Values{"link": {hidden.FindStringSubmatch(v.get(ann).body)[2]}, "member-password": {"x"}}
	v.get(carl)
	for range 5 {
		v.do(http.MethodPost, "/ps/email/changepassword/strength", form).want(400)
	}
	v.get(carl).want(200, "Carl")
}

func (v *visitor) linkAfterChange(name string) string {
	v.site.deliver(v.t)
	return v.link("acme-specs", name)
}

func TestInboxJSON(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	captured := func(query string) []struct{ ID, To, Subject, Token, Text, HTML, Time string } {
		t.Helper()
		v.get("/dev/mail.json" + query).want(200)
		var list struct {
			Mails []struct{ ID, To, Subject, Token, Text, HTML, Time string }
		}
		if err := json.Unmarshal([]byte(v.body), &list); err != nil {
			t.Fatal(err)
		}
		return list.Mails
	}
	for _, name := range []string{"ann", "bob", "carl"} {
		v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {name}})
		v.site.clock.advance(t, "1s")
	}
	v.send()
	all := captured("")
	if len(all) != 3 || all[0].To != "carl@example.org" || all[2].To != "ann@example.org" {
		t.Fatalf("mails %+v, want the newest first", all)
	}
	if m := captured("?to=BOB.builder@example.org"); len(m) != 1 || len(m[0].Token) != 32 || !strings.Contains(m[0].Text, m[0].Token) ||
		!strings.Contains(m[0].HTML, m[0].Token) || m[0].Subject != "Update your password" {
		t.Errorf("bob's: %+v", m)
	}
	if m := captured("?since=" + all[0].Time); len(m) != 1 || m[0].ID != all[0].ID {
		t.Errorf("since: %+v", m)
	}
	if m := captured("?since=" + strings.Replace(all[0].Time, "Z", "+00:00", 1)); len(m) != 1 {
		t.Errorf("since, with an offset: %+v", m)
	}
	if m := captured("?limit=2"); len(m) != 2 {
		t.Errorf("limit: %d", len(m))
	}
	v.get("/dev/mail.json?since=yesterday").want(400, `{"error":`)
	v.get("/dev/mail.json?limit=0").want(400)
	v.get("/dev/mail").want(200, "carl@example.org", "Update your password")
	v.get("/dev/mail/"+all[0].ID).want(200, `sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox" src`)
	v.get("/dev/mail/"+all[0].ID+"?show=headers").want(200, "Message-Id")
	v.get("/dev/mail/"+all[0].ID+"/html").want(200, "<!doctype html><base target=\"_blank\"><script>", "</script>\n<html")
	if policy := v.header.Get("Content-Security-Policy"); !mailPolicy.MatchString(policy) {
		t.Errorf("frame's policy: %s", policy)
	}
	v.get("/dev/mail/"+all[0].ID+"/raw").want(200, "Auto-Submitted: auto-generated")
	v.get("/dev/mail/../token.key").want(404)
	for _, query := range []string{"?id=" + all[1].ID + ";x", "?id=%zz", "?id=" + all[1].ID + strings.Repeat("&a=b", 100), "?id=%00"} {
		v.do(http.MethodDelete, "/dev/mail.json"+query, nil).want(400, `{"error":`) // not all of them
		v.get("/dev/mail.json"+query).want(400, `{"error":`)
	}
	v.do(http.MethodPost, "/dev/mail/"+all[0].ID+"/delete", url.Values{}).want(200)
	v.get("/dev/mail/" + all[0].ID).want(404)
	v.do(http.MethodDelete, "/dev/mail.json?id="+all[1].ID, nil).want(200, `{"deleted":1}`)
	v.do(http.MethodDelete, "/dev/mail.json", nil).want(200, `{"deleted":1}`)
	v.get("/dev/mail").want(200, "No mail yet")
	v.do(http.MethodDelete, "/dev/mail", nil).want(405)
}

// Each part of a mail has an address of its own, so that tabs need no scripts;
// the first one there is shows if none, or none there is, is asked for.
func TestInboxTabs(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"ann"}})
	v.send()
	v.get("/dev/mail.json")
	at := "/dev/mail/" + regexp.MustCompile(`"id":"(\w+)"`).FindStringSubmatch(v.body)[1]
	parts := map[string]string{
		"html": "<iframe", "text": `aria-label="Text part of the mail"`, "links": `<ul class="links">`,
		"headers": "<dt>Message-Id</dt>", "raw": "Content-Type: multipart/alternative",
	}
	for _, show := range []string{"html", "text", "links", "headers", "raw", "", "nonsense"} {
		v.get(at+"?show="+show).want(200, ">Open link</a>")
		shown := show
		if parts[show] == "" {
			shown = "html"
		}
		if !strings.Contains(v.body, `?show=`+shown+`" aria-current="page">`) {
			t.Errorf("%q: tab %s is not marked:\n%s", show, shown, v.body)
		}
		for part, text := range parts {
			if strings.Contains(v.body, text) != (part == shown) {
				t.Errorf("%q: %s shows: %t", show, part, part != shown)
			}
		}
	}
	v.get(at+"?show=html&width=phone").want(200, `class="frame phone"`, "Full width")
	v.get(at).want(200, `class="frame"`, "Phone width")
}

// The search looks at addresses, subject and text, whatever their case, and
// what it does not find it does not show, nor offer to delete.
func TestInboxSearch(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	for _, name := range []string{"ann", "bob"} {
		v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {name}})
	}
	v.send()
	for query, want := range map[string][2]bool{ // ann's, bob's
		"": {true, true}, "ANN@example": {true, false}, "bob.builder": {false, true}, "update+YOUR": {true, true},
		"Hello+Ann": {true, false}, "nowhere": {false, false}, "%3Cscript%3E": {false, false},
	} {
		v.get("/dev/mail?q=" + query).want(200)
		for i, address := range []string{"ann@example.org", "Bob.Builder@example.org"} {
			if got := strings.Contains(v.body, `dir="auto">`+address); got != want[i] {
				t.Errorf("%q shows %s: %t", query, address, got)
			}
		}
		if strings.Contains(v.body, "Delete all") != (query == "") || strings.Contains(v.body, "<script>") {
			t.Errorf("%q:\n%s", query, v.body)
		}
	}
	v.get("/dev/mail?q=nowhere").want(200, "No mail with “nowhere”", `value="nowhere"`, "Show all")
}

// Mails beyond those that are listed are found by the search.
func TestInboxSearchReachesOlderMails(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: "mails-per-hour = 1000\nclient-rate = 10000\n"})
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"ann"}}).want(200)
	v.send()
	for range 100 {
		v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"bob"}}).want(200)
		v.site.clock.advance(t, "1s")
	}
	v.send()
	v.get("/dev/mail").want(200, "1 older mails are not listed")
	if strings.Contains(v.body, "ann@example.org") {
		t.Fatal("ann's mail is listed")
	}
	v.get("/dev/mail?q=ann@").want(200, "ann@example.org")
}

// Times are seen from the server's clock, which a test may have set.
func TestInboxTimesAreRelative(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"ann"}})
	v.send()
	for _, step := range []struct{ wait, want string }{
		{"10s", "just now"}, {"50s", "1 minute ago"}, {"58m", "59 minutes ago"}, {"1m", "1 hour ago"},
		{"22h", "23 hours ago"}, {"1h", "1 day ago"}, {"696h", "30 days ago"}, {"24h", "-"},
	} {
		v.site.clock.advance(t, step.wait)
		v.get("/dev/mail").want(200)
		shown := regexp.MustCompile(`<time datetime="(\d{4}-\d\d-\d\d)[^"]*" title="[-\d]+ [:\d]+ UTC">([^<]+)</time>`).FindStringSubmatch(v.body)
		if shown == nil {
			t.Fatalf("no time:\n%s", v.body)
		}
		want := step.want
		if want == "-" { // a month ago: the date
			want = shown[1]
		}
		if shown[2] != want {
			t.Errorf("after another %s: %s, want %s", step.wait, shown[2], want)
		}
	}
}

// A + of an address or an offset that was not escaped is a +.
func TestInboxFiltersKeepAPlus(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	tester := members.NewMember{Member: members.Member{Username: "tester", Email: "ann+test@example.org", Firstname: "Ann", Surname: "Test"}}
	if _, err := v.site.Store.AddMembers(t.Context(), []members.NewMember{tester}); err != nil {
		t.Fatal(err)
	}
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"tester"}})
	v.send()
	for _, query := range []string{
		"to=ann+test@example.org", "to=ann%2Btest@example.org", "to=ann%20test@example.org",
		"since=2020-01-01T00:00:00+02:00", "since=2020-01-01T00:00:00%2B02:00", "to=ann+test@example.org&since=2020-01-01T00:00:00+02:00",
	} {
		v.get("/dev/mail.json?"+query).want(200, `"to":"ann+test@example.org"`)
	}
	v.get("/dev/mail.json?to=anntest@example.org").want(200, `{"mails":[]}`)
}

// Test suites delete captured mails together with their folder.
func TestInboxOutlivesItsFolder(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	for range 2 {
		if err := os.RemoveAll(v.site.Capture.String()); err != nil {
			t.Fatal(err)
		}
		v.get("/dev/mail.json").want(200, `{"mails":[]}`)
		v.get("/dev/mail").want(200, "No mail yet")
		v.do(http.MethodDelete, "/dev/mail.json", nil).want(200, `{"deleted":0}`)
		v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"ann"}})
		v.send()
		v.get("/dev/mail.json").want(200, `"to":"ann@example.org"`)
	}
}

// send works off the queue, and leaves the captured mails where they are.
func (v *visitor) send() {
	v.t.Helper()
	for _, p := range slices.Backward(v.site.waiting(v.t)) {
		_ = v.site.Worker.Deliver(v.t.Context(), p.ID) // how it went shows in the captured mails
	}
}

func TestInboxIsForThisMachine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		settings, host, client string
		want                   int
	}{
		{"", "127.0.0.1:8080", "127.0.0.1:5", 200},
		{"", "localhost", "[::1]:5", 200},
		{"", "evil.example", "127.0.0.1:5", 403},
		{"", "127.0.0.1.evil.example", "127.0.0.1:5", 403},
		{"", "127.0.0.1", "192.0.2.7:5", 403},
		{"", "192.0.2.7", "127.0.0.1:5", 403},
		{"dev-inbox = \"off\"\n", "127.0.0.1", "127.0.0.1:5", 404},
		{"host-url = \"https://example.org/ps\"\n", "127.0.0.1", "127.0.0.1:5", 404},
		{"listen = \"0.0.0.0:8080\"\n", "127.0.0.1", "127.0.0.1:5", 404},
		{"smtp = \"smtp://127.0.0.1:25?starttls=never\"\ndev-inbox = \"everywhere\"\nemail-domain = \"example.org\"\n", "127.0.0.1", "127.0.0.1:5", 404},
		{"dev-inbox = \"everywhere\"\nhost-url = \"https://example.org/ps\"\n", "example.org", "192.0.2.7:5", 200},
		{"dev-inbox = \"everywhere\"\n", "192.0.2.1:8080", "192.0.2.7:5", 200},
		{"dev-inbox = \"everywhere\"\n", "evil.example", "192.0.2.7:5", 403},
	}
	for _, test := range tests {
		site := startSite(t, siteConfig{settings: override(loopbackSite, test.settings)})
		for _, path := range []string{"/dev/mail", "/dev/mail.json", "/dev/mail/x/raw", "/"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Host, r.RemoteAddr = test.host, test.client
			w := httptest.NewRecorder()
			site.Handler.ServeHTTP(w, r)
			want := test.want
			if want == 200 && strings.HasSuffix(path, "raw") {
				want = 404
			}
			if w.Code != want {
				t.Errorf("%+v: %s answers %d, want %d", test, path, w.Code, want)
			}
		}
	}
}

// A proxy on this machine that rewrites Host and was not named in
// trusted-proxies must not show the inbox to all the world.
func TestInboxIsNotForVisitorsOfAProxyHere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		header, value string
		want          int
	}{
		{"X-Forwarded-For", "203.0.113.9", 403},
		{"X-Forwarded-For", "127.0.0.1, 203.0.113.9", 403},
		{"Forwarded", `for="[2001:db8::9]"`, 403},
		{"X-Forwarded-For", "127.0.0.1", 200}, // a proxy for development
		{"Forwarded", "for=\"[::1]:5000\"", 200},
	} {
		visit(t, siteConfig{}).get("/dev/mail.json", test.header, test.value).want(test.want)
	}
	trusted := visit(t, siteConfig{settings: "trusted-proxies = \"127.0.0.1\"\n"})
	trusted.get("/dev/mail.json", "X-Forwarded-For", "203.0.113.9").want(403)
	trusted.get("/dev/mail.json", "X-Forwarded-For", "127.0.0.1").want(200)
}

// A stream tells of a mail, and keeps nobody waiting when the server stops.
func TestInboxStream(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/dev/mail/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	expectLine(t, lines, "retry: 500")
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {"ann"}})
	v.send()
	expectLine(t, lines, "event: mail")
	v.site.Stop()
	if rest, err := io.ReadAll(lines); err != nil || strings.Contains(string(rest), "event") {
		t.Errorf("after the stop: %q, %v", rest, err)
	}
}

func expectLine(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("no %q: %v", want, err)
		}
		if strings.TrimSpace(line) == want {
			return
		}
	}
}

// What pages are sent must not show in the log.
func TestPagesLogNoSecret(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	v := visit(t, siteConfig{log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	link := v.link("", "ann")
	token := link[strings.Index(link, "token=")+6:]
	v.get(link).submit("short-ish", "short-ish")
	v.get("/ps/email/changepassword?member=x&token=" + token)
	v.get(link).submit(goodPassword, goodPassword)
	v.get("/dev/mail.json?to=ann@example.org")
	for _, secret := range []string{token, token[4:12], goodPassword, "short-ish", "example.org"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "route=/ps/email/changepassword") {
		t.Errorf("no route in the log:\n%s", log.String())
	}
}

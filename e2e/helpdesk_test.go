package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/reseed-project/reseed/e2e/browser"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

const (
	adminPages   = "admin-pages = true\n"
	rootPassword = "plum-Orbit-77-lantern"
	annPassword  = "old-Garden-12-gate"
)

var deskMark = regexp.MustCompile(`name="desk" value="([0-9a-f]{32})"`)

// signInAtDesk signs in at the help desk.
func (v *visitor) signInAtDesk(name, pw string) *visitor {
	v.t.Helper()
	return v.do(http.MethodPost, "/ps/admin/signin", url.Values{"name": {name}, "password": {pw}})
}

// atDesk sends a form of the help desk with the mark of the page that is shown.
func (v *visitor) atDesk(path string, fields ...string) *visitor {
	v.t.Helper()
	v.site.clock.advance(v.t, "1s") // events of one moment have no order
	form := url.Values{}
	if found := deskMark.FindStringSubmatch(v.body); found != nil {
		form.Set("desk", found[1])
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return v.do(http.MethodPost, "/ps/admin"+path, form)
}

// memberPath is the help desk's page of a member.
func (v *visitor) memberPath(name string) string {
	return fmt.Sprintf("/members/%d", v.site.ids[name])
}

// events returns what the site recorded about a member, newest first.
func (v *visitor) events(name string) (list []members.Event) {
	v.t.Helper()
	if err := v.site.Audit.Flush(v.t.Context()); err != nil {
		v.t.Fatal(err)
	}
	list, err := v.site.Store.Events(v.t.Context(), members.EventFilter{MemberID: v.site.ids[name]})
	if err != nil {
		v.t.Fatal(err)
	}
	return list
}

func TestHelpDeskIsOffUnlessTurnedOn(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{})
	for _, path := range []string{"/ps/admin", "/ps/admin/signin", "/ps/admin/mails"} {
		v.get(path).want(404)
	}
}

// A lock without end is shown as one, not by the date that stands for it.
func TestHelpDeskShowsALockWithoutEnd(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: adminPages})
	locked := members.Member{Username: "locked", Status: members.Activated, LockedUntil: time.Date(9999, 1, 1, 0, 0, 0, 1000, time.UTC)}
	if _, err := v.site.Store.AddMembers(t.Context(), []members.NewMember{{Member: locked}}); err != nil {
		t.Fatal(err)
	}
	v.signInAtDesk("root", rootPassword)
	v.atDesk("", "member", "locked").want(200, "locked after failed sign-ins until someone unlocks it")
	if strings.Contains(v.body, "9999") {
		t.Error("the page shows the year 9999")
	}
}

// What a help desk does, without scripts, and recorded as the administrator's.
func TestHelpDesk(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		v := visit(t, siteConfig{dsn: dsn, settings: adminPages})
		actor := fmt.Sprintf("member %d", v.site.ids["root"])
		v.get("/ps/admin").want(200, "Sign in to the help desk")
		v.signInAtDesk("root", rootPassword).want(200, "Signed in as", "root")

		v.atDesk("", "member", "ann@example.org").want(200, "Ann Archer", "ann@example.org", "activated", "No mails.")
		if !strings.HasSuffix(v.at.Path, v.memberPath("ann")) || v.at.RawQuery != "" {
			t.Errorf("at %s", v.at)
		}
		ann := v.memberPath("ann")
		v.atDesk(ann+"/send-link").want(200, "was ordered", "Link to set a new password", "sent")
		v.atDesk(ann+"/lock").want(200, "The account is locked", "locked by an administrator")
		v.atDesk(ann+"/send-link").want(422, "Unlock it before you send a link")
		v.atDesk(ann+"/unlock").want(200, "The account is unlocked")
		v.get("/ps/admin/mails").want(200, "Nothing has failed")

		want := []members.Kind{members.MemberUnlocked, members.ResetForced, members.MemberLocked, members.ResetForced}
		var got []members.Kind
		for _, e := range v.events("ann") {
			got = append(got, e.Kind)
			if e.Actor != actor {
				t.Errorf("%s by %q, want %q", e.Kind, e.Actor, actor)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		v.get("/ps/admin"+ann).want(200, "Account unlocked", "Link sent by an administrator", "1019", actor)

		v.atDesk("/signout").want(200, "Sign in to the help desk")
		v.get("/ps/admin"+ann).want(200, "Sign in to the help desk")
	})
}

// A name that several share, the start of one, and none.
func TestHelpDeskFindsMembers(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: adminPages})
	v.signInAtDesk("root", rootPassword)
	v.atDesk("", "member", "ann arch").want(200, "ann@example.org", "Send a link")
	v.get("/ps/admin").atDesk("", "member", "%").want(200, "No member matches")
	v.atDesk("", "member", "nobody").want(200, "No member matches")
	v.atDesk("", "member", " ").want(422, "Enter whom you are looking for")
	v.atDesk("", "member", "b").want(200)
	v.get("/ps/admin/members/0").want(404)
	v.get("/ps/admin/members/99999").want(404)
	v.get("/ps/admin/members/x").want(404)
}

// Members are refused as wrong passwords and unknown names are, and so is an
// administrator who failed too often.
func TestHelpDeskIsForAdministratorsAlone(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: adminPages + "min-bad-logins = 3\nmax-bad-logins = 3\n"})
	var bodies []string
	for _, try := range [][2]string{{"ann", annPassword}, {"ann", "wrong"}, {"nobody", "wrong"}, {"root", "wrong"}} {
		v.signInAtDesk(try[0], try[1]).want(422, "You were not signed in")
		bodies = append(bodies, strings.ReplaceAll(v.body, `value="`+try[0]+`"`, ""))
		if len(v.header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s gets a cookie", try[0])
		}
	}
	if slices.ContainsFunc(bodies, func(b string) bool { return b != bodies[0] }) {
		t.Errorf("refusals differ: %q", bodies)
	}
	v.signInAtDesk("root", "wrong")
	v.signInAtDesk("root", "wrong")
	v.signInAtDesk("root", rootPassword).want(422, "You were not signed in")
	v.get("/ps/admin/mails").want(200, "Sign in to the help desk")

	v.site.clock.advance(t, "31m")
	v.signInAtDesk("root", rootPassword).want(200, "Signed in as")
	root := v.site.ids["root"]
	if err := v.site.Store.SetMember(t.Context(), root, members.Edit{Admin: new(false)}); err != nil {
		t.Fatal(err)
	}
	v.get("/ps/admin/mails").want(200, "Sign in to the help desk")

	// A member's session of the services, moved to the help desk's cookie.
	v.do(http.MethodPost, "/ps/service/authenticate", url.Values{"action": {"login"}, "username": {"ann"}, "password": {annPassword}}).want(200)
	session, _, _ := strings.Cut(strings.TrimPrefix(v.header.Get("Set-Cookie"), "JSESSIONID="), ";")
	if session == "" {
		t.Fatal("ann has no session")
	}
	v.get("/ps/admin/mails", "Cookie", "reseed_desk="+session).want(200, "Sign in to the help desk")
}

// A session of the services opens nothing here, and the help desk's cookie goes
// nowhere else.
func TestHelpDeskHasASessionOfItsOwn(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: adminPages})
	v.do(http.MethodPost, "/ps/service/authenticate", url.Values{"action": {"login"}, "username": {"root"}, "password": {rootPassword}}).want(200)
	v.get("/ps/admin").want(200, "Sign in to the help desk")

	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	v.signInAtDesk("root", rootPassword).want(303)
	cookie := v.header.Get("Set-Cookie")
	if !strings.Contains(cookie, "; Path=/ps/admin; HttpOnly; SameSite=Strict") {
		t.Errorf("cookie %q", cookie)
	}
	secure := visit(t, siteConfig{settings: adminPages + "host-url = \"https://example.org/ps\"\n"})
	secure.client.CheckRedirect = v.client.CheckRedirect
	secure.signInAtDesk("root", rootPassword).want(303)
	if cookie := secure.header.Get("Set-Cookie"); !strings.Contains(cookie, "; Secure") {
		t.Errorf("cookie %q", cookie)
	}
}

// Neither a page of another site nor one that doesn't know the session's mark
// makes the help desk do anything.
func TestHelpDeskForgery(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: adminPages})
	v.signInAtDesk("root", rootPassword)
	v.get("/ps/admin" + v.memberPath("ann"))
	mark := deskMark.FindStringSubmatch(v.body)[1]
	for _, act := range []string{v.memberPath("ann") + "/lock", v.memberPath("ann") + "/send-link", "/mails/00000000000000000000000000000000/retry", "/signout", ""} {
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
			v.do(http.MethodPost, "/ps/admin"+act, url.Values{"desk": {mark}, "member": {"ann"}}, headers...).want(403)
		}
		for _, wrong := range []string{"", strings.Repeat("0", 32), mark + "0"} {
			v.do(http.MethodPost, "/ps/admin"+act, url.Values{"desk": {wrong}, "member": {"ann"}}).want(403)
		}
		v.do(http.MethodPost, "/ps/admin"+act+"?desk="+mark, url.Values{"member": {"ann"}}).want(403)
	}
	v.do(http.MethodPost, "/ps/admin/signin", url.Values{"name": {"root"}, "password": {rootPassword}}, "Sec-Fetch-Site", "cross-site").want(403)
	if list := v.events("ann"); len(list) > 0 {
		t.Errorf("events %+v", list)
	}
	v.get("/ps/admin").want(200, "Signed in as")
	root := v.memberPath("root")
	v.get("/ps/admin" + root).atDesk(root + "/lock").want(403)
}

// A mail that failed for good is tried again from the page of the queue.
func TestHelpDeskRetriesMails(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: adminPages})
	id := v.deadMail("ann")
	v.signInAtDesk("root", rootPassword)
	v.get("/ps/admin/mails").want(200, "failed for good", "550 no such mailbox", "ann@example.org")
	v.atDesk("/mails/"+id.String()+"/retry").want(200, "The mail is in the queue again")
	v.send()
	v.get("/ps/admin"+v.memberPath("ann")).want(200, "sent")
	v.atDesk("/mails/"+id.String()+"/retry").want(200, "was sent or dropped already")
	v.atDesk("/mails/x/retry").want(200, "was sent or dropped already")
	actor := fmt.Sprintf("member %d", v.site.ids["root"])
	if err := v.site.Audit.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := v.site.Store.Events(t.Context(), members.EventFilter{Kind: members.MailRetried})
	if err != nil || len(list) != 1 || list[0].Actor != actor {
		t.Errorf("%+v, %v", list, err)
	}
}

// deadMail orders a mail for a member and has it fail for good.
func (v *visitor) deadMail(name string) mail.ID {
	v.t.Helper()
	v.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {name}})
	waiting := v.site.waiting(v.t)
	id := waiting[len(waiting)-1].ID
	for _, round := range []mail.Round{
		{Claim: 1, Only: &id},
		{Settle: []mail.Settlement{{ID: id, State: mail.Dead, Reason: "550 no such mailbox", Attempted: true}}},
	} {
		round.Worker, round.Now, round.Lease = "test", v.site.clock.now(), time.Minute
		if _, err := v.site.Store.Round(v.t.Context(), round); err != nil {
			v.t.Fatal(err)
		}
	}
	return id
}

// The six things that a help desk is asked on a Monday, done in a browser, with
// and without scripts.
func TestBrowserHelpDeskOnAMonday(t *testing.T) {
	chromium := browser.Start(t)
	axe := browser.Axe(t)
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("scripts %v", scripts), func(t *testing.T) {
			b := browse(chromium, t, adminPages)
			b.run(protocol(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts}))
			seen := func(name string) {
				t.Helper()
				if scripts { // axe-core is one
					b.inspect(axe, name)
				}
			}
			find := func(text string) {
				t.Helper()
				b.open("/ps/admin")
				b.run(chromedp.SendKeys(css("#member"), text))
				b.press("main form[action='/ps/admin'] button")
			}
			b.deadMail("ann")
			for range 12 {
				b.signsIn("bob", "not bob's password")
			}
			b.events("bob")

			b.open("/ps/admin")
			seen("desk-signin")
			b.run(chromedp.SendKeys(css("#name"), "root"), chromedp.SendKeys(css("#password"), "wrong"))
			b.press("form button[type=submit]")
			b.expect("You were not signed in", "isn’t an administrator’s")
			seen("desk-signin-refused")
			b.run(chromedp.SendKeys(css("#password"), rootPassword))
			b.press("form button[type=submit]")
			b.expect("Help desk", "Signed in as")
			seen("desk-search")

			// 1. "I never got the mail."
			find("ann@example.org")
			b.expect("Ann Archer", "failed for good", "550 no such mailbox")
			seen("desk-member-mail-failed")
			// 2. "Send it again, the mailbox is there now."
			b.press("#send-link")
			b.expect("A link to set a new password was ordered", "sent")
			seen("desk-member-link-sent")
			// 3. "It says I am locked out."
			find("bob")
			b.expect("locked after failed sign-ins until", "Sign-in refused")
			seen("desk-member-locked-out")
			b.press("#unlock")
			b.expect("The account is unlocked", "none")
			// 4. "My laptop was stolen."
			b.press("#lock")
			b.expect("The account is locked. Its links and sessions have ended.", "locked by an administrator")
			seen("desk-member-locked")
			// 5. "Was that me who signed in?"
			b.events("bob")
			find("bob")
			b.expect("Last security events", "Account locked", "Account unlocked", "Sign-in refused")
			// 6. "Nothing has been mailed since Friday."
			b.open("/ps/admin/mails")
			b.expect("Mail queue", "failed for good", "550 no such mailbox")
			seen("desk-queue")
			b.press(".entries form button")
			b.expect("The mail is in the queue again", "waiting")
			seen("desk-queue-retried")
			b.press("form[action$=signout] button")
			b.expect("Sign in to the help desk")
		})
	}
}

func TestHelpDeskSpeaks(t *testing.T) {
	t.Parallel()
	v := visit(t, siteConfig{settings: adminPages})
	v.signInAtDesk("root", rootPassword)
	path := "/ps/admin" + v.memberPath("ann")
	for language, text := range map[string]string{
		"de": "Letzte Sicherheitsereignisse", "fr": "Derniers événements de sécurité", "es": "Últimos eventos de seguridad", "en": "Last security events",
	} {
		v.get(path, "Accept-Language", language).want(200, text)
	}
	texts := v.site.Members.Templates.Pages().BuiltIn().Texts("en")
	for _, kind := range members.Kinds() {
		if key := "desk-event-" + string(kind); texts.Say(key) == key {
			t.Errorf("no text for %s", kind)
		}
	}
	for _, state := range mail.States() {
		if key := "desk-mail-state-" + string(state); texts.Say(key) == key {
			t.Errorf("no text for %s", state)
		}
	}
}

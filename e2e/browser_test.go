package e2e

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/e2e/browser"
)

// browserSite is a site with a server whose address is its host URL, and a tab.
type browserSite struct {
	*visitor
	tab context.Context
	log *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func browse(chromium context.Context, t *testing.T, settings string) *browserSite {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	log := &lockedBuffer{}
	site := startSite(t, siteConfig{
		settings: override("host-url = \""+base+"/ps\"\n", settings),
		log:      slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: site.Handler, ReadHeaderTimeout: time.Minute}}
	srv.Start()
	t.Cleanup(srv.Close)
	t.Cleanup(site.Stop) // before the server waits for its streams
	return &browserSite{
		visitor: &visitor{t: t, site: site, url: base, client: http.DefaultClient},
		tab:     browser.Tab(chromium, t), log: log,
	}
}

func (b *browserSite) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%v\nat %s\n%s", err, ask(b, chromedp.Location()), ask(b, chromedp.Text(css("body"))))
	}
}

// ask runs an action that has an answer.
func ask[T any](b *browserSite, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 20*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// protocol sends a command of the DevTools protocol.
func protocol[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, c, params)
		return chromedp.Void{}, err
	}
}

func css(selector string) chromedp.CSS { return chromedp.CSS(selector) }

func (b *browserSite) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.url + path))
}

// press clicks what leads to another page, and waits for it.
func (b *browserSite) press(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 20*time.Second)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("press %s: %v", selector, err)
	}
}

// fill types both passwords and sends the form.
func (b *browserSite) fill(pw, again string) {
	b.t.Helper()
	b.run(chromedp.SendKeys(css("#password"), pw), chromedp.SendKeys(css("#confirm"), again))
	b.press("form button[type=submit]")
}

func (b *browserSite) expect(texts ...string) {
	b.t.Helper()
	body, title := ask(b, chromedp.Text(css("body"))), ask(b, chromedp.Title())
	for _, text := range texts {
		if !strings.Contains(title+"\n"+body, text) {
			b.t.Fatalf("no %q on the page %q:\n%s", text, title, body)
		}
	}
}

// mailedLink returns the path and query of the latest mail's link.
func (b *browserSite) mailedLink(group, identifier string) string {
	b.t.Helper()
	path := "/ps/email/resetpassword"
	if group != "" {
		path = "/ps/email/" + group + "/resetpassword"
	}
	b.do(http.MethodPost, path, url.Values{"identifier": {identifier}}).want(200)
	mails := b.site.deliver(b.t)
	_, rest, _ := strings.Cut(mails[len(mails)-1].Text, b.url)
	return strings.Fields(rest)[0]
}

func TestBrowserJourney(t *testing.T) {
	chromium := browser.Start(t)
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("scripts %v", scripts), func(t *testing.T) {
			b := browse(chromium, t, "templates = \"demo/templates\"\n")
			b.run(protocol(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts}))
			b.open("/")
			b.expect("Reseed is running")
			b.press(`a[href="/ps/email/acme-specs/resetpassword"]`)
			b.run(chromedp.SendKeys(css("#identifier"), "ann@example.org"))
			b.press("form button[type=submit]")
			b.expect("Check your inbox")
			b.press(`a[href="/dev/mail"]`)
			b.expect("No mail yet")
			b.send()
			if !scripts {
				b.open("/dev/mail")
			}
			b.run(chromedp.WaitVisible(css(".mails a")))
			b.press(".mails a")
			b.expect("ann@example.org", "Links", "Headers")
			b.press(".tools a.open")
			b.expect("A new password for the specifications", "Ann Archer", "Acme Specifications")
			b.fill("password1", "password1")
			b.expect("too common")
			b.fill(goodPassword, goodPassword+"!")
			b.expect("The passwords don’t match")
			b.fill(goodPassword, goodPassword)
			b.expect("Your password was changed", "Continue to")
			if !b.signsIn("ann", goodPassword) {
				t.Error("not changed")
			}
			next := ask(b, chromedp.AttributeValue(css(".next a"), "href")).Value
			if next != "https://acme.example.org/sign-in" {
				t.Errorf("next: %s", next)
			}
		})
	}
}

func TestBrowserLinks(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	link := b.mailedLink("", "ann")
	foreign := strings.Replace(link, "member=2", "member=4", 1)
	for range 100 {
		b.do(http.MethodGet, link, nil)
	}
	b.open(foreign)
	b.expect("This link doesn’t work")
	b.open(link)
	b.fill(goodPassword, goodPassword)
	b.expect("Your password was changed")
	b.open(link)
	b.expect("This link has already been used")
	b.site.deliver(t)
	link = b.mailedLink("", "carl")
	b.site.clock.advance(t, "13h")
	b.open(link)
	b.expect("This link has expired")
	b.press(".next a")
	b.expect("Forgot your password?")
}

// A scanner that runs scripts opens the page and nothing more: no script sends
// the form (TOK-12).
func TestBrowserSendsNothingByItself(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	var mu sync.Mutex
	var sent []string
	err := chromedp.Listen(b.tab, func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok && e.Request.Method != http.MethodGet {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, e.Request.Method+" "+e.Request.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	b.run(protocol(network.Enable, network.EnableParams{}))
	link := b.mailedLink("acme-specs", "ann")
	before := b.site.rows(t)
	for range 3 {
		b.open(link)
		// The script has run once the button is there that it brings.
		b.run(chromedp.WaitVisible(css("#toggle")), chromedp.Click(css("#toggle")), chromedp.WaitVisible(css("#password[type=text]")))
	}
	if diff := cmp.Diff(before, b.site.rows(t)); diff != "" {
		t.Errorf("opening the page changes something (-before +after):\n%s", diff)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(sent) > 0 {
		t.Errorf("the page sends %v", sent)
	}
	script, err := os.ReadFile("server/pages/html/pages.js")
	if err != nil || !strings.Contains(string(script), "fetch(") {
		t.Fatalf("%v: the test reads the wrong script", err)
	}
	for _, act := range []string{".submit(", "requestSubmit", ".click(", "sendBeacon", "XMLHttpRequest"} {
		if strings.Contains(string(script), act) {
			t.Errorf("the page's script has %s", act)
		}
	}
}

// The meter and the button that shows what is typed come with the script; the
// page works without either.
func TestBrowserComfort(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	b.open(b.mailedLink("", "ann"))
	b.run(
		chromedp.SendKeys(css("#password"), "password1"),
		chromedp.WaitVisible(css("#meter[data-score]:not(.good)")),
		chromedp.Click(css("#toggle")),
	)
	b.expect("very weak", "too common", "Hide")
	if kind := ask(b, chromedp.JavascriptAttribute[string](css("#password"), "type")); kind != "text" {
		t.Errorf("shown as %s", kind)
	}
	b.run(chromedp.Clear(css("#password")), chromedp.SendKeys(css("#password"), goodPassword),
		chromedp.WaitVisible(css("#meter.good")))
	b.expect("This password is good enough.")
}

// The button must not move away from a pointer that is about to press it,
// and a live region must be there before it speaks.
func TestBrowserMeterMovesNothing(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	b.open(b.mailedLink("", "ann"))
	b.run(chromedp.WaitVisible(css("#verdict")))
	const top = `document.querySelector("form button[type=submit]").getBoundingClientRect().top + scrollY`
	before := ask(b, chromedp.Evaluate[float64](top))
	for _, pw := range []string{"password1", goodPassword} {
		b.run(chromedp.Clear(css("#password")), chromedp.SendKeys(css("#password"), pw))
		b.run(chromedp.WaitVisible(css("#meter[data-score]")))
		if after := ask(b, chromedp.Evaluate[float64](top)); after != before {
			t.Errorf("%s moves the button from %v to %v", pw, before, after)
		}
	}
}

// A double click sends one form: the answer to a second one would hide that of
// the first, and say that the link has been used.
func TestBrowserSendsTheFormOnce(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	b.open(b.mailedLink("", "ann"))
	const twice = `[1, 2].map(() => document.querySelector("form").dispatchEvent(new Event("submit", {cancelable: true})))`
	if sent := ask(b, chromedp.Evaluate[[]bool](twice)); !slices.Equal(sent, []bool{true, false}) {
		t.Errorf("sent %v, want the first alone", sent)
	}
}

// A mail that comes shows at once, also while one of the others has the focus,
// and takes it from nobody.
func TestBrowserInboxShowsMailsAndKeepsTheFocus(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	b.captured("ann")
	b.open("/dev/mail")
	b.run(chromedp.WaitVisible(css(".mails a")), chromedp.Focus(css(".mails a")))
	const focus = `document.activeElement.getAttribute("href")`
	before := ask(b, chromedp.Evaluate[string](focus))
	b.captured("bob")
	b.run(chromedp.WaitVisible(css(".mails li:nth-child(2) a")))
	b.expect("Bob.Builder@example.org", "A mail has come in.")
	if after := ask(b, chromedp.Evaluate[string](focus)); after != before {
		t.Errorf("the focus went from %s to %s", before, after)
	}
}

// Browsers open six connections to a server: inboxes in tabs that nobody sees
// must not take them all, and are up to date once they are seen again.
func TestBrowserHiddenInboxHoldsNoStream(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	b.open("/dev/mail")
	turn := func(hidden bool) chromedp.Action[chromedp.Void] {
		return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`Object.defineProperty(document, "hidden", {value: %v, configurable: true});
			document.dispatchEvent(new Event("visibilitychange"))`, hidden))
	}
	b.run(chromedp.Evaluate[chromedp.Void](`EventSource.prototype.close = new Proxy(EventSource.prototype.close, {
		apply(close, stream) { close.call(stream); document.title = "closed" }})`), turn(true))
	b.expect("closed", "No mail yet")
	b.captured("ann")
	b.run(turn(false), chromedp.WaitVisible(css(".mails a")))
}

// Buttons that look alike tell screen readers what each copies, and that it has.
func TestBrowserCopyButtonsDiffer(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	b.open("/")
	b.run(chromedp.WaitVisible(css(".copy button")))
	const described = `[...document.querySelectorAll(".copy button[aria-live=polite]")].map(b => document.getElementById(b.getAttribute("aria-describedby")).textContent)`
	got := ask(b, chromedp.Evaluate[[]string](described))
	want := []string{"Ask for a link", "The same for a group", "Read the mail", "Set the password with the token of the mail", "Empty the inbox"}
	if !slices.Equal(got, want) {
		t.Errorf("buttons for %q, want %q", got, want)
	}
}

// captured puts a mail into the inbox.
func (b *browserSite) captured(name string) {
	b.t.Helper()
	b.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {name}}).want(200)
	b.send()
}

// The button in a mail leads to its page, not into a frame that no page of ours
// shows in.
func TestBrowserMailLeadsOutOfItsFrame(t *testing.T) {
	folder := t.TempDir()
	part := filepath.Join(folder, "default", "notification", "reset-password-confirm.html")
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		t.Fatal(err)
	}
	const everywhere = `<!doctype html><a href="{{.Link}}" style="position:fixed;inset:0">Choose a password</a>`
	if err := os.WriteFile(part, []byte(everywhere), 0o600); err != nil {
		t.Fatal(err)
	}
	b := browse(browser.Start(t), t, "templates = '"+folder+"'\n")
	b.captured("ann")
	b.open("/dev/mail")
	b.press(".mails a")
	const centre = `(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector("iframe").getBoundingClientRect())`
	eventually(t, 20*time.Second, func() (bool, string) { // clicks count once the frame has loaded
		b.run(chromedp.ScrollIntoView(css("iframe")))
		at := ask(b, chromedp.Evaluate[[2]float64](centre))
		b.run(chromedp.MouseClickXY(at[0], at[1]))
		tabs, err := chromedp.Targets(b.tab)
		return slices.ContainsFunc(tabs, func(tab *target.Info) bool {
			return tab.Type == "page" && tab.URL == b.url+"/ps/email/changepassword" && strings.HasPrefix(tab.Title, "Reset your password")
		}), fmt.Sprintf("the link has opened no page: %v", err)
	})
}

// A mail's frame is as high as the mail, in either width; no script of a mail
// runs.
func TestBrowserMailIsNotCut(t *testing.T) {
	folder := t.TempDir()
	part := filepath.Join(folder, "default", "notification", "reset-password-confirm.html")
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		t.Fatal(err)
	}
	const long = `<!doctype html><body style="margin:0"><a href="{{.Link}}">Choose</a>` +
		`<script>parent.postMessage({height: 7777}, "*")</script><img src="data:," onerror="parent.postMessage({height: 7777}, '*')">` +
		`<div style="height:1500px"></div><p>` + "\n"
	if err := os.WriteFile(part, []byte(long+strings.Repeat("words ", 2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	b := browse(browser.Start(t), t, "templates = '"+folder+"'\n")
	b.captured("ann")
	b.open("/dev/mail")
	b.press(".mails a")
	const height = `document.querySelector("iframe").clientHeight`
	whole := func(least float64) float64 {
		t.Helper()
		var got float64
		eventually(t, 20*time.Second, func() (bool, string) {
			got = ask(b, chromedp.Evaluate[float64](height))
			time.Sleep(300 * time.Millisecond) // it may have another width at first
			settled := got == ask(b, chromedp.Evaluate[float64](height))
			return settled && got > least && got != 7777, fmt.Sprintf("the frame is %v px high, want more than %v and what no script of the mail says", got, least)
		})
		return got
	}
	wide := whole(1500)
	b.press(".choice a")
	b.expect("Full width")
	whole(wide + 100) // the same words take more lines
	b.press(".choice a")
	if again := whole(1500); again != wide {
		t.Errorf("%v px high in full width, %v before", again, wide)
	}
	b.press(".choice a")
	whole(wide + 100)
	if got := ask(b, chromedp.Evaluate[float64](`document.querySelector("iframe").offsetWidth`)); got != 375 {
		t.Errorf("a phone %v px wide", got)
	}
}

// Keys alone lead from the list through a mail's tabs to its link.
func TestBrowserInboxKeyboard(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	b.captured("ann")
	b.captured("bob")
	b.open("/dev/mail")
	b.run(chromedp.Focus(css("#q")), chromedp.SendKeys(css("#q"), "ann@"))
	b.enter()
	b.expect("ann@example.org", "Show all")
	b.run(chromedp.Focus(css(".mails a")))
	b.enter()
	var order []string
	for range 10 {
		b.run(chromedp.KeyEvent("\t"))
		order = append(order, ask(b, chromedp.Evaluate[string]("document.activeElement.textContent")))
	}
	want := []string{"All mails", "Open link", "Delete", "HTML", "Text", "Links", "Headers", "Raw", "Phone width", "In a tab of its own"}
	if !slices.Equal(order, want) {
		t.Errorf("focus order %q, want %q", order, want)
	}
	b.run(chromedp.Focus(css(".tabs a:nth-child(2)")))
	b.enter()
	b.expect("ann@example.org")
	b.run(chromedp.WaitVisible(css("pre.text")), chromedp.Focus(css(".tools a")))
	b.enter()
	b.run(chromedp.WaitVisible(css("#password")))
}

// enter presses the key, and waits for the page that it leads to.
func (b *browserSite) enter() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 20*time.Second)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent("\r")); err != nil {
		b.t.Fatalf("press Enter: %v", err)
	}
}

// The token must be in no address, history entry, Referer or log, and nothing
// must be loaded from elsewhere (WEB-2).
func TestBrowserKeepsTheTokenToItself(t *testing.T) {
	b := browse(browser.Start(t), t, "templates = \"demo/templates\"\n")
	var mu sync.Mutex
	var requests []*network.Request
	err := chromedp.Listen(b.tab, func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			requests = append(requests, e.Request)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	b.run(protocol(network.Enable, network.EnableParams{}))
	link := b.mailedLink("acme-specs", "ann")
	token := link[strings.Index(link, "&token=")+7:]
	b.open("/ps/email/resetpassword")
	b.run(chromedp.Evaluate[chromedp.Void](`location.href = "`+link+`"`), chromedp.WaitVisible(css("#password")))
	b.run(chromedp.SendKeys(css("#password"), "password1"), chromedp.WaitVisible(css("#meter[data-score]")))
	b.fill("password1", "password1")
	b.checkHistory(token)
	b.fill(goodPassword, goodPassword)
	b.expect("Your password was changed")
	b.checkHistory(token)
	mu.Lock()
	defer mu.Unlock()
	carrying := 0
	for _, r := range requests {
		u, err := url.Parse(r.URL)
		if err != nil || "http://"+u.Host != b.url {
			t.Errorf("request to %s", r.URL)
		}
		for name, value := range r.Headers {
			if strings.EqualFold(name, "Referer") && value != "" {
				t.Errorf("Referer %v to %s", value, r.URL)
			}
		}
		if strings.Contains(r.URL, token) {
			carrying++
		}
	}
	if len(requests) < 8 || carrying != 1 {
		t.Errorf("%d requests, %d with the token; want the link's own alone", len(requests), carrying)
	}
	if strings.Contains(b.log.String(), token) || !strings.Contains(b.log.String(), "changepassword") {
		t.Errorf("log:\n%s", b.log.String())
	}
}

func (b *browserSite) checkHistory(token string) {
	b.t.Helper()
	// UserTypedURL is what the browser itself was asked for before the
	// redirect; it neither shows nor leads anywhere.
	for _, e := range ask(b, chromedp.NavigationEntries()).Entries {
		if strings.Contains(e.URL+e.Title, token) {
			b.t.Errorf("history: %+v", e)
		}
	}
	at, referrer := ask(b, chromedp.Location()), ask(b, chromedp.Evaluate[string]("document.referrer"))
	if strings.Contains(at+referrer+ask(b, chromedp.OuterHTML(css("html"))), token) || referrer != "" {
		b.t.Errorf("at %s, referrer %q", at, referrer)
	}
}

// pageState is a page in one of its states.
type pageState struct {
	name string
	show func(b *browserSite)
}

func pageStates() []pageState {
	open := func(path string) func(*browserSite) { return func(b *browserSite) { b.open(path) } }
	change := func(b *browserSite) { b.open(b.mailedLink("", "ann")) }
	mail := func(query string) func(*browserSite) {
		return func(b *browserSite) {
			b.do(http.MethodPost, "/ps/email/acme-specs/resetpassword", url.Values{"identifier": {"ann"}})
			b.send()
			b.open("/dev/mail")
			b.press(".mails a")
			b.open(strings.TrimPrefix(ask(b, chromedp.Location()), b.url) + query)
			if ask(b, chromedp.Evaluate[bool](`document.querySelector("iframe") !== null`)) {
				b.run(chromedp.WaitVisible(css("iframe[style]"))) // as high as the mail
			}
		}
	}
	return []pageState{
		{"change", change},
		{"change-admin", func(b *browserSite) { b.open(b.mailedLink("", "root")) }},
		{"change-weak", func(b *browserSite) {
			change(b)
			b.run(chromedp.SendKeys(css("#password"), "Ann Archer 1"), chromedp.WaitVisible(css("#meter[data-score]:not(.good)")))
		}},
		{"change-good", func(b *browserSite) {
			change(b)
			b.run(chromedp.Click(css("#toggle")), chromedp.SendKeys(css("#password"), goodPassword), chromedp.WaitVisible(css("#meter.good")))
		}},
		{"change-refused", func(b *browserSite) { change(b); b.fill("password1", "password1") }},
		{"change-mismatch", func(b *browserSite) { change(b); b.fill(goodPassword, "other") }},
		{"change-group", func(b *browserSite) { b.open(b.mailedLink("acme-specs", "ann")) }},
		{"change-german", func(b *browserSite) { b.speak("de"); change(b) }},
		{"change-rtl", func(b *browserSite) { b.speak("ar"); b.open(b.mailedLink("globex-web", "bob")); b.fill("x", "x") }},
		{"forgot-rtl", func(b *browserSite) { b.speak("ar"); b.open("/ps/email/globex-web/resetpassword") }},
		{"sent-rtl", func(b *browserSite) { b.speak("ar"); b.open("/ps/email/globex-web/resetpassword?sent=1") }},
		{"done", func(b *browserSite) {
			b.open(b.mailedLink("acme-specs", "tim"))
			b.fill(goodPassword, goodPassword)
		}},
		{"used", func(b *browserSite) {
			link := b.mailedLink("", "carl")
			b.open(link)
			b.fill(goodPassword, goodPassword)
			b.open(link)
		}},
		{"expired", func(b *browserSite) {
			link := b.mailedLink("", "newbie")
			b.site.clock.advance(b.t, "13h")
			b.open(link)
		}},
		{"unknown", open("/ps/email/changepassword?member=1&token=x")},
		{"missing", func(b *browserSite) {
			b.run(protocol(network.ClearBrowserCookies, cdp.Empty{}))
			b.open("/ps/email/changepassword")
		}},
		{"other", func(b *browserSite) {
			change(b)
			b.run(chromedp.SetAttributeValue(css("input[name=link]"), "value", "0"))
			b.fill("x", "x")
		}},
		{"forgot", open("/ps/email/resetpassword")},
		{"forgot-group", open("/ps/email/globex-web/resetpassword")},
		{"forgot-refused", func(b *browserSite) {
			b.open("/ps/email/resetpassword")
			b.run(chromedp.SendKeys(css("#identifier"), "nobody@nowhere"))
			b.press("form button[type=submit]")
		}},
		{"sent", open("/ps/email/resetpassword?sent=1")},
		{"not-found", open("/ps/email/nothing")},
		{"inbox-empty", open("/dev/mail")},
		{"inbox", func(b *browserSite) {
			for _, name := range []string{"ann", "bob", "mailonly@example.org"} {
				b.do(http.MethodPost, "/ps/email/resetpassword", url.Values{"identifier": {name}})
			}
			b.send()
			b.open("/dev/mail")
		}},
		{"inbox-found", func(b *browserSite) { b.captured("ann"); b.captured("bob"); b.open("/dev/mail?q=ann@") }},
		{"inbox-nothing-found", func(b *browserSite) { b.captured("ann"); b.open("/dev/mail?q=nowhere") }},
		{"mail", mail("")},
		{"mail-phone", mail("?show=html&width=phone")},
		{"mail-text", mail("?show=text")},
		{"mail-links", mail("?show=links")},
		{"mail-headers", mail("?show=headers")},
		{"mail-raw", mail("?show=raw")},
		{"preview", open("/dev/mail/preview?group=acme-specs&lang=de")},
		{"start", open("/")},
	}
}

// speak sets the browser's language.
func (b *browserSite) speak(language string) {
	b.run(protocol(network.Enable, network.EnableParams{}),
		protocol(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}}))
}

// TestBrowserStates holds every page in every state, light and dark, against
// axe-core, and against a window 320 px wide. With RESEED_SCREENSHOTS=FOLDER it
// takes pictures, too.
func TestBrowserStates(t *testing.T) {
	chromium := browser.Start(t)
	axe := browser.Axe(t)
	for i, state := range pageStates() {
		if testing.Short() && i%4 > 0 {
			continue
		}
		t.Run(state.name, func(t *testing.T) {
			t.Parallel() // each has a site and a tab of its own
			b := browse(chromium, t, "templates = \"demo/templates\"\nmails-per-hour = 100\n")
			state.show(b)
			b.inspect(axe, state.name)
		})
	}
}

// inspect holds the page that is open, light and dark, against axe-core and
// against windows of three widths.
func (b *browserSite) inspect(axe, name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.run(protocol(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}}))
		found, err := browser.Violations(b.tab, axe)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, violation := range found {
			b.t.Errorf("%s, %s: %s", name, scheme, violation)
		}
		for _, width := range []int64{320, 768, 1280} {
			b.look(name, scheme, width)
		}
	}
}

// look checks that a page fits into the width, and takes its picture where
// that is asked for.
func (b *browserSite) look(name, scheme string, width int64) {
	b.t.Helper()
	folder := os.Getenv("RESEED_SCREENSHOTS")
	if folder == "" && width != 320 {
		return
	}
	b.run(chromedp.EmulateViewport(width, 800))
	needed := ask(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
	if needed > width {
		b.t.Errorf("%s needs %d px of %d", name, needed, width)
	}
	if folder == "" {
		return
	}
	// A window as high as the page: pictures that reach beyond the window show
	// pages that run from right to left out of place.
	height := ask(b, chromedp.Evaluate[int64]("document.documentElement.scrollHeight"))
	b.run(chromedp.EmulateViewport(width, height))
	picture := ask(b, chromedp.CaptureScreenshot())
	file := filepath.Join(folder, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// Keys alone lead through the form, in the order of the page.
func TestBrowserKeyboard(t *testing.T) {
	b := browse(browser.Start(t), t, "")
	b.open(b.mailedLink("", "ann"))
	var order []string
	for range 4 {
		b.run(chromedp.KeyEvent("\t"))
		order = append(order, ask(b, chromedp.Evaluate[string]("document.activeElement.id || document.activeElement.type")))
	}
	if want := []string{"password", "toggle", "confirm", "submit"}; !slices.Equal(order, want) {
		t.Errorf("focus order %v, want %v", order, want)
	}
	// A refused form comes back empty: also if the two differ it begins anew.
	for _, again := range []string{"x", "other"} {
		b.fill("x", again)
		// The browser moves the focus when it first draws the page.
		eventually(t, 10*time.Second, func() (bool, string) {
			id := ask(b, chromedp.Evaluate[string]("document.activeElement.id"))
			return id == "password", fmt.Sprintf("x, %s: the focus is on %q, not on the first field to fill", again, id)
		})
	}
}

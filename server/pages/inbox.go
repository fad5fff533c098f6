package pages

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/inbox"
	"github.com/reseed-project/reseed/server/request"
)

// Inbox is where captured mails are kept.
type Inbox interface {
	// List returns the mails, newest first.
	List() ([]MailEntry, error)
	// Read returns a mail's bytes; the error is fs.ErrNotExist if there is none.
	Read(id string) ([]byte, error)
	// Remove deletes a mail; one that is gone already is no error.
	Remove(id string) error
	// Watch returns a function that waits for the next mail, and reports false
	// once the context has ended.
	Watch(ctx context.Context) (next func() bool)
}

// MailEntry is a captured mail before it is read.
type MailEntry struct {
	ID   string
	Time time.Time // of the order
	Size int64     // bytes
}

// shownMails is how many mails the inbox lists.
const shownMails = 100

// devRoutes lists what there is where mails are captured.
func (p *Pages) devRoutes(r *mux.Router) {
	r.Handle("/", p.handle(p.forInbox(p.showStart), nil))
	// The address without its extension: see address.
	r.Handle("/dev/mail", p.handleMethods(map[string]page{
		http.MethodGet:    p.forInbox(p.showMails),
		http.MethodHead:   p.forInbox(p.showMails),
		http.MethodDelete: p.forInbox(p.deleteJSON),
	}))
	r.Handle("/dev/mail/events", p.events())
	r.Handle("/dev/mail/delete", p.handle(nil, p.forInbox(p.deleteMails)))
	r.Handle("/dev/mail/preview", p.handle(p.forInbox(p.showPreview), nil))
	r.Handle("/dev/mail/preview/html", p.handle(p.forInbox(p.showPreviewHTML), nil))
	r.Handle("/dev/mail/{id}", p.handle(p.forInbox(p.showMail), nil))
	r.Handle("/dev/mail/{id}/html", p.handle(p.forInbox(p.showMailHTML), nil))
	r.Handle("/dev/mail/{id}/raw", p.handle(p.forInbox(p.showMailRaw), nil))
	r.Handle("/dev/mail/{id}/delete", p.handle(nil, p.forInbox(p.deleteMails)))
}

// forInbox lets those pass who may see the inbox.
func (p *Pages) forInbox(f page) page {
	return func(v *pageRequest) (*reply, error) {
		if !p.inboxOpen(v.Request) {
			return nil, errcodes.New(errcodes.Forbidden)
		}
		return f(v)
	}
}

// inboxOpen reports whether a request may see captured mails: from this
// machine unless all may, and under a name that nobody else can point here. A
// page of another site, whose name its owner turns to 127.0.0.1 once it is
// loaded (DNS rebinding), comes with that site's name.
func (p *Pages) inboxOpen(r *http.Request) bool {
	if p.Inbox == nil {
		return false
	}
	if !p.InboxEverywhere && !request.FromHere(r) {
		return false
	}
	name := (&url.URL{Host: r.Host}).Hostname()
	if ip, err := netip.ParseAddr(name); err == nil {
		return p.InboxEverywhere || ip.Unmap().IsLoopback()
	}
	known := append([]string{p.host.Hostname()}, p.InboxHosts...)
	return request.LoopbackName(name) ||
		p.InboxEverywhere && slices.ContainsFunc(known, func(h string) bool { return strings.EqualFold(h, name) })
}

// inboxData is what the list shows.
type inboxData struct {
	Mails  []inboxLine
	More   int    // older mails that are not listed
	Search string // what was looked for; "": all mails
}

// inboxLine is a mail in the list.
type inboxLine struct {
	inbox.Summary
	Ago string // its time, seen from now
}

// showMails lists the mails, as a page or as JSON.
func (p *Pages) showMails(v *pageRequest) (*reply, error) {
	if isJSON(v.Request) {
		return p.listJSON(v)
	}
	entries, err := p.Inbox.List()
	if err != nil {
		return nil, err
	}
	data, err := p.listMails(entries, strings.TrimSpace(v.query().Get("q")))
	if err != nil {
		return nil, err
	}
	v.showAsReseed()
	return v.render(http.StatusOK, "inbox", "Captured mails", data)
}

// listMails opens the newest mails, or the newest of those that are looked for.
func (p *Pages) listMails(entries []MailEntry, search string) (inboxData, error) {
	data := inboxData{Search: search}
	for i, entry := range entries {
		if i == maxScanned || len(data.Mails) == shownMails {
			data.More = len(entries) - i
			break
		}
		m, err := p.readMail(entry)
		if err != nil {
			return data, err
		}
		if m != nil && m.Matches(search) {
			data.Mails = append(data.Mails, inboxLine{m.Summary, p.ago(m.Time)})
		}
	}
	return data, nil
}

// ago says how long ago something was, as people do; what is older than a
// month, or yet to come, is said by its date.
func (p *Pages) ago(t time.Time) string {
	d := p.Now().Sub(t)
	count := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit + " ago"
		}
		return strconv.Itoa(n) + " " + unit + "s ago"
	}
	switch {
	case d < -time.Minute || d >= 31*24*time.Hour:
		return t.UTC().Format(time.DateOnly)
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return count(int(d.Minutes()), "minute")
	case d < 24*time.Hour:
		return count(int(d.Hours()), "hour")
	}
	return count(int(d.Hours()/24), "day")
}

// isJSON tells /dev/mail.json from /dev/mail.
func isJSON(r *http.Request) bool {
	return strings.HasSuffix(request.AddressOf(r.Context()).Shown, ".json")
}

// readMail returns a mail taken apart, nil if it was removed meanwhile.
func (p *Pages) readMail(entry MailEntry) (*inbox.Mail, error) {
	raw, err := p.Inbox.Read(entry.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return inbox.Open(entry.ID, entry.Time, raw), nil
}

// mailOf returns the mail that the address names.
func (p *Pages) mailOf(v *pageRequest) (*inbox.Mail, error) {
	entries, err := p.Inbox.List()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(entries, func(e MailEntry) bool { return e.ID == mux.Vars(v.Request)["id"] })
	if i < 0 {
		return nil, errcodes.New(errcodes.NoSuchService)
	}
	m, err := p.readMail(entries[i])
	if err == nil && m == nil {
		err = errcodes.New(errcodes.NoSuchService)
	}
	return m, err
}

// mailData is what the page of a mail shows.
type mailData struct {
	*inbox.Mail
	Ago   string
	Tabs  []mailTab
	Show  string // name of the tab that is shown
	Phone bool   // the HTML part is as wide as on a phone
}

// mailTab is a part of a mail that can be shown. Tabs are links, so that they
// work without scripts and have an address each.
type mailTab struct{ Name, Label string }

func newMailData(m *inbox.Mail, ago, show string, phone bool) mailData {
	d := mailData{Mail: m, Ago: ago, Phone: phone}
	for _, tab := range []struct {
		mailTab
		there bool
	}{
		{mailTab{"html", "HTML"}, m.HTML != ""},
		{mailTab{"text", "Text"}, m.Text != ""},
		{mailTab{"links", "Links"}, len(m.Links) > 0},
		{mailTab{"headers", "Headers"}, len(m.Headers) > 0},
		{mailTab{"raw", "Raw"}, true},
	} {
		if tab.there {
			d.Tabs = append(d.Tabs, tab.mailTab)
		}
	}
	d.Show = d.Tabs[0].Name
	if slices.ContainsFunc(d.Tabs, func(tab mailTab) bool { return tab.Name == show }) {
		d.Show = show
	}
	return d
}

// showMail shows one part of a mail: show=html, text, links, headers or raw.
func (p *Pages) showMail(v *pageRequest) (*reply, error) {
	m, err := p.mailOf(v)
	if err != nil {
		return nil, err
	}
	query := v.query()
	v.showAsReseed()
	a, err := v.render(http.StatusOK, "mail", m.Subject, newMailData(m, p.ago(m.Time), query.Get("show"), query.Get("width") == "phone"))
	if err == nil {
		a.header.Set("Content-Security-Policy", framePolicy)
	}
	return a, err
}

// frameSandbox is what the frame of a mail's HTML part may do. Its origin is
// nobody's, and the only script that its policy lets run is [frameScript].
const frameSandbox = "allow-scripts allow-popups allow-popups-to-escape-sandbox"

// frameScript tells the page around the frame how high the mail is, so that
// nothing of it is cut off: nobody but the mail's own document can know. A frame
// in a process of its own may be laid out after it has loaded, and gets no resize
// event for that. What only gets higher is not told again: a mail as high as its
// window would grow without end.
const frameScript = `(() => {
const root = document.documentElement;
let width = 0;
const measure = () => root.scrollHeight > innerHeight ? root.scrollHeight : Math.ceil(root.getBoundingClientRect().height);
const tell = () => {
  const height = measure();
  if (!innerWidth || !height) { setTimeout(tell, 50); return; } // not laid out yet
  width = innerWidth;
  parent.postMessage({height}, "*");
};
addEventListener("message", tell);
addEventListener("load", () => {
  tell();
  new ResizeObserver(() => innerWidth === width || tell()).observe(root);
});
})();`

// framePart is the policy of a mail's HTML part.
func framePart() string {
	sum := sha256.Sum256([]byte(frameScript))
	return "sandbox " + frameSandbox + "; default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
}

// openOutside makes a mail's links open outside the frame, as they do in mail
// programs: no page of ours shows inside one.
func openOutside(html string) string {
	html = strings.TrimSpace(html)
	at := 0
	if doctype, _, ok := strings.Cut(html, ">"); ok && strings.HasPrefix(strings.ToLower(doctype), "<!doctype") {
		at = len(doctype) + 1 // what stands before it would turn the mail's looks
	}
	return html[:at] + `<base target="_blank"><script>` + frameScript + `</script>` + html[at:]
}

// showMailHTML serves the HTML part for the frame: in an origin of its own,
// without scripts but ours, and loading nothing. Its links alone lead out, to
// pages that are free of all that.
func (p *Pages) showMailHTML(v *pageRequest) (*reply, error) {
	m, err := p.mailOf(v)
	if err != nil {
		return nil, err
	}
	return frameOf(m.HTML), nil
}

func frameOf(html string) *reply {
	a := newReply(http.StatusOK, "text/html;charset=utf-8", []byte(openOutside(html)))
	a.header.Set("Content-Security-Policy", framePart())
	return a
}

func (p *Pages) showMailRaw(v *pageRequest) (*reply, error) {
	m, err := p.mailOf(v)
	if err != nil {
		return nil, err
	}
	return newReply(http.StatusOK, "text/plain;charset=utf-8", m.Raw), nil
}

// deleteMails removes the mail that the address names, or else all, and shows the list.
func (p *Pages) deleteMails(v *pageRequest) (*reply, error) {
	id, one := mux.Vars(v.Request)["id"]
	if _, err := p.remove(id, !one); err != nil {
		return nil, err
	}
	return redirect("/dev/mail"), nil
}

// remove deletes one mail or all, and counts them.
func (p *Pages) remove(id string, all bool) (int, error) {
	entries, err := p.Inbox.List()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, entry := range entries {
		if !all && entry.ID != id {
			continue
		}
		if err := p.Inbox.Remove(entry.ID); err != nil {
			return n, err
		}
		n++
	}
	if n == 0 && !all {
		return 0, errcodes.New(errcodes.NoSuchService)
	}
	return n, nil
}

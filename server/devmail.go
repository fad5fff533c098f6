package server

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"reseed/errcodes"
)

// Inbox is where captured mails are kept.
type Inbox interface {
	// List returns the mails, newest first.
	List() ([]MailEntry, error)
	// Read returns a mail's bytes; the error is fs.ErrNotExist where there is none.
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
func (p *pages) devRoutes(r *mux.Router) {
	r.Handle("/", p.handle(p.local(p.showStart), nil))
	// The address without its extension: see address.
	r.Handle("/dev/mail", p.handleMethods(map[string]page{
		http.MethodGet:    p.local(p.showMails),
		http.MethodHead:   p.local(p.showMails),
		http.MethodDelete: p.local(p.deleteJSON),
	}))
	r.Handle("/dev/mail/events", p.events())
	r.Handle("/dev/mail/delete", p.handle(nil, p.local(p.deleteMails)))
	r.Handle("/dev/mail/{id}", p.handle(p.local(p.showMail), nil))
	r.Handle("/dev/mail/{id}/html", p.handle(p.local(p.showMailHTML), nil))
	r.Handle("/dev/mail/{id}/raw", p.handle(p.local(p.showMailRaw), nil))
	r.Handle("/dev/mail/{id}/delete", p.handle(nil, p.local(p.deleteMails)))
}

// local lets those pass who may see the inbox.
func (p *pages) local(f page) page {
	return func(v *visit) (*reply, error) {
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
func (p *pages) inboxOpen(r *http.Request) bool {
	if p.Inbox == nil {
		return false
	}
	if !p.InboxEverywhere && !fromHere(r) {
		return false
	}
	name := (&url.URL{Host: r.Host}).Hostname()
	if ip, err := netip.ParseAddr(name); err == nil {
		return p.InboxEverywhere || ip.Unmap().IsLoopback()
	}
	return LoopbackName(name) || p.InboxEverywhere && strings.EqualFold(name, p.host.Hostname())
}

// LoopbackName reports whether a host, as URLs have it, is this machine
// whoever asks: localhost, a name under it, or a loopback address (RFC 6761).
func LoopbackName(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// inboxData is what the list shows.
type inboxData struct {
	Mails []mailSummary
	More  int // mails that are not listed
}

// showMails lists the mails, as a page or as JSON.
func (p *pages) showMails(v *visit) (*reply, error) {
	if isJSON(v.Request) {
		return p.listJSON(v)
	}
	entries, err := p.Inbox.List()
	if err != nil {
		return nil, err
	}
	data := inboxData{More: max(len(entries)-shownMails, 0)}
	for _, entry := range entries[:min(len(entries), shownMails)] {
		m, err := p.readMail(entry)
		if err != nil {
			return nil, err
		}
		if m != nil {
			data.Mails = append(data.Mails, m.mailSummary)
		}
	}
	return v.render(http.StatusOK, "inbox", "Captured mails", data)
}

// isJSON tells /dev/mail.json from /dev/mail.
func isJSON(r *http.Request) bool { return strings.HasSuffix(addressOf(r.Context()).shown, ".json") }

// readMail returns a mail taken apart, nil where it was removed meanwhile.
func (p *pages) readMail(entry MailEntry) (*openedMail, error) {
	raw, err := p.Inbox.Read(entry.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return openMail(entry, raw), nil
}

// mailOf returns the mail that the address names.
func (p *pages) mailOf(v *visit) (*openedMail, error) {
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

func (p *pages) showMail(v *visit) (*reply, error) {
	m, err := p.mailOf(v)
	if err != nil {
		return nil, err
	}
	a, err := v.render(http.StatusOK, "mail", m.Subject, m)
	if err == nil {
		a.header.Set("Content-Security-Policy", framePolicy)
	}
	return a, err
}

// outward makes a mail's links open outside the frame, as they do in mail
// programs: no page of ours shows inside one.
func outward(html string) string {
	html = strings.TrimSpace(html)
	at := 0
	if doctype, _, ok := strings.Cut(html, ">"); ok && strings.HasPrefix(strings.ToLower(doctype), "<!doctype") {
		at = len(doctype) + 1 // what stands before it would turn the mail's looks
	}
	return html[:at] + `<base target="_blank">` + html[at:]
}

// showMailHTML serves the HTML part for the frame: in an origin of its own,
// without scripts, and loading nothing. Its links alone lead out, to pages that
// are free of all that.
func (p *pages) showMailHTML(v *visit) (*reply, error) {
	m, err := p.mailOf(v)
	if err != nil {
		return nil, err
	}
	a := newReply(http.StatusOK, "text/html;charset=utf-8", []byte(outward(m.HTML)))
	a.header.Set("Content-Security-Policy", "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'")
	return a, nil
}

func (p *pages) showMailRaw(v *visit) (*reply, error) {
	m, err := p.mailOf(v)
	if err != nil {
		return nil, err
	}
	return newReply(http.StatusOK, "text/plain;charset=utf-8", m.raw), nil
}

// deleteMails removes the mail that the address names, or else all, and shows the list.
func (p *pages) deleteMails(v *visit) (*reply, error) {
	id, one := mux.Vars(v.Request)["id"]
	if _, err := p.remove(id, !one); err != nil {
		return nil, err
	}
	return redirect("/dev/mail"), nil
}

// remove deletes one mail or all, and counts them.
func (p *pages) remove(id string, all bool) (int, error) {
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

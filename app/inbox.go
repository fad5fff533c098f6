package app

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"slices"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/server/pages"
	"github.com/reseed-project/reseed/server/request"
)

// inbox shows the captured mails to the server's pages.
type inbox struct{ capture *mail.Capture }

var _ pages.Inbox = inbox{}

// List returns the mails, newest first.
func (b inbox) List() ([]pages.MailEntry, error) {
	captured, err := b.capture.List()
	if err != nil {
		return nil, err
	}
	entries := make([]pages.MailEntry, 0, len(captured))
	for _, c := range slices.Backward(captured) {
		entries = append(entries, pages.MailEntry{ID: c.ID.String(), Time: c.Time, Size: c.Size})
	}
	return entries, nil
}

// Read returns a mail's bytes; the error is fs.ErrNotExist if there is none.
func (b inbox) Read(id string) ([]byte, error) {
	parsed, err := mail.ParseID(id)
	if err != nil {
		return nil, fmt.Errorf("read captured mail: %w", fs.ErrNotExist)
	}
	return b.capture.Read(parsed)
}

// Remove deletes a mail; one that is not there is no error.
func (b inbox) Remove(id string) error {
	parsed, err := mail.ParseID(id)
	if err != nil {
		return nil
	}
	return b.capture.Remove(parsed)
}

// Watch returns a function that waits for the next mail, and reports false
// once the context has ended.
func (b inbox) Watch(ctx context.Context) func() bool {
	mails := b.capture.Watch(ctx)
	return func() bool {
		_, more := <-mails
		return more
	}
}

// pageConfig returns what the server's pages are made of.
func (a *App) pageConfig() (*pages.Config, error) {
	a.overrides = append(a.templates.Mails().Names(), a.templates.Pages().Names()...)
	if err := a.globalFault(); err != nil {
		return nil, err
	}
	c := &pages.Config{
		Members: a.Members, Looks: a.templates, Policy: a.Members.Policy.Config(),
		HostURL: a.Config.HostURL, SiteName: a.Config.SiteName, Stopping: a.stopping, InboxWait: a.Config.RequestTimeout * 9 / 10, TestServer: a.testServer,
		Now: a.Members.Now,
	}
	if a.Config.AdminPages {
		c.Desk, c.Zone = a.Members, a.Config.Zone()
	}
	if a.Capture != nil && showsInbox(a.Config) {
		c.Inbox, c.InboxEverywhere, c.InboxHosts = inbox{a.Capture}, a.Config.DevInbox == "everywhere", a.Config.InboxHosts
	}
	return c, nil
}

// showsInbox reports whether captured mails may be seen: unless told
// otherwise only by a server that is of this machine alone. A host URL of
// another name means a proxy, whose visitors all seem to come from here.
func showsInbox(c *config.Config) bool {
	if c.DevInbox != "loopback" {
		return c.DevInbox == "everywhere"
	}
	host, _, err := net.SplitHostPort(c.Listen)
	u, errURL := url.Parse(c.HostURL)
	return err == nil && errURL == nil && request.LoopbackName(host) && request.LoopbackName(u.Hostname())
}

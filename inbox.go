package main

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"slices"

	"reseed/mail"
	"reseed/server"
)

// inbox shows the captured mails to the server's pages.
type inbox struct{ capture *mail.Capture }

var _ server.Inbox = inbox{}

// List returns the mails, newest first.
func (b inbox) List() ([]server.MailEntry, error) {
	captured, err := b.capture.List()
	if err != nil {
		return nil, err
	}
	entries := make([]server.MailEntry, 0, len(captured))
	for _, c := range slices.Backward(captured) {
		entries = append(entries, server.MailEntry{ID: c.ID.String(), Time: c.Time, Size: c.Size})
	}
	return entries, nil
}

// Read returns a mail's bytes; the error is fs.ErrNotExist where there is none.
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
func (a *app) pageConfig() (*server.PageConfig, error) {
	looks, err := loadLooks(a.cfg)
	if err != nil {
		return nil, err
	}
	a.overrides = append(a.members.Templates.Names(), looks.Names()...)
	if err := a.globalFault(); err != nil {
		return nil, err
	}
	c := &server.PageConfig{
		Members: a.members, Looks: looks, Policy: a.members.Policy.Config(),
		HostURL: a.cfg.HostURL, SiteName: a.cfg.SiteName, Stopping: a.stopping,
	}
	if a.capture != nil && a.cfg.showsInbox() {
		c.Inbox, c.InboxEverywhere = inbox{a.capture}, a.cfg.DevInbox == "everywhere"
	}
	return c, nil
}

// showsInbox reports whether captured mails may be seen: unless told
// otherwise only by a server that is of this machine alone. A host URL of
// another name means a proxy, whose visitors all seem to come from here.
func (c *Config) showsInbox() bool {
	if c.DevInbox != "loopback" {
		return c.DevInbox == "everywhere"
	}
	host, _, err := net.SplitHostPort(c.Listen)
	u, errURL := url.Parse(c.HostURL)
	return err == nil && errURL == nil && server.LoopbackName(host) && server.LoopbackName(u.Hostname())
}

// origin is scheme and host of the host URL.
func (c *Config) origin() string {
	u, err := url.Parse(c.HostURL)
	if err != nil {
		return c.HostURL
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

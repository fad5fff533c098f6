package templates

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The reasons why a password must be set again (contract 1.9).
const (
	ReasonMember = "member" // the member asked
	ReasonAdmin  = "admin"  // an administrator asked
	ReasonForced = "forced" // the member was made an administrator
)

// Notification is a template's input: what the notification element of
// contract 1.9 holds, under the same names, and what contract 2.1 adds.
//
//	notification/@template     .Template
//	notification/@emaildomain  .EmailDomain
//	notification/@hosturl      .HostURL
//	notification/@reason       .Reason
//	notification/@token        .Token
//	member/@id                 .Member.ID
//	member/@firstname          .Member.Firstname
//	member/@lastname           .Member.Lastname
//	member/@email              .Member.Email
//	member/@username           .Member.Username
//	member/@status             .Member.Status
//	member/fullname            .Member.Fullname
//	group                      .Group, nil without one: {{with .Group}}{{.Title}}{{end}}
//	group/@id                  .Group.ID
//	group/@name                .Group.Name
//	group/@description         .Group.Description
//	group/@owner               .Group.Owner
//
// Before a template sees it, every text but the URLs and the token is made a
// single line: white space and control characters fold to one space,
// characters that reorder text and those without any form are dropped, over-long
// ones are cut. Where a name, a title or a description would read as a web
// address, it is broken up, so that a mail client makes no link of it.
type Notification struct {
	Template    string // one of the names above
	EmailDomain string // of the sender's address
	// HostURL is scheme, host and site prefix, from the configuration only;
	// required, http or https.
	HostURL  string
	SiteName string // how the site calls itself, "" for the host's name
	Reason   string // ReasonMember, ReasonAdmin, ReasonForced; "" in notices, and counts as ReasonMember elsewhere
	Token    string // never in notices
	// Link sets the password; on the scheme and host of HostURL or, if set, of
	// LinkPrefix. Required, but never in notices.
	Link       string
	LinkPrefix string
	Member     Member
	Group      *Group // nil without one
	// ValidFor is how long the link is valid, Expires until when; zero where
	// it is not to be told.
	ValidFor          time.Duration
	Expires           time.Time
	At                time.Time // of the change, in notices; zero if unknown
	Client            string    // network address that the change came from, "" if it is not to be told
	HideIgnoreMessage bool      // leave out that the mail can be ignored (contract 2.1)
	Language          string    // BCP 47, "" for the templates without a tag
	// Brand is the look of the group's mails; Render sets it.
	Brand Brand
}

// Member is whom a notification is for.
type Member struct {
	ID        int64
	Firstname string
	Lastname  string // the surname
	Fullname  string // first and last name if empty
	Username  string
	Email     string
	Status    string // contract 1.6
}

// Group is the group whose service was asked.
type Group struct {
	ID          int64
	Name        string // full name
	Title       string // shown to people, Name if empty
	Description string
	Owner       string
}

// Origin is how the mail calls its sender: the name that the group's pages
// have, or else the group's title, the site's name, the host's. It is never empty.
func (n Notification) Origin() string {
	if n.Brand.Name != "" {
		return n.Brand.Name
	}
	if n.Group != nil && n.Group.Title != "" {
		return n.Group.Title
	}
	if n.SiteName != "" {
		return n.SiteName
	}
	u, err := url.Parse(n.HostURL)
	if err != nil {
		return n.EmailDomain
	}
	return u.Hostname()
}

// Account is how the mail tells which account it is about: the full name with
// the username, or what of it is known, or else the email address or the
// number. It is never empty.
func (m Member) Account() string {
	switch {
	case m.Fullname != "" && m.Username != "" && m.Fullname != m.Username:
		return m.Fullname + " (" + m.Username + ")"
	case m.Fullname != "":
		return m.Fullname
	case m.Username != "":
		return m.Username
	case m.Email != "":
		return m.Email
	}
	return fmt.Sprintf("#%d", m.ID)
}

// Names are the names of all mail templates.
func Names() []string {
	return []string{ResetPasswordConfirm, ChangePassword, SetPassword, ActivateAccount, ConfirmEmail, EmailChanged, SignInLocked}
}

// isNotice reports whether a template's mails carry neither token nor link.
func isNotice(template string) bool {
	return template == ChangePassword || template == EmailChanged || template == SignInLocked
}

// prepare checks the notification and returns it with its texts made harmless.
func (n Notification) prepare() (Notification, error) {
	if !slices.Contains(Names(), n.Template) {
		return n, fmt.Errorf("no mail template %q", n.Template)
	}
	if err := n.check(); err != nil {
		return n, err
	}
	n.SiteName, n.EmailDomain = title(n.SiteName), line(n.EmailDomain, maxName)
	n.Language, n.Reason = line(n.Language, maxName), line(n.Reason, maxName)
	n.Client = line(n.Client, maxName)
	if n.Brand.Accent == "" {
		n.Brand.Accent, n.Brand.DarkAccent = accent, darkAccent
	}
	if n.Reason == "" && !isNotice(n.Template) {
		n.Reason = ReasonMember
	}
	n.Member = n.Member.prepare()
	if n.Group != nil {
		g := n.Group.prepare()
		n.Group = &g
	}
	return n, nil
}

// check holds the links to the rules of their fields. Its errors quote
// neither, since a link carries a token.
func (n Notification) check() error {
	host, err := parseWebURL(n.HostURL)
	if err != nil {
		return fmt.Errorf("host URL: %w", err)
	}
	if isNotice(n.Template) {
		if n.Token != "" || n.Link != "" {
			return errors.New("a notice carries neither token nor link")
		}
		return nil
	}
	link, err := parseWebURL(n.Link)
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	if n.LinkPrefix != "" {
		if host, err = parseWebURL(n.LinkPrefix); err != nil {
			return fmt.Errorf("prefix of links: %w", err)
		}
	}
	if link.Scheme != host.Scheme || link.Host != host.Host {
		return errors.New("link: not on the scheme and host of the host URL")
	}
	if strings.ContainsFunc(n.Token, notURL) {
		return errors.New("token: holds a character that no URL may hold")
	}
	return nil
}

func (m Member) prepare() Member {
	m.Firstname, m.Lastname = personal(m.Firstname), personal(m.Lastname)
	m.Fullname = personal(m.Fullname)
	if m.Fullname == "" {
		m.Fullname = strings.TrimSpace(m.Firstname + " " + m.Lastname)
	}
	m.Username, m.Email = title(m.Username), title(m.Email)
	m.Status = line(m.Status, maxName)
	return m
}

func (g Group) prepare() Group {
	g.Name, g.Owner = title(g.Name), title(g.Owner)
	g.Title = title(g.Title)
	if g.Title == "" {
		g.Title = g.Name
	}
	g.Description = unlinked(line(g.Description, maxDescription))
	return g
}

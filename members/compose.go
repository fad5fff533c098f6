package members

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strconv"
	"time"

	"reseed/mail"
	"reseed/password"
	"reseed/templates"
)

// The templates of contract 1.9 and 2.1.
const (
	ConfirmTemplate     = "reset-password-confirm"
	NoticeTemplate      = "change-password"
	SetPasswordTemplate = "set-password"
)

// Compose makes the mail of an order, when it is about to be sent: the same
// bytes at every attempt. Orders that must not be sent yield a
// *mail.Undeliverable: to nobody, for a token that was spent meanwhile, or over
// the member's limit.
func (s *Service) Compose(ctx context.Context, job mail.Job) (*mail.Message, error) {
	d, err := s.Resets.OrderDetail(ctx, job.ID, job.Created.Add(-time.Hour))
	if err != nil {
		return nil, err
	}
	if err := s.undeliverable(d); err != nil {
		return nil, err
	}
	n, err := s.notification(d)
	if err != nil {
		return nil, err
	}
	body, err := s.Templates.Render(d.Group.Chain(), n)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", d.Order.Template, err)
	}
	return &mail.Message{
		ID:      d.Order.ID,
		Date:    d.Order.Created,
		Domain:  s.Site.EmailDomain,
		From:    netmail.Address{Name: s.Site.FromName, Address: s.Site.FromAddress},
		To:      netmail.Address{Name: d.Member.Fullname(), Address: d.Member.Email},
		Subject: body.Subject,
		Text:    body.Text,
		HTML:    body.HTML,
	}, nil
}

var errTokenKey = errors.New("its token was made with a key that this server does not have")

// undeliverable returns why an order leads to no mail.
func (s *Service) undeliverable(d OrderDetail) error {
	limited := d.Order.Purpose != password.None && d.Order.Reason == "member"
	switch {
	case d.Order.MemberID <= 0:
		return mail.Drop("no such member")
	case d.Member.Zero():
		return mail.Drop("the member is gone")
	case d.Member.Email == "":
		return mail.Drop("the member has no address")
	case d.Used:
		return mail.Drop("the token is no longer valid")
	case limited && d.Recent >= s.MailsPerHour:
		return mail.Drop("over the member's limit")
	case !mail.ValidAddress(d.Member.Email):
		return mail.Kill("the member's address is not valid")
	default:
		return nil
	}
}

// notification returns the templates' input (contract 1.9).
func (s *Service) notification(d OrderDetail) (templates.Notification, error) {
	o, m := d.Order, d.Member
	n := templates.Notification{
		Template:    o.Template,
		EmailDomain: s.Site.EmailDomain,
		HostURL:     s.Site.HostURL,
		SiteName:    s.Site.Name,
		Reason:      o.Reason,
		Member: templates.Member{
			ID: m.ID, Firstname: m.Firstname, Lastname: m.Surname, Fullname: m.Fullname(),
			Username: m.Username, Email: m.Email, Status: string(m.Status),
		},
		HideIgnoreMessage: o.Options.HideIgnoreMessage,
		Language:          m.Language,
		At:                o.Created,
	}
	if o.Options.Language != "" {
		n.Language = o.Options.Language
	}
	if g := d.Group; !g.Zero() {
		n.Group = &templates.Group{ID: g.ID, Name: g.Name, Title: g.Title, Description: g.Description, Owner: g.Project()}
	}
	if o.Purpose == password.None {
		return n, nil
	}
	token, ok := s.Keys.TokenFor(o.Purpose, o.ID, o.MemberID, o.Token)
	if !ok {
		// While keys rotate, another server may have the key: it is tried again.
		return n, errTokenKey
	}
	n.Token, n.ValidFor = token, o.Expires.Sub(o.Created)
	n.Link = s.link(o.Purpose, m.ID, token)
	return n, nil
}

// link is where the mail leads: the configured host, never the request's (MAI-6).
func (s *Service) link(p password.Purpose, member int64, token string) string {
	base := s.Site.HostURL + "/email/changepassword?"
	if p == password.Recovery {
		return base + "forgotPasswordToken=" + url.QueryEscape(token)
	}
	return base + "member=" + strconv.FormatInt(member, 10) + "&token=" + url.QueryEscape(token)
}

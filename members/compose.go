package members

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/templates"
)

// MailSettings are the settings of members' mails.
type MailSettings struct {
	// MailsPerHour is how many mails with a token a member may cause to get in
	// an hour; further requests are answered the same and mail nothing.
	MailsPerHour int
	// NoticeClients is how notices tell where a request came from; "" as ClientsShortened.
	NoticeClients NoticeClients
	// SMTPUTF8 lets addresses have letters beyond ASCII before the @: the mail server offers SMTPUTF8.
	SMTPUTF8 bool
}

// The templates of contract 1.9 and 2.1.
const (
	ConfirmTemplate     = "reset-password-confirm"
	NoticeTemplate      = "change-password"
	SetPasswordTemplate = "set-password"
	// Of contract 1.5.
	ActivateTemplate     = "activate-account"
	ConfirmEmailTemplate = "confirm-email"
	EmailChangedTemplate = "email-changed"
	SignInLockedTemplate = "sign-in-locked"
)

// Drafts reads what the mails of all these orders are made of.
func (s *Service) Drafts(ctx context.Context, orders []mail.Order) ([]mail.Draft, error) {
	ids := make([]mail.ID, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	inputs, err := s.Store.MailInputs(ctx, ids, s.MailsPerHour)
	if err != nil {
		return nil, err
	}
	drafts := make([]mail.Draft, len(orders))
	for i, id := range ids {
		in, ok := inputs[id]
		drafts[i] = draft{service: s, input: in, missing: !ok}
	}
	return drafts, nil
}

// draft is a mail that is about to be composed.
type draft struct {
	service *Service
	input   MailInput
	missing bool
}

// Domain returns the mail server of the group's own, else the domain of the member's
// address, A-Z folded.
func (d draft) Domain() string {
	if own := d.service.Templates.OwnSettings(d.input.Group.Chain()).SMTP; own != "" {
		return own
	}
	_, domain, _ := strings.Cut(d.input.Member.Email, "@")
	return fold.ASCII(domain)
}

var errOrderGone = errors.New("the order is gone")

// Compose makes the mail of the order, the same bytes at every attempt. Orders
// that must not be sent yield a *mail.Undeliverable: to nobody, for a token that
// was spent meanwhile, or over the member's limit.
func (d draft) Compose(ctx context.Context) (*mail.Message, error) {
	s, in := d.service, d.input
	if d.missing {
		return nil, errOrderGone
	}
	none := s.undeliverable(in)
	if in.Order.MemberID <= 0 && !in.Member.Zero() {
		d.rehearse(ctx)
	}
	if none != nil {
		return nil, none
	}
	return d.compose(ctx)
}

// rehearse composes the mail to the member whose row was read in nobody's place,
// and throws it away: composing one takes time that others see.
func (d draft) rehearse(ctx context.Context) {
	if m, err := d.compose(ctx); err == nil {
		_, _ = m.Bytes()
	}
}

func (d draft) compose(ctx context.Context) (*mail.Message, error) {
	s, in := d.service, d.input
	chain := in.Group.Chain()
	n, err := s.notification(in, s.Templates.Settings(chain))
	if err != nil {
		return nil, err
	}
	body, err := s.Templates.Render(ctx, chain, n)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", in.Order.Template, err)
	}
	own := body.Settings
	return &mail.Message{
		ID:     in.Order.ID,
		Date:   in.Order.Created,
		Domain: s.Site.EmailDomain,
		From: netmail.Address{
			Name:    cmp.Or(own.FromName, s.Site.FromName),
			Address: mail.ASCIIAddress(cmp.Or(own.FromAddress, s.Site.FromAddress)),
		},
		To:         netmail.Address{Name: in.Member.Fullname(), Address: in.address()},
		ReplyTo:    netmail.Address{Address: mail.ASCIIAddress(own.ReplyTo)},
		ReturnPath: mail.ASCIIAddress(own.ReturnPath),
		Headers:    own.Headers,
		Server:     mail.Server{URL: own.SMTP, PasswordFile: own.SMTPPasswordFile, TokenFile: own.SMTPTokenFile},
		Subject:    body.Subject,
		Text:       body.Text,
		HTML:       body.HTML,
	}, nil
}

var errTokenKey = errors.New("its token was made with a key that this server does not have")

// undeliverable returns why an order leads to no mail.
func (s *Service) undeliverable(d MailInput) error {
	limited := d.Order.Purpose != password.None && d.Order.Reason == "member"
	switch {
	case !d.Order.Addressed:
		return mail.Drop("no such member")
	case d.Member.Zero():
		return mail.Drop("the member is gone")
	case d.address() == "":
		return mail.Drop("the member has no address")
	case d.Used:
		return mail.Drop("the token is no longer valid")
	case limited && d.OverLimit:
		return mail.Drop("over the member's limit")
	case !s.ValidEmail(d.address()):
		return mail.Kill("the member's address " + emailFault(d.address(), s.SMTPUTF8))
	default:
		return nil
	}
}

// address is where the mail goes: to what is stored with the member or the
// order, never to what a stranger's request says.
func (d MailInput) address() string { return cmp.Or(d.Order.Options.Address, d.Member.Email) }

// notification returns the templates' input (contract 1.9).
func (s *Service) notification(d MailInput, own templates.MailSettings) (templates.Notification, error) {
	o, m := d.Order, d.Member
	n := templates.Notification{
		Template:    o.Template,
		EmailDomain: s.Site.EmailDomain,
		HostURL:     cmp.Or(own.HostURL, s.Site.HostURL),
		LinkPrefix:  own.LinkPrefix,
		SiteName:    s.Site.Name,
		Reason:      o.Reason,
		Member: templates.Member{
			ID: m.ID, Firstname: m.Firstname, Lastname: m.Surname, Fullname: m.Fullname(),
			Username: m.Username, Email: m.ReadableEmail(), Status: string(m.Status),
		},
		HideIgnoreMessage: o.Options.HideIgnoreMessage,
		Language:          cmp.Or(o.Options.Language, m.Language, own.Language),
		At:                o.Created,
		Client:            o.Options.Client,
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
	n.Link = link(cmp.Or(n.LinkPrefix, n.HostURL+"/email"), o.Purpose, m.ID, token)
	return n, nil
}

// link is where the mail leads: the configured host, never the request's (MAI-6).
func link(prefix string, p password.Purpose, member int64, token string) string {
	page := map[password.Purpose]string{password.Activation: "/activate?", password.EmailChange: "/confirmemail?"}[p]
	base := prefix + cmp.Or(page, "/changepassword?")
	if p == password.Recovery {
		return base + "forgotPasswordToken=" + url.QueryEscape(token)
	}
	return base + "member=" + strconv.FormatInt(member, 10) + "&token=" + url.QueryEscape(token)
}

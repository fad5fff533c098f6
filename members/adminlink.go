package members

import (
	"cmp"
	"context"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// adminOrder is the order of a link that an administrator asks for.
func (s *Service) adminOrder(m Member, g groups.Group) (Order, error) {
	return s.newOrder(Order{
		Template: ConfirmTemplate, Reason: "admin", Purpose: password.Reset, MemberID: m.ID, Addressed: true, GroupID: g.ID,
	}, s.tokenLife(g))
}

// orderLink queues the mail of a link that an administrator asks for: 100F.
func (s *Service) orderLink(ctx context.Context, m Member, g groups.Group) (Order, error) {
	if m.Email == "" {
		return Order{}, errcodes.New(errcodes.NoEmail)
	}
	order, err := s.adminOrder(m, g)
	if err != nil {
		return order, err
	}
	return order, s.Store.AddOrder(ctx, order)
}

// QueueLink mails a member a link to set a password by, for a command, as mails
// of a group are if it isn't zero. Errors: 403 0101 for anyone but
// administrators; 1018, 1019, 100F.
func (s *Service) QueueLink(ctx context.Context, caller Caller, m Member, g groups.Group) (id mail.ID, err error) {
	err = s.asAdmin(caller, func() error {
		id, err = s.sendLink(ctx, caller, m, g)
		return err
	})
	s.audit(ctx, caller, Event{Kind: ResetForced, MemberID: m.ID, GroupID: g.ID}, err)
	return id, err
}

func (s *Service) sendLink(ctx context.Context, caller Caller, m Member, g groups.Group) (mail.ID, error) {
	if err := (Found{Member: m}).refusal(caller, true); err != nil {
		return mail.ID{}, err
	}
	return s.forceRequest(ctx, caller, m, ResetRequest{group: g})
}

// HandOver returns a link to set a password by, for an administrator to hand
// over, and until when it works. No mail is sent. Errors: 403 0101 for anyone
// but administrators; 1018, 1019.
func (s *Service) HandOver(ctx context.Context, caller Caller, m Member, g groups.Group) (url string, until time.Time, err error) {
	err = s.asAdmin(caller, func() error {
		url, until, err = s.handOver(ctx, caller, m, g)
		return err
	})
	s.audit(ctx, caller, Event{Kind: ResetForced, MemberID: m.ID, GroupID: g.ID}, err)
	return url, until, err
}

func (s *Service) handOver(ctx context.Context, caller Caller, m Member, g groups.Group) (url string, until time.Time, err error) {
	if err := (Found{Member: m}).refusal(caller, true); err != nil {
		return "", time.Time{}, err
	}
	order, err := s.adminOrder(m, g)
	if err != nil {
		return "", time.Time{}, err
	}
	if err := s.Store.AddHandedOver(ctx, order); err != nil {
		return "", time.Time{}, err
	}
	own := s.Templates.Settings(g.Chain())
	prefix := cmp.Or(own.LinkPrefix, cmp.Or(own.HostURL, s.Site.HostURL)+"/email")
	return link(prefix, order.Purpose, m.ID, s.Keys.Token(order.Purpose, order.ID, m.ID)), order.Expires, nil
}

// Welcome is the order to mail a member who was imported a link to set a
// password by, due at a time from which the link is valid; false if Welcomes is.
func (s *Service) Welcome(m Member, due time.Time) (Order, bool, error) {
	if !Welcomes(m) {
		return Order{}, false, nil
	}
	order, err := s.newOrderAt(due, Order{
		Template: SetPasswordTemplate, Reason: "admin", Purpose: password.Recovery, MemberID: m.ID, Addressed: true,
	}, s.TokenLife)
	return order, err == nil, err
}

// Welcomes reports whether a member who was imported is mailed a link: not API
// accounts, locked and disabled ones, and those without an address.
func Welcomes(m Member) bool {
	return m.Email != "" && !m.APIAccount && !m.Refused()
}

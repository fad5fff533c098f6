package members

import (
	"context"
	"errors"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// SiteSettings are the settings of Wix sites.
type SiteSettings struct {
	// SiteMailsPerDay is how many set-password mails a site may order in a day of UTC.
	SiteMailsPerDay int
	// Origins are those whose pages may call, beside those that sites list; as ParseOrigin returns them.
	Origins []string
}

// RecoveryLife is how long the link of a Wix mail is valid (contract 2.1).
const RecoveryLife = 3 * time.Hour

// Lengths of a password that is set by a recovery token, in characters
// (contract 2.2). The site's policy comes on top.
const (
	MinRecoveryPassword = 6
	MaxRecoveryPassword = 100
)

// ErrTokenExpired is wrapped by the refusal of a recovery token that would have
// been good earlier.
var ErrTokenExpired = errors.New("the token has expired")

// ErrRedirect says that a redirect URL is not on the site's list.
var ErrRedirect = errors.New("the redirect URL is not on the site's list")

// SetPasswordRequest asks for a mail by which a member sets a password (contract 2.1).
type SetPasswordRequest struct {
	Email             string
	HideIgnoreMessage bool
}

// RecoveryRequest asks for the same mail on a member's own behalf (contract 2.2).
type RecoveryRequest struct {
	Email       string
	Language    string     // a language tag, "": the member's
	RedirectURL string     // where the page leads in the end, "": nowhere
	Caller      SiteCaller // whose site it is; zero: SiteID or ClientID say
	SiteID      string     // of the header wix-site-id, "": none
	ClientID    string     // names the site if SiteID doesn't
}

// ValidEmail reports whether this installation mails to the address.
func (s *Service) ValidEmail(address string) bool { return validEmail(address, s.SMTPUTF8) }

func validEmail(address string, smtpUTF8 bool) bool {
	return mail.ValidAddress(address) || smtpUTF8 && mail.ValidUTF8Address(address)
}

// ValidLanguage reports whether s is a language tag such as en or pt-BR.
func ValidLanguage(s string) bool { return s != "" && languageFault(s) == "" }

// SendSetPassword orders the set-password mail for a member of the site's
// group. Whoever is not there, is locked, disabled or an API account gets no
// mail; the answer and the work are the same. All requests count. Error: F003
// when the site has had its mails of the day; F004.
func (s *Service) SendSetPassword(ctx context.Context, site WixSite, r SetPasswordRequest) error {
	return s.sendSiteMail(ctx, site, r.Email, Options{HideIgnoreMessage: r.HideIgnoreMessage})
}

// sendSiteMail orders a set-password mail that counts for the site's day.
func (s *Service) sendSiteMail(ctx context.Context, site WixSite, email string, o Options) error {
	a, err := s.newRecovery(ctx, site, email, o)
	if err != nil {
		return err
	}
	created := a.order.Created.Unix()
	quota := Quota{Site: site.ID, Day: int(created / secondsADay), Max: s.SiteMailsPerDay}
	ok, err := s.Store.AddSiteOrder(ctx, a.order, quota)
	if err != nil {
		return err
	}
	if !ok {
		e := errcodes.Wrap(errcodes.TooManyRequests, errors.New("the site's mails of the day are used up"))
		e.RetryAfter = int(secondsADay - created%secondsADay)
		s.audit(ctx, Caller{}, a.event, e)
		return e
	}
	s.ordered(ctx, a)
	return nil
}

const secondsADay = 24 * 60 * 60

// SendRecovery orders the same mail for anyone who asks. Without a site it
// reaches any member. Errors: 0101 for a site id that is not known, and for a
// client id of another site than the caller's; ErrRedirect, F004.
func (s *Service) SendRecovery(ctx context.Context, r RecoveryRequest) error {
	site, err := s.siteOf(ctx, r)
	if err != nil {
		s.audit(ctx, Caller{}, Event{Kind: ResetRequested, Identifier: fold.ASCII(r.Email)}, err)
		return err
	}
	if r.RedirectURL != "" && !site.Allows(r.RedirectURL) {
		s.audit(ctx, Caller{}, Event{Kind: ResetRequested, GroupID: site.GroupID, Identifier: fold.ASCII(r.Email)},
			errcodes.Wrap(errcodes.MalformedRequest, ErrRedirect))
		return ErrRedirect
	}
	a, err := s.newRecovery(ctx, site, r.Email, Options{Language: r.Language, RedirectURL: r.RedirectURL})
	if err != nil {
		return err
	}
	if err := s.Store.AddOrder(ctx, a.order); err != nil {
		return err
	}
	s.ordered(ctx, a)
	return nil
}

// siteOf returns the site that a request is about: the caller's, or the one
// that it names.
func (s *Service) siteOf(ctx context.Context, r RecoveryRequest) (WixSite, error) {
	if site := r.Caller.Site; !site.Zero() {
		if r.ClientID != "" && fold.ASCII(r.ClientID) != site.ClientID {
			return WixSite{}, errcodes.Wrap(errcodes.Forbidden, ErrForeignClient)
		}
		return site, nil
	}
	if r.SiteID == "" {
		// A client id that names no site is no error: it may be meant for the vendor alone.
		site, err := s.ClientSite(ctx, r.ClientID)
		if errors.Is(err, ErrClientID) {
			err = nil
		}
		return site, err
	}
	uuid, _ := ParseSiteID(r.SiteID) // "" names none
	site, err := s.Store.FindSite(ctx, uuid)
	if err == nil && site.Zero() {
		err = errcodes.Wrap(errcodes.Forbidden, errUnknownSite)
	}
	return site, err
}

// recovery is a recovery that was asked for: what to order and what to record.
type recovery struct {
	order   Order
	event   Event
	refusal error // why the order is addressed to nobody; nil: it isn't
}

// newRecovery looks once, whoever is asked for, and addresses the order to
// nobody if there is no one to mail to.
func (s *Service) newRecovery(ctx context.Context, site WixSite, email string, o Options) (a recovery, err error) {
	found, err := s.Store.FindMember(ctx, Lookup{Email: email, Group: site.GroupID})
	if err != nil {
		return a, err
	}
	a.event = Event{Kind: ResetRequested, MemberID: found.Member.ID, GroupID: site.GroupID, Identifier: fold.ASCII(email)}
	a.refusal = found.refusal(Caller{}, site.Zero())
	a.order, err = s.newOrder(Order{
		Template: SetPasswordTemplate,
		Reason:   "member",
		Purpose:  password.Recovery,
		MemberID: found.Member.ID, Addressed: a.refusal == nil,
		GroupID: site.GroupID,
		Options: o,
	}, RecoveryLife)
	return a, err
}

// ordered records a recovery that was ordered, and gets its mail going.
func (s *Service) ordered(ctx context.Context, a recovery) {
	s.audit(ctx, Caller{}, a.event, a.refusal)
	s.dispatch(ctx, Caller{}, false, a.order.ID)
}

// Recover sets the password of the member that a recovery token was mailed to,
// with all that contract 1.3 has follow. Errors: 102A for a token that is
// unknown, used, of another purpose or another site than the caller's (if there
// is one), or of a member that may not be reset, and for an expired one, which wraps ErrTokenExpired; 1015, 1016, F004. A refused
// password does not use up the token.
func (s *Service) Recover(ctx context.Context, site WixSite, token, pw string) error {
	hash := password.HashToken(token)
	var record FoundToken
	var found Found
	err := s.beforeHashing(ctx, hash, func() (err error) {
		if record, err = s.Store.FindToken(ctx, hash); err == nil {
			found, err = s.Store.FindMember(ctx, Lookup{ID: record.MemberID})
		}
		return err
	})
	if err != nil {
		return err
	}
	if !site.Zero() && record.GroupID != site.GroupID {
		record = FoundToken{}
	}
	err = s.recover(ctx, record, found, change{token: hash, password: pw})
	s.audit(ctx, Caller{}, Event{Kind: PasswordChanged, MemberID: found.Member.ID, GroupID: record.GroupID}, err)
	return err
}

func (s *Service) recover(ctx context.Context, t FoundToken, found Found, c change) (err error) {
	if err := t.recovers(found, s.Now()); err != nil {
		return err
	}
	if t.GroupID != 0 {
		if c.group, err = s.Store.FindGroupID(ctx, t.GroupID); err != nil {
			return err
		}
	}
	c.member, c.policy = found.Member, s.Policy.WithMax(MaxRecoveryPassword)
	return s.changePassword(ctx, Caller{}, c)
}

// recovers returns why a recovery token does not let the member set a password.
// That it has expired is told only if it would have been good.
func (t FoundToken) recovers(found Found, now time.Time) error {
	if found.refusal(Caller{}, true) != nil || !t.opens(found.Member, groups.Group{}, password.Recovery, t.Expires) {
		return errcodes.New(errcodes.InvalidToken)
	}
	if now.After(t.Expires) {
		return errcodes.Wrap(errcodes.InvalidToken, ErrTokenExpired)
	}
	return nil
}

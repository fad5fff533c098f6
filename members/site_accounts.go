package members

import (
	"context"
	"errors"
	"slices"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
)

// Reasons why somebody may not register.
var (
	ErrRegistrationClosed = errors.New("the site doesn't let people register")
	ErrEmailTaken         = errors.New("the email address is taken")
)

// SiteLogin signs a member of the site's group in and returns a session token.
// Anyone else is refused like a wrong password, at the same cost. Errors: 401
// 0101, F004.
func (s *Service) SiteLogin(ctx context.Context, site WixSite, email, pw string) (session string, m Member, err error) {
	session, token, err := s.newSiteToken(SiteToken{Kind: SessionToken, Site: site}, sessionLife)
	if err != nil {
		return "", Member{}, err
	}
	m, err = s.enter(ctx, signIn{name: email, password: pw, group: site.GroupID, token: token})
	if err != nil {
		return "", Member{}, err
	}
	s.audit(ctx, Caller{Member: m}, Event{Kind: SignedIn, MemberID: m.ID, GroupID: site.GroupID, Identifier: fold.ASCII(email), Detail: "session of a Wix site"}, nil)
	return session, m, nil
}

// Registration is somebody who wants to become a member of a site.
type Registration struct {
	Email     string
	Password  string
	Firstname string
	Surname   string
	Language  string
}

// Register adds a member of the site's group and returns a session token.
// Errors: ErrRegistrationClosed, ErrEmailTaken, 1015, 1016, F004.
func (s *Service) Register(ctx context.Context, site WixSite, r Registration) (session string, m Member, err error) {
	m, err = s.register(ctx, site, r)
	s.audit(ctx, Caller{}, Event{Kind: MemberAdded, MemberID: m.ID, GroupID: site.GroupID, Identifier: fold.ASCII(r.Email), Detail: "registered at a Wix site"}, refusal(err))
	if err != nil {
		return "", Member{}, err
	}
	session, token, err := s.newSiteToken(SiteToken{Kind: SessionToken, Site: site, Member: m}, sessionLife)
	if err != nil {
		return "", Member{}, err
	}
	return session, m, s.issue(ctx, Issue{Token: token, Keep: MaxMemberTokens})
}

// refusal returns what a security event says of a registration that failed.
func refusal(err error) error {
	if errors.Is(err, ErrRegistrationClosed) || errors.Is(err, ErrEmailTaken) {
		return errcodes.Wrap(errcodes.Forbidden, err)
	}
	return err
}

func (s *Service) register(ctx context.Context, site WixSite, r Registration) (Member, error) {
	if !site.AllowRegister {
		return Member{}, ErrRegistrationClosed
	}
	g, err := s.Store.FindGroupID(ctx, site.GroupID)
	if err != nil {
		return Member{}, err
	}
	now := s.Now()
	m := Member{
		Email: r.Email, Firstname: r.Firstname, Surname: r.Surname, Language: r.Language,
		Status: Activated, Created: now, Activated: now, LastPasswordChange: now,
	}
	ctx = asClient(ctx)
	if m.Password, err = s.hashNew(ctx, s.Policy.WithMax(MaxRecoveryPassword), r.Password, m, g); err != nil {
		return Member{}, err
	}
	added := NewMember{Member: m, Groups: []int64{site.GroupID}}
	if err := Validate(added, s.SMTPUTF8); err != nil {
		return Member{}, errcodes.Wrap(errcodes.MalformedRequest, err)
	}
	ids, err := s.Store.AddMembers(ctx, []NewMember{added})
	if taken := (*TakenError)(nil); errors.As(err, &taken) {
		return Member{}, ErrEmailTaken
	}
	if err != nil {
		return Member{}, err
	}
	m.ID = ids[0]
	return m, nil
}

// ChangeOwnPassword sets the password of the member who is signed in, with all
// that contract 1.3 has follow, but leaves the caller's own tokens. Errors: 0101
// if nobody is signed in; 1015, 1016, F004.
func (s *Service) ChangeOwnPassword(ctx context.Context, c SiteCaller, pw string) error {
	m := c.Token.Member
	if m.Zero() {
		return errcodes.Wrap(errcodes.Forbidden, errNotSignedIn)
	}
	err := s.changeOwn(ctx, c, pw)
	s.audit(ctx, Caller{Member: m}, Event{Kind: PasswordChanged, MemberID: m.ID, GroupID: c.Site.GroupID}, err)
	return err
}

var errNotSignedIn = errors.New("nobody is signed in")

func (s *Service) changeOwn(ctx context.Context, c SiteCaller, pw string) error {
	g, err := s.Store.FindGroupID(ctx, c.Site.GroupID)
	if err != nil {
		return err
	}
	err = s.changePassword(ctx, Caller{}, change{
		member: c.Token.Member, group: g, password: pw, keepGrant: c.Token.Grant, policy: s.Policy.WithMax(MaxRecoveryPassword),
	})
	if errors.Is(err, errcodes.New(errcodes.InvalidToken)) {
		return errcodes.BadCredentials(ErrSiteAccess) // locked or disabled meanwhile
	}
	return err
}

// SendActivation orders the set-password mail for the member of that id, as an
// administrator of the site asks. Errors: 100E for nobody of that id in the
// site's group, F003 when the site has had its mails of the day, ErrRedirect.
func (s *Service) SendActivation(ctx context.Context, site WixSite, member int64, o Options) error {
	if o.RedirectURL != "" && !site.Allows(o.RedirectURL) {
		return ErrRedirect
	}
	m, err := s.SiteMember(ctx, site, member)
	if err != nil {
		return err
	}
	return s.sendSiteMail(ctx, site, m.Email, o)
}

// SiteMember returns the member of that id in the site's group. Error: 100E.
func (s *Service) SiteMember(ctx context.Context, site WixSite, id int64) (Member, error) {
	found, err := s.Store.FindMember(ctx, Lookup{ID: id, Group: site.GroupID})
	if err != nil {
		return Member{}, err
	}
	if found.Member.Zero() || !found.InGroup {
		return Member{}, errcodes.New(errcodes.NoSuchMember)
	}
	return found.Member, nil
}

// MemberQuery selects members of a site's group. Empty fields don't select.
type MemberQuery struct {
	ID       FieldFilter // values in decimal
	Email    FieldFilter // folded
	Order    MemberOrder
	Backward bool
	Offset   int
	Limit    int
}

// FieldFilter selects by one field.
type FieldFilter struct {
	In     []string // one of these; nil: any
	NotIn  []string
	Prefix string
}

// Restrict lets only values through that are among these, too.
func (f *FieldFilter) Restrict(values []string) {
	if f.In == nil {
		f.In = append([]string{}, values...)
		return
	}
	f.In = slices.DeleteFunc(f.In, func(v string) bool { return !slices.Contains(values, v) })
}

// MemberOrder is what members are sorted by; ties go by id.
type MemberOrder string

// The orders.
const (
	ByID        MemberOrder = "id"
	ByEmail     MemberOrder = "email"
	ByCreated   MemberOrder = "created"
	ByLastLogin MemberOrder = "last-login"
)

// QueryMembers returns a page of the site's members and how many match in all.
func (s *Service) QueryMembers(ctx context.Context, site WixSite, q MemberQuery) ([]Member, int, error) {
	return s.Store.GroupMembers(ctx, site.GroupID, q)
}

// AllowsOrigin reports whether pages of an origin may call: one of the
// configuration, or that a Wix site lists. Origins are compared exactly (contract
// 1.2).
func (s *Service) AllowsOrigin(ctx context.Context, origin string) (bool, error) {
	parsed, err := ParseOrigin(origin)
	if err != nil || parsed != origin {
		return false, nil
	}
	if slices.Contains(s.Origins, origin) {
		return true, nil
	}
	return s.Store.SiteAllowsOrigin(ctx, origin)
}

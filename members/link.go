package members

import (
	"cmp"
	"context"
	"errors"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/password"
)

// Link is what the link of a mail carries: a member and their token, or a
// recovery token alone (contract 1.9 and 2.2).
type Link struct {
	MemberID int64 // 0 with a recovery token
	Token    string
}

// LinkState says what a link is good for.
type LinkState int

// The states of a link. Only who holds a token that was issued gets to see
// more than LinkUnknown, which is also the state of another member's token and
// of an account that can't be reset.
const (
	LinkUnknown LinkState = iota
	LinkGood
	LinkExpired
	LinkUsed // spent, or void since another one was
)

// LinkDetail is what a page shows about a link. Group is set wherever the
// token is known, Member for a good link alone.
type LinkDetail struct {
	State    LinkState
	Member   Member
	Group    groups.Group // zero: the service without a group
	Language string       // BCP 47: that the request asked for, or else the member's; "": neither
	// RedirectURL is where the request asked to continue, "": nowhere. It was
	// on its site's list then.
	RedirectURL string
}

// DescribeLink tells about a link without spending it, however often.
func (s *Service) DescribeLink(ctx context.Context, l Link) (LinkDetail, error) {
	if !password.WellFormed(l.purpose(), l.Token) {
		return LinkDetail{}, nil
	}
	record, err := s.Store.FindToken(ctx, password.HashToken(l.Token))
	if err != nil || !record.issuedFor(l) {
		return LinkDetail{}, err
	}
	d := LinkDetail{State: LinkGood, Language: record.Options.Language, RedirectURL: record.Options.RedirectURL}
	if record.GroupID != 0 {
		if d.Group, err = s.Store.FindGroupID(ctx, record.GroupID); err != nil {
			return LinkDetail{}, err
		}
	}
	switch {
	case record.Used:
		d.State = LinkUsed
	case s.Now().After(record.Expires):
		d.State = LinkExpired
	default:
		return s.withMember(ctx, d, record.MemberID)
	}
	return d, nil
}

func (l Link) purpose() password.Purpose {
	if l.MemberID == 0 {
		return password.Recovery
	}
	return password.Reset
}

func (t FoundToken) issuedFor(l Link) bool {
	return t.MemberID > 0 && t.Purpose == l.purpose() && (l.MemberID == 0 || l.MemberID == t.MemberID)
}

// withMember adds the member to a good link; accounts that can't be reset make it unknown.
func (s *Service) withMember(ctx context.Context, d LinkDetail, id int64) (LinkDetail, error) {
	found, err := s.Store.FindMember(ctx, Lookup{ID: id})
	if err != nil {
		return LinkDetail{}, err
	}
	d.Member, d.Language = found.Member, cmp.Or(d.Language, found.Member.Language)
	if m := d.Member; m.Zero() || m.APIAccount || m.Refused() {
		d.State, d.Member = LinkUnknown, Member{}
	}
	return d, nil
}

// CompleteLink sets the password of the member whose link it is, as step 2 of
// the services does, and returns what is to be known about the link, with
// errors too. A refused password does not spend it.
//
// Errors: 102A if the link is not good (the detail says why), 1015, 1016, F004.
func (s *Service) CompleteLink(ctx context.Context, l Link, pw string) (LinkDetail, error) {
	d, err := s.describeBeforeHashing(ctx, l)
	if err != nil {
		return d, err
	}
	if d.State != LinkGood {
		err = errcodes.New(errcodes.InvalidToken)
		s.audit(ctx, Caller{}, Event{Kind: PasswordChanged, MemberID: d.Member.ID, GroupID: d.Group.ID}, err)
		return d, err
	}
	err = s.changePassword(ctx, Caller{}, change{
		member: d.Member, group: d.Group, token: password.HashToken(l.Token), password: pw, async: true,
	})
	s.audit(ctx, Caller{}, Event{Kind: PasswordChanged, MemberID: d.Member.ID, GroupID: d.Group.ID}, err)
	if errors.Is(err, errcodes.New(errcodes.InvalidToken)) { // another request was faster
		d.State = LinkUsed
	}
	return d, err
}

func (s *Service) describeBeforeHashing(ctx context.Context, l Link) (d LinkDetail, err error) {
	err = s.beforeHashing(ctx, password.HashToken(l.Token), func() (err error) {
		d, err = s.DescribeLink(ctx, l)
		return err
	})
	return d, err
}

// Judgement is what the policy says about a password.
type Judgement struct {
	Score password.Score
	Fault error // 1015 or 1016 with the reason as its cause; nil for a good one
}

// JudgePassword measures a password for the member whose link it is, by the
// same rules as CompleteLink. Errors: 102A if the link is not good, F004.
func (s *Service) JudgePassword(ctx context.Context, l Link, pw string) (Judgement, error) {
	d, err := s.describeBeforeHashing(ctx, l)
	if err != nil {
		return Judgement{}, err
	}
	if d.State != LinkGood {
		return Judgement{}, errcodes.New(errcodes.InvalidToken)
	}
	ctx = asMember(ctx, d.Member)
	var j Judgement
	err = s.Hasher.Run(ctx, func() { j.Score = s.Policy.Strength(pw, s.subject(d.Member, d.Group)) })
	if err != nil {
		return Judgement{}, hashingFault(err)
	}
	j.Fault = s.checkPassword(ctx, pw, d.Member, d.Group)
	return j, nil
}

// subject is the member as the password policy knows them.
func (s *Service) subject(m Member, g groups.Group) password.Subject {
	return m.Subject(s.Site.Name, g)
}

// Subject is the member as the password policy knows them, at a site of that
// name, in a group if it isn't zero.
func (m Member) Subject(site string, g groups.Group) password.Subject {
	return password.Subject{
		Username: m.Username, Email: m.Email, Firstname: m.Firstname, Surname: m.Surname,
		Admin: m.Admin, Context: []string{site, g.Name, g.Title},
	}
}

// AllGroups returns every group, by name.
func (s *Service) AllGroups(ctx context.Context) ([]groups.Group, error) {
	return s.Store.ListGroups(ctx)
}

// Strength measures a password of nobody in particular (contract 1.5). Error: F004.
func (s *Service) Strength(ctx context.Context, pw string) (score password.Score, err error) {
	err = s.Hasher.Run(asClient(ctx), func() { score = s.Policy.Strength(pw, s.subject(Member{}, groups.Group{})) })
	if err != nil {
		return 0, hashingFault(err)
	}
	return score, nil
}

package members

import (
	"context"
	"strings"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/groups"
)

// Membership is a member's place in a group (contract 1.10).
type Membership struct {
	ID           int64 // 0: none
	Member       Member
	Group        groups.Group
	Role         groups.Role
	Notification groups.Notification
	EmailListed  bool      // other members of the group see the address
	Created      time.Time // zero: not known
}

// NewMembership returns a membership with the defaults.
func NewMembership(group, member int64) Membership {
	return Membership{
		Group: groups.Group{ID: group}, Member: Member{ID: member},
		Role: groups.Contributor, Notification: groups.Immediate,
	}
}

// MembershipSearch is what members of a group are looked for by. Empty values
// are not asked for; texts are compared after Fold.
type MembershipSearch struct {
	Email, Username, Firstname, Surname string
	Role                                groups.Role
	After                               int64 // members with an id above this one
	Page, PageSize                      int   // from 1; at most MaxPage
}

// byShown looks by the address if one is given as the username: so members
// without a username show (contract 1.6).
func (q MembershipSearch) byShown() MembershipSearch {
	if strings.Contains(q.Username, "@") && (q.Email == "" || fold.ASCII(q.Email) == fold.ASCII(q.Username)) {
		q.Email, q.Username = q.Username, ""
	}
	return q
}

// MaxPage is how many memberships a page has at most.
const MaxPage = 1000

// Memberships returns the member that {member} names with the memberships in
// all groups, by the groups' names; "" is the caller. Errors: 403 0101 for
// anyone but the member and administrators; 0106 as Profile.
func (s *Service) Memberships(ctx context.Context, caller Caller, name string) (Profile, []Membership, error) {
	m := caller.Member
	if name != "" {
		p, err := s.Profile(ctx, caller, name, "")
		if err != nil {
			return Profile{}, nil, err
		}
		m = p.Member
	}
	if m.Zero() {
		return Profile{}, nil, errcodes.New(errcodes.Forbidden)
	}
	list, err := s.Store.MembershipsOf(ctx, m.ID)
	return s.profile(m, true), list, err
}

// Group returns a group to its members and to administrators. Errors: 403 0101, 0202.
func (s *Service) Group(ctx context.Context, caller Caller, name string) (groups.Group, error) {
	g, _, err := s.groupFor(ctx, caller, name)
	return g, err
}

// groupFor returns a group and the caller's membership in it, zero for an
// administrator who has none. Errors: 403 0101, 0202.
func (s *Service) groupFor(ctx context.Context, caller Caller, name string) (groups.Group, Membership, error) {
	if caller.Member.Zero() {
		return groups.Group{}, Membership{}, errcodes.New(errcodes.Forbidden)
	}
	g, err := s.FindGroup(ctx, name)
	if err != nil {
		return g, Membership{}, err
	}
	own, err := s.Store.FindMembership(ctx, g.ID, caller.Member.ID)
	if err == nil && own.ID == 0 && !caller.Admin() {
		err = errcodes.New(errcodes.Forbidden)
	}
	return g, own, err
}

// Membership returns a member's membership in a group to that member and to
// administrators. Errors: 403 0101, 0107 for an unknown group, 0106 for an
// unknown member, 1022 for one who doesn't belong to the group.
func (s *Service) Membership(ctx context.Context, caller Caller, group, name string) (Membership, error) {
	if caller.Member.Zero() {
		return Membership{}, errcodes.New(errcodes.Forbidden)
	}
	m, err := s.named(ctx, name)
	if err != nil {
		return Membership{}, err
	}
	if !caller.Admin() && m.ID != caller.Member.ID {
		return Membership{}, errcodes.New(errcodes.Forbidden)
	}
	g, err := s.FindGroup(ctx, group)
	if errcodes.From(err).Code == errcodes.MissingGroup {
		return Membership{}, errcodes.New(errcodes.GroupNotFound)
	}
	if err != nil {
		return Membership{}, err
	}
	if m.Zero() {
		return Membership{}, errcodes.New(errcodes.MemberNotFound)
	}
	found, err := s.Store.FindMembership(ctx, g.ID, m.ID)
	if err == nil && found.ID == 0 {
		err = errcodes.New(errcodes.NotInGroup)
	}
	return found, err
}

// FindMemberships returns the group and those of its members that a search
// finds, by id: to members of the group who are no guests, and to
// administrators; with details only to managers. Addresses that are not listed
// are left out for all others. Errors: 403 0101, 0202.
func (s *Service) FindMemberships(ctx context.Context, caller Caller, group string, q MembershipSearch, details bool) (groups.Group, []Membership, error) {
	g, own, err := s.groupFor(ctx, caller, group)
	if err != nil {
		return g, nil, err
	}
	manages := caller.Admin() || own.Role.Manages()
	if !manages && (details || own.Role == groups.Guest) {
		return g, nil, errcodes.New(errcodes.Forbidden)
	}
	q = q.byShown()
	list, err := s.Store.SearchMemberships(ctx, g.ID, q)
	if err != nil || manages {
		return g, list, err
	}
	shown := list[:0]
	for _, m := range list {
		hidden := !m.EmailListed && m.Member.ID != caller.Member.ID
		if hidden && q.Email != "" {
			continue // that it was found would tell whose the address is
		}
		if hidden {
			m.Member.Email = ""
		}
		shown = append(shown, m)
	}
	return g, shown, nil
}

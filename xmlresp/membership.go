package xmlresp

import (
	"time"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

// GroupDoc is the group element, or the project element of one that others
// belong to (contract 1.10).
type GroupDoc struct{ Group groups.Group }

func (d GroupDoc) element() element { return groupElement(d.Group) }

func groupElement(g groups.Group) element {
	name := "group"
	if g.IsProject {
		name = "project"
	}
	e := element{name: name, attrs: []attr{
		{name: "id", value: g.ID}, {name: "name", value: g.Name}, {json: "type", value: name},
	}}
	if g.Title != "" {
		e.attrs = append(e.attrs, attr{name: "title", value: g.Title})
	}
	e.attrs = append(e.attrs,
		attr{name: "description", value: g.Description}, attr{name: "owner", value: g.Owner()},
		attr{name: "access", value: "member"}, attr{name: "common", value: false})
	return e
}

// MembershipDoc is a membership with what it is between (contract 1.10).
type MembershipDoc struct {
	Membership members.Membership
	Zone       *time.Location
}

func (d MembershipDoc) element() element {
	e := membershipElement(d.Membership, d.Zone)
	member := MemberDoc{Member: d.Membership.Member, Admin: d.Membership.Member.Admin, Zone: d.Zone}
	e.children = []element{member.element(), groupElement(d.Membership.Group)}
	return e
}

// membershipElement returns a membership's own attributes.
func membershipElement(m members.Membership, zone *time.Location) element {
	e := element{name: "membership", list: "memberships", attrs: []attr{
		{name: "id", value: m.ID}, {name: "email-listed", json: "emailListed", value: m.EmailListed},
		{name: "notification", value: string(m.Notification)}, {name: "status", value: "normal"},
		{name: "role", value: string(m.Role)},
	}}
	if created := (MemberDoc{Zone: zone}).date(m.Created); created != "" {
		e.attrs = append(e.attrs, attr{name: "created", value: created})
	}
	return e
}

// MembershipsDoc is a member with the memberships in all groups (contract 1.10).
type MembershipsDoc struct {
	Member      MemberDoc
	Memberships []members.Membership
}

func (d MembershipsDoc) element() element {
	e := element{name: "memberships", lists: []string{"memberships"}, children: []element{d.Member.element()}}
	for _, m := range d.Memberships {
		own := membershipElement(m, d.Member.Zone)
		own.children = []element{groupElement(m.Group)}
		e.children = append(e.children, own)
	}
	return e
}

// GroupMembershipsDoc is a group with memberships in it (contract 1.10).
type GroupMembershipsDoc struct {
	Group       groups.Group
	Memberships []members.Membership
	Zone        *time.Location
}

func (d GroupMembershipsDoc) element() element {
	e := element{
		name: "memberships", lists: []string{"memberships"},
		attrs:    []attr{{name: "count", value: int64(len(d.Memberships))}},
		children: []element{groupElement(d.Group)},
	}
	for _, m := range d.Memberships {
		own := membershipElement(m, d.Zone)
		own.children = []element{MemberDoc{Member: m.Member, Admin: m.Member.Admin, Zone: d.Zone}.element()}
		e.children = append(e.children, own)
	}
	return e
}

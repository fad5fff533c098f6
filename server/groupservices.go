package server

import (
	"context"
	"net/http"
	"strconv"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/xmlresp"
)

// Groups is what the services about groups and memberships need of the use cases.
type Groups interface {
	Group(ctx context.Context, caller members.Caller, name string) (groups.Group, error)
	Membership(ctx context.Context, caller members.Caller, group, name string) (members.Membership, error)
	Memberships(ctx context.Context, caller members.Caller, name string) (members.Profile, []members.Membership, error)
	FindMemberships(ctx context.Context, caller members.Caller, group string, q members.MembershipSearch, details bool) (groups.Group, []members.Membership, error)
}

// groupEndpoints are the services about groups and memberships.
func (s *server) groupEndpoints() []endpoint {
	return []endpoint{
		{http.MethodGet, "/self/memberships", s.opening(s.memberships), "getOwnMemberships", "The caller's memberships; with Basic it opens a session", signInParams(), membershipsDoc(), noMember, bySignedIn},
		{http.MethodGet, "/members/{member}/memberships", s.opening(s.memberships), "getMemberships", "A member's memberships; with Basic it opens a session", signInParams(), membershipsDoc(), []errcodes.Code{errcodes.MissingMember, errcodes.MemberNotFound}, bySignedIn},
		{http.MethodGet, "/groups/{group}", s.signedIn(s.group), "getGroup", "A group or project", nil, groupDoc(), []errcodes.Code{errcodes.MissingGroup}, bySignedIn},
		{http.MethodGet, "/groups/{group}/members/find", s.signedIn(s.findMembers), "findMembers", "Memberships of a group whose members match exactly, but for letter case",
			append([]string{"email", "member-username", "firstname", "surname", "member-role"}, pageParams...), groupMembershipsDoc(), []errcodes.Code{errcodes.MissingGroup}, bySignedIn},
		{http.MethodGet, "/groups/{group}/members/alldetails", s.signedIn(s.membersDetails), "listMembers", "All memberships of a group", pageParams, groupMembershipsDoc(), []errcodes.Code{errcodes.MissingGroup}, bySignedIn},
		{http.MethodGet, "/groups/{group}/members/{member}", s.signedIn(s.membership), "getMembership", "A membership", nil, membershipDoc(),
			[]errcodes.Code{errcodes.GroupNotFound, errcodes.MissingGroup, errcodes.MemberNotFound, errcodes.NotInGroup}, bySignedIn},
	}
}

// memberships answers /self/memberships and /members/{member}/memberships (contract 1.5).
func (s *server) memberships(c *call) (xmlresp.Document, error) {
	p, list, err := s.Groups.Memberships(c.Context(), c.caller, c.variable("member"))
	if err != nil {
		return nil, err
	}
	return xmlresp.MembershipsDoc{Member: s.memberDoc(p), Memberships: list}, nil
}

// group answers GET /groups/{group} (contract 1.5).
func (s *server) group(c *call) (xmlresp.Document, error) {
	g, err := s.Groups.Group(c.Context(), c.caller, c.variable("group"))
	if err != nil {
		return nil, err
	}
	return xmlresp.GroupDoc{Group: g}, nil
}

// membership answers GET /groups/{group}/members/{member} (contract 1.5).
func (s *server) membership(c *call) (xmlresp.Document, error) {
	m, err := s.Groups.Membership(c.Context(), c.caller, c.variable("group"), c.variable("member"))
	if err != nil {
		return nil, err
	}
	return xmlresp.MembershipDoc{Membership: m, Zone: s.Zone}, nil
}

func (s *server) findMembers(c *call) (xmlresp.Document, error)    { return s.searchGroup(c, false) }
func (s *server) membersDetails(c *call) (xmlresp.Document, error) { return s.searchGroup(c, true) }

// searchGroup answers find and alldetails (contract 1.5).
func (s *server) searchGroup(c *call, details bool) (xmlresp.Document, error) {
	q, err := readSearch(c.params)
	if err != nil {
		return nil, err
	}
	g, list, err := s.Groups.FindMemberships(c.Context(), c.caller, c.variable("group"), q, details)
	if err != nil {
		return nil, err
	}
	return xmlresp.GroupMembershipsDoc{Group: g, Memberships: list, Zone: s.Zone}, nil
}

// readSearch reads the parameters of find; alldetails has the pages alone in
// common with it. Errors: F006 for a page that is no number or a role that
// doesn't exist.
func readSearch(p request.Params) (q members.MembershipSearch, err error) {
	q = members.MembershipSearch{
		Email: p.Get("email"), Username: p.Get("member-username"),
		Firstname: p.Get("firstname"), Surname: p.Get("surname"), Role: groups.Role(p.Get("member-role")),
		Page: 1, PageSize: members.MaxPage,
	}
	if q.Role != "" && !q.Role.Valid() {
		return q, errcodes.New(errcodes.MalformedRequest)
	}
	for name, value := range map[string]*int{"page": &q.Page, "pagesize": &q.PageSize} {
		if p.Get(name) == "" {
			continue
		}
		n, err := strconv.ParseUint(p.Get(name), 10, 20)
		if err != nil || n == 0 {
			return q, request.Malformed(err)
		}
		*value = int(n)
	}
	return q, nil
}

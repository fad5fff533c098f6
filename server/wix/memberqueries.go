package wix

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
)

// memberAnswer is the answer of getMember and getCurrentMember.
type memberAnswer struct {
	Member member `json:"member"`
}

// membersAnswer is the answer of queryMembers.
type membersAnswer struct {
	Members  []member `json:"members"`
	Metadata struct {
		Count          int  `json:"count"`
		Offset         int  `json:"offset"`
		Total          int  `json:"total"`
		TooManyToCount bool `json:"tooManyToCount"`
	} `json:"metadata"`
}

// currentMember answers getCurrentMember.
func (s services) currentMember(r *http.Request) (any, error) {
	c, err := s.member(r)
	if err != nil {
		return nil, err
	}
	f := fields{violations: new([]violation)}
	set := f.fieldset(r.URL.Query()["fieldsets"])
	if err := f.fault(); err != nil {
		return nil, err
	}
	return memberAnswer{newMember(c.Token.Member, set)}, nil
}

// getMember answers getMember for programs with an API key, and for the member
// herself.
func (s services) getMember(r *http.Request) (any, error) {
	c, err := s.atSite(r)
	if err != nil {
		return nil, err
	}
	f := fields{violations: new([]violation)}
	set := f.fieldset(r.URL.Query()["fieldsets"])
	id, ok := parseMemberID(mux.Vars(r)["id"])
	if !ok {
		f.format("id", "must be a GUID", "GUID")
	}
	if err := f.fault(); err != nil {
		return nil, err
	}
	if !c.Key && c.Token.Member.ID != id {
		return nil, application(http.StatusForbidden, "PERMISSION_DENIED", "This takes an API key that may manage members")
	}
	m, err := s.SiteMember(r.Context(), c.Site, id)
	if err != nil {
		return nil, err
	}
	return memberAnswer{newMember(m, set)}, nil
}

// Limits of queryMembers; a page of 100 at most is the vendor's.
const (
	defaultPage = 50
	largestPage = 100
	maxOffset   = 1_000_000
	maxValues   = 100 // of a filter
)

// queryMembers answers queryMembers: filters by id and loginEmail, paging and
// sorting.
func (s services) queryMembers(r *http.Request) (any, error) {
	site, err := s.manager(r)
	if err != nil {
		return nil, err
	}
	f, err := s.object(r)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, raw := range f.array("fieldsets") {
		name, _ := text(raw)
		names = append(names, name)
	}
	set := f.fieldset(names)
	q := f.object("query").memberQuery()
	if err := f.fault(); err != nil {
		return nil, err
	}
	list, total, err := s.QueryMembers(r.Context(), site, q)
	if err != nil {
		return nil, err
	}
	a := membersAnswer{Members: []member{}}
	for _, m := range list {
		a.Members = append(a.Members, newMember(m, set))
	}
	a.Metadata.Count, a.Metadata.Offset, a.Metadata.Total = len(list), q.Offset, total
	return a, nil
}

// memberQuery reads the query of queryMembers.
func (f fields) memberQuery() members.MemberQuery {
	paging := f.object("paging")
	q := members.MemberQuery{
		Order:  members.ByID,
		Limit:  paging.integer("limit", defaultPage, 0, largestPage),
		Offset: paging.integer("offset", 0, 0, maxOffset),
	}
	f.filter("filter", &q)
	f.order(&q)
	return q
}

// order reads how to sort. The SDK sends sort, the reference says sorting.
func (f fields) order(q *members.MemberQuery) {
	name := "sort"
	list := f.array(name)
	if list == nil {
		name = "sorting"
		list = f.array(name)
	}
	if len(list) == 0 {
		return
	}
	inner := f.within(name, list[0])
	known := map[string]members.MemberOrder{
		"id": members.ByID, "loginEmail": members.ByEmail, "createdDate": members.ByCreated, "lastLoginDate": members.ByLastLogin,
	}
	order, ok := known[inner.required("fieldName")]
	if !ok || len(list) > 1 {
		f.violate(name, "can be one of id, loginEmail, createdDate, lastLoginDate", "OTHER", map[string]any{})
		return
	}
	q.Order, q.Backward = order, inner.text("order", 10) == "DESC"
}

// within returns the fields of a value.
func (f fields) within(name string, raw json.RawMessage) fields {
	inner := fields{path: f.path + name + ".", violations: f.violations}
	var ok bool
	if inner.pairs, ok = request.ReadObject(raw, maxFields); !ok {
		f.format(name, "must be an object", "OBJECT")
	}
	return inner
}

// filter adds what a filter asks for, all of which must hold.
func (f fields) filter(name string, q *members.MemberQuery) {
	inner := f.object(name)
	for _, p := range inner.pairs {
		switch p.Name {
		case "id", "_id":
			inner.condition(p, &q.ID, memberNumber)
		case "loginEmail":
			inner.condition(p, &q.Email, func(s string) string { return fold.ASCII(members.ASCIIAddress(s)) })
		case "$and":
			for _, raw := range inner.array("$and") {
				fields{pairs: []request.Pair{{Name: "$and", Value: raw}}, path: inner.path, violations: f.violations}.filter("$and", q)
			}
		default:
			f.violate(name, "can hold id and loginEmail only", "OTHER", map[string]any{})
		}
	}
}

// condition adds the condition on a field: a value, or operators.
func (f fields) condition(p request.Pair, to *members.FieldFilter, value func(string) string) {
	if single, ok := text(p.Value); ok {
		to.Restrict([]string{value(single)})
		return
	}
	inner := f.within(p.Name, p.Value)
	for _, op := range inner.pairs {
		values := inner.values(op, value)
		switch op.Name {
		case "$eq", "$in", "$hasSome":
			to.Restrict(values)
		case "$ne", "$nin":
			to.NotIn = append(to.NotIn, values...)
		case "$exists":
			if string(op.Value) == "false" {
				to.Restrict(nil)
			}
		case "$startsWith":
			if p.Name != "loginEmail" || len(values) != 1 || to.Prefix != "" {
				inner.violate(op.Name, "is for loginEmail, once", "OTHER", map[string]any{})
				continue
			}
			to.Prefix = values[0]
		default:
			f.violate(p.Name, "has an operator that is not known", "OTHER", map[string]any{})
		}
	}
}

// values returns the texts that an operator is given, one or several.
func (f fields) values(op request.Pair, value func(string) string) []string {
	if op.Name == "$exists" {
		if s := string(op.Value); s != "true" && s != "false" {
			f.format(op.Name, "must be a boolean", "BOOLEAN")
		}
		return nil
	}
	raw := []json.RawMessage{op.Value}
	if several := slices.Contains([]string{"$in", "$nin", "$hasSome"}, op.Name); several {
		raw = f.array(op.Name)
	}
	if len(raw) > maxValues {
		f.violate(op.Name, "holds too many values", "MAX_SIZE", map[string]any{"threshold": maxValues})
		return nil
	}
	var list []string
	for _, r := range raw {
		one, ok := text(r)
		if !ok {
			f.format(op.Name, "must be text", "STRING")
			return nil
		}
		list = append(list, value(one))
	}
	return list
}

// memberNumber returns a member's number in decimal for an id, and for what is
// no id a text that is no number.
func memberNumber(id string) string {
	n, ok := parseMemberID(id)
	if !ok {
		return "none"
	}
	return strconv.FormatInt(n, 10)
}

// fieldset returns the largest of the sets of fields that are asked for.
func (f fields) fieldset(names []string) string {
	largest := "PUBLIC"
	order := []string{"PUBLIC", "EXTENDED", "FULL"}
	for _, name := range names {
		if !slices.Contains(order, name) {
			f.format("fieldsets", "must be PUBLIC, EXTENDED or FULL", "ENUM")
		}
		if slices.Index(order, name) > slices.Index(order, largest) {
			largest = name
		}
	}
	return largest
}

// memberID returns a member's number.
func (f fields) memberID(name string) int64 {
	s := f.required(name)
	id, ok := parseMemberID(s)
	if s != "" && !ok {
		f.format(name, "must be a GUID", "GUID")
	}
	return id
}

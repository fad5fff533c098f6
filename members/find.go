package members

import (
	"context"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/groups"
)

// find finds whom a reset is about and returns the first error that contract
// 1.3 lists: 1008, 1002, 101A, 100E, 1018, 1019. It runs one statement, or none
// if the request names no member.
func (s *Service) find(ctx context.Context, caller Caller, r ResetRequest) (Found, error) {
	if r.namesNoMember() {
		return Found{}, errcodes.New(errcodes.IdentifierRequired)
	}
	if r.Email != "" && !s.ValidEmail(r.Email) {
		return Found{}, errcodes.New(errcodes.InvalidEmail)
	}
	found, err := s.Store.FindMember(ctx, r.lookup(caller))
	if err != nil {
		return Found{}, err
	}
	return found, found.refusal(caller, r.group.Zero())
}

// lookup names the member. An address as the username is what members without
// one show there (contract 1.6).
func (r ResetRequest) lookup(caller Caller) Lookup {
	l := Lookup{Email: r.Email, Username: r.Username, Group: r.group.ID, Caller: caller.Member.ID}
	if strings.Contains(l.Username, "@") && (l.Email == "" || fold.ASCII(l.Email) == fold.ASCII(l.Username)) {
		l.Email, l.Username = l.Username, ""
	}
	return l
}

func (r ResetRequest) namesNoMember() bool { return r.Email == "" && r.Username == "" }

// refusal returns why a found member may not be reset by the caller.
func (f Found) refusal(caller Caller, everywhere bool) error {
	reachable := everywhere || f.InGroup || f.CallerInGroup || caller.Admin()
	switch {
	case f.Conflict:
		return errcodes.New(errcodes.DifferentMembers)
	case f.Member.Zero() || !reachable:
		return errcodes.New(errcodes.NoSuchMember)
	case f.Member.APIAccount:
		return errcodes.New(errcodes.APIAccount)
	case f.Member.Refused():
		return errcodes.New(errcodes.AccountLocked)
	default:
		return nil
	}
}

// shows reports whether there is an error that the caller gets to see; what
// they don't see is request-successful in step 1 and 102A in step 2 (contract
// 1.3 and 1.7).
func (s *Service) shows(caller Caller, err error) bool {
	visible := true
	switch errcodes.Lookup(codeOf(err)).Audience {
	case errcodes.Administrators:
		visible = caller.Admin()
	case errcodes.Documented:
		visible = caller.Admin() || s.Disclosure == Documented
	}
	return visible && err != nil
}

// codeOf returns an error's code, in the same steps if there is none: what is
// done for a stranger alone takes microseconds when it is done seldom, and they
// can be measured (ENU-2).
func codeOf(err error) errcodes.Code {
	if err == nil {
		err = errcodes.New(errcodes.Internal)
	}
	return errcodes.From(err).Code
}

// FindGroup returns the group that a {group} names. Error: 0202.
func (s *Service) FindGroup(ctx context.Context, name string) (groups.Group, error) {
	g, err := NamedGroup(ctx, s.Store, name)
	if err == nil && g.Zero() {
		err = errcodes.New(errcodes.MissingGroup)
	}
	return g, err
}

// NamedGroup returns the group that people and clients mean by a name: a numeric
// id, a full name, or ~ and a full name (contract 1.1); the zero Group if there
// is none.
func NamedGroup(ctx context.Context, store GroupFinder, name string) (groups.Group, error) {
	if id, isID := ParseID(name); isID {
		return store.FindGroupID(ctx, id)
	}
	return store.FindGroup(ctx, strings.TrimPrefix(name, "~"))
}

// ParseID reads a numeric id: digits only, no sign (contract 1.1).
func ParseID(s string) (int64, bool) {
	id, err := strconv.ParseUint(s, 10, 63)
	return int64(id), err == nil && s[0] != '+'
}

package members

import (
	"context"
	"strconv"
	"strings"

	"reseed/errcodes"
	"reseed/groups"
	"reseed/mail"
)

// find finds whom a reset is about and returns the first error that contract
// 1.3 lists: 1008, 1002, 101A, 100E, 1018, 1019. It runs one statement, or none
// where the request names nobody.
func (s *Service) find(ctx context.Context, caller Caller, r ResetRequest) (Found, error) {
	if r.namesNobody() {
		return Found{}, errcodes.New(errcodes.IdentifierRequired)
	}
	if r.Email != "" && !mail.ValidAddress(r.Email) {
		return Found{}, errcodes.New(errcodes.InvalidEmail)
	}
	found, err := s.Resets.FindMember(ctx, Lookup{
		Email: r.Email, Username: r.Username, Group: r.group.ID, Caller: caller.Member.ID,
	})
	if err != nil {
		return Found{}, err
	}
	return found, found.refusal(caller, r.group.Zero())
}

func (r ResetRequest) namesNobody() bool { return r.Email == "" && r.Username == "" }

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

// codeOf returns an error's code, in the same steps where there is none: what is
// done for a stranger alone takes microseconds when it is done seldom, and they
// can be measured (ENU-2).
func codeOf(err error) errcodes.Code {
	if err == nil {
		err = errcodes.New(errcodes.Internal)
	}
	return errcodes.From(err).Code
}

// FindGroup returns the group that a {group} names: a numeric id, a full name,
// or ~ and a full name (contract 1.1). Error: 0202.
func (s *Service) FindGroup(ctx context.Context, name string) (g groups.Group, err error) {
	id, isID := ParseID(name)
	if isID {
		g, err = s.Groups.FindGroupID(ctx, id)
	} else {
		g, err = s.Groups.FindGroup(ctx, strings.TrimPrefix(name, "~"))
	}
	if err != nil {
		return g, err
	}
	if g.Zero() {
		return g, errcodes.New(errcodes.MissingGroup)
	}
	return g, nil
}

// ParseID reads a numeric id: digits only, no sign (contract 1.1).
func ParseID(s string) (int64, bool) {
	id, err := strconv.ParseUint(s, 10, 63)
	return int64(id), err == nil && s[0] != '+'
}

package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

// severalError is what is wrong with a line whose id, username and email name
// different members.
type severalError struct{ text string }

// Error says who is named.
func (e *severalError) Error() string { return e.text }

// existing returns the member that a line names, the zero Member if there is
// none. To be updated, all that the line names has to be one member's: else the
// error is a *severalError.
func (im *importer) existing(ctx context.Context, m members.NewMember, update bool) (members.Member, error) {
	var found members.Member
	var by string
	for _, l := range identifiers(m.Member) {
		if l.ID != 0 && !update {
			continue
		}
		f, err := im.FindMember(ctx, l.Lookup)
		switch {
		case err != nil:
			return found, err
		case f.Member.Zero():
		case found.Zero():
			found, by = f.Member, l.kind
		case f.Member.ID != found.ID:
			return found, &severalError{fmt.Sprintf("the %s is member %d's, and the %s member %d's", by, found.ID, l.kind, f.Member.ID)}
		}
	}
	if update && !found.Zero() && m.ID != 0 && m.ID != found.ID {
		return found, &severalError{fmt.Sprintf("the id is %d, but the %s is member %d's", m.ID, by, found.ID)}
	}
	return found, nil
}

// update puts what a line changes of a member into the batch: what it has a value
// for that is not there.
func (im *importer) update(ctx context.Context, before members.Member, m members.NewMember) error {
	u := members.MemberUpdate{MemberID: before.ID, Edit: edit(before, m), Line: m.Line}
	after := u.Edit.Applied(before, im.std.Now().UTC())
	joins, err := im.joins(ctx, before.ID, m, &u)
	if err != nil {
		return fmt.Errorf("find the groups of member %d: %w%s", before.ID, err, im.standing())
	}
	changes := members.Changes(before, after)
	if len(changes) == 0 && len(joins) == 0 && u.Edit.FirstPassword == "" {
		im.skipped++
		return nil
	}
	im.batch.Change = append(im.batch.Change, u)
	im.shown = append(im.shown, shownUpdate(u, changes, joins))
	return nil
}

// edit returns what a line changes about the member.
func edit(before members.Member, m members.NewMember) (e members.Edit) {
	for _, f := range []struct {
		to      **string
		is, new *string
	}{
		{&e.Username, &before.Username, &m.Username}, {&e.Email, &before.Email, &m.Email},
		{&e.Firstname, &before.Firstname, &m.Firstname}, {&e.Surname, &before.Surname, &m.Surname},
		{&e.Language, &before.Language, &m.Language},
	} {
		if *f.new != "" && *f.new != *f.is {
			*f.to = f.new
		}
	}
	if slices.Contains(m.Named, "admin") && m.Admin != before.Admin {
		e.Admin = &m.Admin
	}
	if slices.Contains(m.Named, "api_account") && m.APIAccount != before.APIAccount {
		e.APIAccount = &m.APIAccount
	}
	if before.Password == "" {
		e.FirstPassword = m.Password
	}
	// Else a first password would activate the member.
	if slices.Contains(m.Named, "status") && (m.Status != before.Status || e.FirstPassword != "") {
		e.Status = &m.Status
	}
	return e
}

// joins puts the memberships that a line adds or changes into the update, and
// returns the ids of their groups.
func (im *importer) joins(ctx context.Context, member int64, m members.NewMember, u *members.MemberUpdate) (changed []int64, err error) {
	if len(m.Groups)+len(m.Memberships) == 0 {
		return nil, nil
	}
	list, err := im.MembershipsOf(ctx, member)
	if err != nil {
		return nil, err
	}
	there := map[int64]members.Membership{}
	for _, s := range list {
		there[s.Group.ID] = s
	}
	for _, g := range m.Groups {
		if _, in := there[g]; !in && !slices.Contains(changed, g) {
			u.Groups = append(u.Groups, g)
			changed = append(changed, g)
		}
	}
	for _, s := range m.Memberships {
		old, in := there[s.Group.ID]
		if !in || !alike(old, s) {
			u.Memberships = append(u.Memberships, s)
			changed = append(changed, s.Group.ID)
		}
	}
	return changed, nil
}

// alike reports whether two memberships of a group give the same rights.
func alike(a, b members.Membership) bool {
	return a.Role == cmp.Or(b.Role, groups.Contributor) && a.Notification == cmp.Or(b.Notification, groups.Immediate) && a.EmailListed == b.EmailListed
}

// shownUpdate is the line that says what changes. Hashes are not shown.
func shownUpdate(u members.MemberUpdate, changes []members.FieldChange, joins []int64) string {
	var parts []string
	for _, c := range changes {
		parts = append(parts, fmt.Sprintf("%s %s -> %s", c.Field, shownValue(c.From), shownValue(c.To)))
	}
	if u.Edit.FirstPassword != "" {
		parts = append(parts, "password set")
	}
	for _, g := range joins {
		parts = append(parts, "group "+strconv.FormatInt(g, 10))
	}
	return printable(fmt.Sprintf("line %d: member %d: %s", u.Line, u.MemberID, strings.Join(parts, ", ")))
}

// shownValue is a field's value; "" is none.
func shownValue(s string) string {
	if s == "" {
		return "none"
	}
	return strconv.Quote(s)
}

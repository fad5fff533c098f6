package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

// xmlReader reads members from the vendor's XML: a member element, a list of
// them, or memberships elements with their members (contract 1.6 and 1.10).
type xmlReader struct {
	found []*etree.Element            // the first element of each member
	again map[string][]*etree.Element // all elements of a member, by id: one for each group
	now   time.Time
	n     int // of those that were read

	smtpUTF8 bool
}

// newXMLReader reads the whole document.
func newXMLReader(r io.Reader, now time.Time) (*xmlReader, error) {
	doc := etree.NewDocument()
	if _, err := doc.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("read the XML: %w", err)
	}
	x := &xmlReader{again: map[string][]*etree.Element{}, now: now}
	for _, e := range doc.FindElements("//member") {
		id := e.SelectAttrValue("id", "")
		if id == "" || x.again[id] == nil {
			x.found = append(x.found, e)
		}
		x.again[id] = append(x.again[id], e)
	}
	if len(x.found) == 0 {
		return nil, errors.New("the XML has no member element")
	}
	return x, nil
}

// elements returns all elements of the member that e is.
func (r *xmlReader) elements(e *etree.Element) []*etree.Element {
	if id := e.SelectAttrValue("id", ""); id != "" {
		return r.again[id]
	}
	return []*etree.Element{e}
}

// next returns the next member and the memberships, with their groups' names
// alone. Its Line is its number in the document. Error: io.EOF, or what is wrong
// with the member.
func (r *xmlReader) next() (m members.NewMember, joined []members.Membership, err error) {
	if r.n == len(r.found) {
		return m, nil, io.EOF
	}
	e := r.found[r.n]
	r.n++
	m.Line = r.n
	var faults []error
	m.ID = xmlID(e, &faults)
	m.Firstname, m.Surname = e.SelectAttrValue("firstname", ""), e.SelectAttrValue("surname", "")
	m.Username, m.Email = e.SelectAttrValue("username", ""), members.ASCIIAddress(e.SelectAttrValue("email", ""))
	m.Status = members.Status(e.SelectAttrValue("status", ""))
	m.Admin, m.Locked = e.SelectAttrValue("admin", "") == "true", e.SelectAttrValue("locked", "") == "true"
	m.Created = xmlTime(e, "created", &faults)
	m.Activated = xmlTime(e, "activated", &faults)
	m.LastLogin = xmlTime(e, "lastlogin", &faults)
	m.LastPasswordChange = xmlTime(e, "lastpasswordchange", &faults)
	withoutStandIns(&m.Member)
	m.Named = xmlNamed(e, m.Member)
	// The XML carries no password: who was activated sets a new one.
	if m.Status == members.Activated || m.Status == "" {
		m.Status = members.SetPassword
	}
	if m.Created.IsZero() {
		m.Created = r.now
	}
	for _, each := range r.elements(e) {
		joined = addMemberships(joined, xmlMemberships(each, &faults))
	}
	return m, joined, errors.Join(append(faults, members.Validate(m, r.smtpUTF8))...)
}

// xmlNamed returns the fields that the XML says something about that holds for a
// member who is there already, too: of the statuses only disabled does.
func xmlNamed(e *etree.Element, m members.Member) (named []string) {
	if e.SelectAttr("admin") != nil {
		named = append(named, "admin")
	}
	if m.Status == members.Disabled {
		named = append(named, "status")
	}
	return named
}

// withoutStandIns drops what is shown in place of a username or names.
func withoutStandIns(m *members.Member) {
	if strings.Contains(m.Username, "@") && fold.ASCII(members.ASCIIAddress(m.Username)) == fold.ASCII(m.Email) {
		m.Username = ""
	}
	bare := members.Member{ID: m.ID}
	if m.Firstname == bare.ShownFirstname() && m.Surname == bare.ShownSurname() {
		m.Firstname, m.Surname = "", ""
	}
}

func xmlID(e *etree.Element, faults *[]error) int64 {
	text := e.SelectAttrValue("id", "")
	if text == "" {
		return 0
	}
	id, err := strconv.ParseUint(text, 10, 63)
	if err != nil || id == 0 {
		*faults = append(*faults, errors.New("id is not a number from 1"))
	}
	return int64(id)
}

func xmlTime(e *etree.Element, name string, faults *[]error) time.Time {
	text := e.SelectAttrValue(name, "")
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		*faults = append(*faults, fmt.Errorf("%s is not a date such as 2016-02-25T13:48:12+11:00", name))
	}
	return t.UTC()
}

// addMemberships adds those of groups that are not there yet.
func addMemberships(joined, more []members.Membership) []members.Membership {
	for _, m := range more {
		if !slices.ContainsFunc(joined, func(j members.Membership) bool { return j.Group.Name == m.Group.Name }) {
			joined = append(joined, m)
		}
	}
	return joined
}

// xmlGroup returns the group of a membership: in it, or beside it where all are
// of one group (contract 1.10).
func xmlGroup(membership *etree.Element) *etree.Element {
	for _, place := range []*etree.Element{membership, membership.Parent()} {
		for _, tag := range []string{"group", "project"} {
			if place == nil {
				continue
			}
			if in := place.SelectElement(tag); in != nil {
				return in
			}
		}
	}
	return nil
}

// xmlMemberships returns the memberships beside a member, or around one.
func xmlMemberships(e *etree.Element, faults *[]error) []members.Membership {
	var list []*etree.Element
	switch parent := e.Parent(); {
	case parent != nil && parent.Tag == "memberships":
		list = parent.SelectElements("membership")
	case parent != nil && parent.Tag == "membership":
		list = []*etree.Element{parent}
	}
	var joined []members.Membership
	for _, s := range list {
		in := xmlGroup(s)
		if in == nil {
			continue
		}
		m := members.NewMembership(0, 0)
		m.Group.Name = in.SelectAttrValue("name", "")
		m.Role = groups.Role(s.SelectAttrValue("role", string(m.Role)))
		m.Notification = groups.Notification(s.SelectAttrValue("notification", string(m.Notification)))
		m.EmailListed = s.SelectAttrValue("email-listed", "") == "true"
		m.Created = xmlTime(s, "created", faults)
		if !m.Role.Valid() || !m.Notification.Valid() {
			*faults = append(*faults, errors.New("a membership has an unknown role or notification"))
		}
		joined = append(joined, m)
	}
	return joined
}

package xmlresp

import (
	"time"

	"github.com/reseed-project/reseed/members"
)

// MemberDoc is the member element (contract 1.6): the attributes of its example
// in the example's order, then the others it names.
type MemberDoc struct {
	Member members.Member
	Locked bool // by an administrator or, at this moment, after failed sign-ins
	Admin  bool // show admin="true"
	Zone   *time.Location
}

func (d MemberDoc) element() element {
	m := d.Member
	e := element{name: "member", attrs: []attr{{name: "id", value: m.ID}}}
	text := func(name, value string) {
		if value != "" {
			e.attrs = append(e.attrs, attr{name: name, value: value})
		}
	}
	text("firstname", m.ShownFirstname())
	text("surname", m.ShownSurname())
	e.attrs = append(e.attrs, attr{name: "username", value: m.ShownUsername()})
	text("email", m.Email)
	text("lastpasswordchange", d.date(m.LastPasswordChange))
	text("lastlogin", d.date(m.LastLogin))
	text("status", string(m.Status))
	if d.Admin {
		e.attrs = append(e.attrs, attr{name: "admin", value: true})
	}
	if d.Locked {
		e.attrs = append(e.attrs, attr{name: "locked", value: true})
	}
	text("created", d.date(m.Created))
	text("activated", d.date(m.Activated))
	e.children = []element{leaf("fullname", m.ShownFullname())}
	return e
}

// date returns ISO 8601 with offset and without fraction, "" for the zero time.
func (d MemberDoc) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	zone := d.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02T15:04:05-07:00")
}

// MemberUnlock answers the unlock service: a wrapped member (contract 1.5).
type MemberUnlock struct {
	Member  MemberDoc
	Account bool // named as before version 5.93
}

func (d MemberUnlock) element() element {
	e := element{name: "member-unlock", children: []element{d.Member.element()}}
	if d.Account {
		e.name = "member-account"
	}
	return e
}

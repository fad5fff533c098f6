package pages

import (
	"slices"
	"strconv"
	"time"

	"github.com/reseed-project/reseed/members"
)

// dossierData is a member as the help desk sees it.
type dossierData struct {
	ID        int64
	Name      string // of a person, "" if not known
	Facts     []deskFact
	Locked    bool
	Self      bool // one's own account, which can't be locked here
	Mails     []deskMail
	Events    []deskEvent
	CanUnlock bool
}

// deskFact is a line about a member: a text, a time, or both.
type deskFact struct {
	Label, Text string
	Time        *deskTime
}

// deskMail is a mail and what became of it.
type deskMail struct {
	ID, Kind, State string
	Bad             bool // failed for good
	To              string
	MemberID        int64
	Created         *deskTime
	Due             *deskTime // of the next try
	Attempts        int
	Outcome         string
	Retry           bool
}

// deskEvent is a security event.
type deskEvent struct {
	What, Code string
	At         *deskTime
	Actor      string
	Client     string
	Detail     string
}

// queueData is the queue of mails.
type queueData struct {
	Counts []deskFact
	Mails  []deskMail
}

func (d *deskRequest) dossierData(found members.Dossier) *dossierData {
	m := found.Member
	data := &dossierData{
		ID: m.ID, Name: m.Fullname(), Facts: d.facts(m),
		Locked: m.Locked, Self: m.ID == d.caller.Member.ID, CanUnlock: found.Locked,
	}
	for _, row := range found.Mails {
		data.Mails = append(data.Mails, d.deskMail(row))
	}
	for _, e := range found.Events {
		data.Events = append(data.Events, d.deskEvent(e))
	}
	return data
}

// deskAddress tells addresses apart that look alike when they are read.
func deskAddress(m members.Member) string {
	if readable := m.ReadableEmail(); readable != m.Email {
		return readable + " (" + m.Email + ")"
	}
	return m.Email
}

// facts are the lines about a member.
func (d *deskRequest) facts(m members.Member) []deskFact {
	facts := []deskFact{
		{Label: d.text("desk-username"), Text: m.Username},
		{Label: d.text("desk-email"), Text: deskAddress(m)},
		{Label: d.text("desk-status"), Text: d.text("desk-status-" + string(m.Status))},
		d.lockFact(m),
	}
	if m.Admin {
		facts = append(facts, deskFact{Label: d.text("desk-role"), Text: d.text("desk-role-admin")})
	}
	if m.APIAccount {
		facts = append(facts, deskFact{Label: d.text("desk-role"), Text: d.text("desk-role-api")})
	}
	for _, when := range []struct {
		key string
		at  time.Time
	}{{"desk-lastlogin", m.LastLogin}, {"desk-lastchange", m.LastPasswordChange}} {
		f := deskFact{Label: d.text(when.key), Time: d.deskTime(when.at)}
		if f.Time == nil {
			f.Text = d.text("desk-never")
		}
		facts = append(facts, f)
	}
	return slices.DeleteFunc(facts, func(f deskFact) bool { return f.Text == "" && f.Time == nil })
}

func (d *deskRequest) lockFact(m members.Member) deskFact {
	f := deskFact{Label: d.text("desk-lock"), Text: d.text("desk-lock-none")}
	switch {
	case m.Locked:
		f.Text = d.text("desk-lock-admin")
	case m.LockedForGood():
		f.Text = d.text("desk-lock-for-good")
	case m.LockedUntil.After(d.pages.Now()):
		f.Text, f.Time = d.text("desk-lock-until"), d.deskTime(m.LockedUntil)
	}
	return f
}

func (d *deskRequest) deskMail(r members.OrderStatus) deskMail {
	m := deskMail{
		ID: r.ID.String(), Kind: d.text("desk-mail-" + r.Template), State: d.text("desk-mail-state-" + string(r.State)),
		Bad: r.Failed(), To: r.Email, MemberID: r.MemberID, Created: d.deskTime(r.Created),
		Attempts: r.Attempts, Outcome: r.Outcome, Retry: r.Retriable(d.pages.Now()),
	}
	if r.Waits() {
		m.Due = d.deskTime(r.Due)
	}
	return m
}

func (d *deskRequest) deskEvent(e members.Event) deskEvent {
	return deskEvent{
		What: d.text("desk-event-" + string(e.Kind)), Code: e.Code, At: d.deskTime(e.At), Actor: e.Actor, Client: e.Client, Detail: e.Detail,
	}
}

func (d *deskRequest) queueData(q members.DeskQueue) *queueData {
	data := &queueData{}
	for _, c := range q.Counts {
		data.Counts = append(data.Counts, deskFact{Label: d.text("desk-mail-state-" + string(c.State)), Text: strconv.Itoa(c.Mails)})
	}
	for _, row := range q.Mails {
		data.Mails = append(data.Mails, d.deskMail(row))
	}
	return data
}

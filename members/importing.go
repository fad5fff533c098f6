package members

import "time"

// ImportBatch is what one transaction of an import does, all of it or nothing.
type ImportBatch struct {
	Add    []NewMember
	Change []MemberUpdate
	// Order makes the order to mail a member who was added a link to set a
	// password by; nil, or false: no mail.
	Order func(m Member) (Order, bool, error)
}

// MemberUpdate is what an import changes about a member.
type MemberUpdate struct {
	MemberID    int64
	Edit        Edit
	Groups      []int64      // to join in the default way, if the member is not in them
	Memberships []Membership // to join, or to change
	Line        int          // of the import file, for reports
}

// paceWindow is how much of an import's mails is ordered at once, in time: a
// server takes an order that is due an hour later for a fault of a clock.
const paceWindow = 15 * time.Minute

// Pace spreads the mails of an import, so that mails that somebody waits for
// are sent between them.
type Pace struct {
	PerMinute int
	next      time.Time
}

// Most is how many mails may be ordered at once.
func (p *Pace) Most() int { return int(paceWindow/time.Minute) * p.PerMinute }

// Next returns when the next mail is due.
func (p *Pace) Next(now time.Time) time.Time {
	if p.next.Before(now) {
		p.next = now
	}
	due := p.next
	p.next = due.Add(time.Minute / time.Duration(p.PerMinute))
	return due
}

// Ahead reports whether so much is due later that no more should be ordered now.
func (p *Pace) Ahead(now time.Time) bool { return p.next.Sub(now) > paceWindow }

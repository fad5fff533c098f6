package members

import (
	"context"
	"strconv"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// OrderStatus is an order as an administrator sees it; its token is not part of it.
// Times are UTC, zero if there is none.
type OrderStatus struct {
	ID         mail.ID
	State      mail.State
	Template   string
	Reason     string // why it was ordered: member, admin, forced; "" for a notice
	Purpose    password.Purpose
	MemberID   int64  // 0: none, the order was for an unknown member
	Username   string // of the member, as it is now
	Email      string // of the member, as it is now
	GroupID    int64  // 0: no group
	Created    time.Time
	Expires    time.Time
	Used       time.Time // when its token was spent or voided
	Attempts   int
	Due        time.Time
	ClaimedBy  string // the worker that is sending it
	LeaseUntil time.Time
	SentAt     time.Time
	Settled    time.Time // when it became sent, dead or dropped; zero for what was dropped unclaimed, as is most for unknown members
	Outcome    string    // why it is dead, dropped or tried again
}

// Retriable reports whether the mail can be put back into the queue.
func (m OrderStatus) Retriable(now time.Time) bool {
	return (m.State == mail.Dead || m.State == mail.New || m.State == mail.Pending) && (m.Expires.IsZero() || m.Expires.After(now))
}

// Failed reports whether the mail failed for good.
func (m OrderStatus) Failed() bool { return m.State == mail.Dead }

// Waits reports whether another attempt is due at some time.
func (m OrderStatus) Waits() bool { return m.State == mail.Pending }

// MailFilter picks orders; zero fields pick all.
type MailFilter struct {
	State    mail.State
	MemberID int64
	Before   mail.ID // older than this one, for the next page
	Limit    int     // 0: 100
}

// EventFilter picks events; zero fields pick all.
type EventFilter struct {
	Kind       Kind
	MemberID   int64
	Identifier string // as stored
	Since      time.Time
	Before     mail.ID // older than this one, for the next page
	Limit      int     // 0: 100
}

// HelpDeskStore is what a help desk looks up.
type HelpDeskStore interface {
	// SearchMembers returns up to limit members with that id, or whose username,
	// address or a name starts with the text, by id.
	SearchMembers(ctx context.Context, text string, limit int) ([]Member, error)
	// Mails returns the orders that f picks, newest first.
	Mails(ctx context.Context, f MailFilter) ([]OrderStatus, error)
	// Counts returns how many orders there are in each state that has any.
	Counts(ctx context.Context) (map[mail.State]int, error)
	// RetryMail makes a dead or waiting order due, unless it has expired, and
	// reports whether it was one.
	RetryMail(ctx context.Context, id mail.ID, at time.Time) (bool, error)
	// Events returns the security events that f picks, newest first.
	Events(ctx context.Context, f EventFilter) ([]Event, error)
}

// How much a help desk is shown at once.
const (
	MaxFound      = 20
	maxDeskMails  = 10
	maxDeskEvents = 15
	maxDeskQueue  = 50
)

// Dossier is what a help desk gets to see of a member.
type Dossier struct {
	Profile
	Mails  []OrderStatus // newest first
	Events []Event       // newest first
}

// DeskQueue is the queue of mails as a help desk sees it.
type DeskQueue struct {
	Counts []MailCount
	Mails  []OrderStatus // dead ones and those that wait, newest first
}

// MailCount is how many mails are in a state.
type MailCount struct {
	State mail.State
	Mails int
}

// SearchMembers returns whom a help desk means by a text: the member of that id,
// username or address alone, or else up to MaxFound whose names start with it,
// and whether there are more. Error: 403 0101 for anyone but administrators.
func (s *Service) SearchMembers(ctx context.Context, caller Caller, text string) (found []Member, more bool, err error) {
	if !caller.Admin() {
		return nil, false, errcodes.New(errcodes.Forbidden)
	}
	text = CleanIdentifier(text)
	exact, err := s.named(ctx, text)
	if err != nil {
		return nil, false, err
	}
	if !exact.Zero() {
		return []Member{exact}, false, nil
	}
	found, err = s.Store.SearchMembers(ctx, text, MaxFound+1)
	if len(found) > MaxFound {
		return found[:MaxFound], true, err
	}
	return found, false, err
}

// Dossier returns a member with the last mails and security events. Errors: 403
// 0101 for anyone but administrators; 0204.
func (s *Service) Dossier(ctx context.Context, caller Caller, id int64) (Dossier, error) {
	m, err := s.deskMember(ctx, caller, id)
	if err != nil {
		return Dossier{}, err
	}
	d := Dossier{Profile: s.profile(m, true)}
	if d.Mails, err = s.Store.Mails(ctx, MailFilter{MemberID: id, Limit: maxDeskMails}); err != nil {
		return Dossier{}, err
	}
	d.Events, err = s.Store.Events(ctx, EventFilter{MemberID: id, Limit: maxDeskEvents})
	return d, err
}

// deskMember returns the member of an id for an administrator: 403 0101, 0204.
func (s *Service) deskMember(ctx context.Context, caller Caller, id int64) (Member, error) {
	return s.administered(ctx, caller, strconv.FormatInt(id, 10))
}

// administered returns the member of a name for an administrator: 403 0101, 0204.
func (s *Service) administered(ctx context.Context, caller Caller, name string) (Member, error) {
	if !caller.Admin() {
		return Member{}, errcodes.New(errcodes.Forbidden)
	}
	m, err := s.named(ctx, name)
	if err == nil && m.Zero() {
		err = errcodes.New(errcodes.MissingMember)
	}
	return m, err
}

// SendLink mails the member of an id a link to set a password by, and waits for
// the attempt to deliver it, as a forced reset does. Errors: 403 0101 for anyone
// but administrators; 0204, 1018, 1019, 100F.
func (s *Service) SendLink(ctx context.Context, caller Caller, id int64) error {
	m, err := s.deskMember(ctx, caller, id)
	if err == nil {
		_, err = s.sendLink(ctx, caller, m, groups.Group{})
	}
	s.audit(ctx, caller, Event{Kind: ResetForced, MemberID: m.ID}, err)
	return err
}

// Lock locks the account of the member of an id until an administrator unlocks
// it; its tokens and sessions end. Errors: 403 0101 for anyone but administrators,
// and for one's own account; 0204.
func (s *Service) Lock(ctx context.Context, caller Caller, id int64) error {
	m, err := s.deskMember(ctx, caller, id)
	if err == nil && m.ID == caller.Member.ID {
		err = errcodes.New(errcodes.Forbidden)
	}
	if err == nil {
		err = s.Store.SetLocked(ctx, m.ID, true)
	}
	s.audit(ctx, caller, Event{Kind: MemberLocked, MemberID: m.ID}, err)
	return err
}

// DeskQueue returns how many mails are in each state, and the newest of those
// that are dead or wait. Error: 403 0101 for anyone but administrators.
func (s *Service) DeskQueue(ctx context.Context, caller Caller) (q DeskQueue, err error) {
	if !caller.Admin() {
		return q, errcodes.New(errcodes.Forbidden)
	}
	counts, err := s.Store.Counts(ctx)
	if err != nil {
		return q, err
	}
	for _, state := range mail.States() {
		q.Counts = append(q.Counts, MailCount{state, counts[state]})
	}
	for _, state := range []mail.State{mail.Dead, mail.Pending, mail.Sending, mail.New} {
		list, err := s.Store.Mails(ctx, MailFilter{State: state, Limit: maxDeskQueue - len(q.Mails)})
		if err != nil {
			return q, err
		}
		q.Mails = append(q.Mails, list...)
		if len(q.Mails) >= maxDeskQueue {
			break
		}
	}
	return q, nil
}

// RetryMail puts a mail back into the queue, due at once; false if it was sent
// or dropped, or has expired, or if there is no mail of that id. Error: 403 0101
// for anyone but administrators.
func (s *Service) RetryMail(ctx context.Context, caller Caller, name string) (bool, error) {
	if !caller.Admin() {
		return false, errcodes.New(errcodes.Forbidden)
	}
	id, err := mail.ParseID(name)
	if err != nil {
		return false, nil
	}
	ok, err := s.Store.RetryMail(ctx, id, s.Now())
	if err != nil || !ok {
		return false, err
	}
	s.Dispatcher.Wake()
	s.audit(ctx, caller, Event{Kind: MailRetried, Detail: id.String()}, nil)
	return true, nil
}

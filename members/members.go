// Package members holds the members and what can be done with them: asking
// for a reset, completing it, forcing one, locking and unlocking.
package members

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// Status is a member's status, spelled as on the wire (contract 1.6).
type Status string

// The statuses of contract 1.6.
const (
	Activated   Status = "activated"
	Unactivated Status = "unactivated"
	SetPassword Status = "set-password" // has no password yet
	Disabled    Status = "disabled"
)

// Valid reports whether there is such a status.
func (s Status) Valid() bool {
	return slices.Contains([]Status{Activated, Unactivated, SetPassword, Disabled}, s)
}

// Member is someone with an account. Times are UTC; a zero time is unknown.
type Member struct {
	ID                 int64 // from 1; 0: nobody
	Username           string
	Email              string
	Firstname          string
	Surname            string
	Status             Status
	Admin              bool
	APIAccount         bool
	Locked             bool      // by an administrator, until one lifts it
	LockedUntil        time.Time // after failed sign-ins, for a while
	FailedSignIns      int       // in a row since the latest lock; below zero: during one
	LockThreshold      int       // failures that lock; drawn anew after each lock, 0: not drawn yet
	BadSignIns         int       // in a row, before earlier locks, too
	FailClient         string    // whose FailedSignIns are; "": there are none, severalClients
	LockClient         string    // whom the lock after failed sign-ins is for; "": everybody
	Language           string    // BCP 47, "": the site's
	Password           password.Hash
	Created            time.Time
	Activated          time.Time
	LastLogin          time.Time
	LastPasswordChange time.Time
}

// Zero reports whether m is nobody.
func (m Member) Zero() bool { return m.ID == 0 }

// Fullname returns first name and surname.
func (m Member) Fullname() string {
	if m.Firstname == "" || m.Surname == "" {
		return m.Firstname + m.Surname
	}
	return m.Firstname + " " + m.Surname
}

// What clients get to see of a member without a username or names: they
// require all three (contract 1.6).

// ShownUsername returns the username, or else the email address, which works as
// one; the id if the address must not be seen.
func (m Member) ShownUsername() string {
	return cmp.Or(m.Username, m.Email, strconv.FormatInt(m.ID, 10))
}

// ReadableEmail returns the address as people read it, in the letters of its
// domain.
func (m Member) ReadableEmail() string { return mail.ReadableAddress(m.Email) }

// ShownFirstname returns the first name, or else a word in its place.
func (m Member) ShownFirstname() string { return cmp.Or(m.Firstname, "Member") }

// ShownSurname returns the surname, or else four digits in its place.
func (m Member) ShownSurname() string { return cmp.Or(m.Surname, fmt.Sprintf("%04d", m.ID%10000)) }

// ShownFullname returns both.
func (m Member) ShownFullname() string { return m.ShownFirstname() + " " + m.ShownSurname() }

// Refused reports whether an administrator locked the account or its status is
// disabled: no reset and no sign-in (contract 1.3).
func (m Member) Refused() bool { return m.Locked || m.Status == Disabled }

// Caller is who sends a request. The zero Caller is anybody.
type Caller struct {
	Member Member
	// Command is who runs a command on this machine, who may do what administrators
	// may; "" for a request.
	Command string
}

// Admin reports whether the caller is an administrator.
func (c Caller) Admin() bool { return c.Command != "" || c.Member.Admin && !c.Member.Zero() }

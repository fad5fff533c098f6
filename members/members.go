// Package members holds the members and what can be done with them: asking
// for a reset, completing it, forcing one, locking and unlocking.
package members

import (
	"time"

	"reseed/password"
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

// Member is somebody with an account. Times are UTC; a zero time is unknown.
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
	FailedSignIns      int
	LockThreshold      int    // failures that lock; drawn anew after each lock, 0: not drawn yet
	Language           string // BCP 47, "": the site's
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

// Refused reports whether an administrator locked the account or its status is
// disabled: no reset and no sign-in (contract 1.3).
func (m Member) Refused() bool { return m.Locked || m.Status == Disabled }

// Caller is who sends a request. The zero Caller is anybody.
type Caller struct {
	Member Member
}

// Admin reports whether the caller is an administrator.
func (c Caller) Admin() bool { return c.Member.Admin && !c.Member.Zero() }

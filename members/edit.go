package members

import (
	"errors"
	"time"

	"github.com/reseed-project/reseed/password"
)

// Edit is what is to change about a member. A nil field stays as it is when the
// edit is made, whatever it was when the edit was asked for.
type Edit struct {
	Username, Email, Firstname, Surname, Language *string
	Status                                        *Status
	Admin, APIAccount                             *bool
	// FirstPassword is for a member who has no password; "": none. It activates
	// one who was to set a password, unless Status says what is to be.
	FirstPassword password.Hash
}

// ErrUnidentified is what an edit comes to that takes a member's only identifier.
var ErrUnidentified = errors.New("username and email would both be missing")

// Applied returns the member as the edit leaves it at a time.
func (e Edit) Applied(m Member, now time.Time) Member {
	before := m
	setField(&m.Username, e.Username)
	setField(&m.Email, e.Email)
	setField(&m.Firstname, e.Firstname)
	setField(&m.Surname, e.Surname)
	setField(&m.Language, e.Language)
	setField(&m.Status, e.Status)
	setField(&m.Admin, e.Admin)
	setField(&m.APIAccount, e.APIAccount)
	if e.FirstPassword != "" && m.Password == "" {
		m.Password = e.FirstPassword
		if e.Status == nil && m.Status == SetPassword {
			m.Status = Activated
		}
	}
	if m.Status == Activated && before.Status != Activated {
		m.Activated = now
	}
	return m
}

func setField[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// EndsAccess reports whether a change of a member ends its tokens and sessions: a
// new identifier, a disabled account, a lost right.
func EndsAccess(before, after Member) bool {
	return before.Username != after.Username || before.Email != after.Email ||
		after.Status == Disabled || before.Admin && !after.Admin
}

// FieldChange is a field that changes, as text.
type FieldChange struct{ Field, From, To string }

// Changes says how a member differs from what it was.
func Changes(before, after Member) (changes []FieldChange) {
	for _, f := range []FieldChange{
		{"username", before.Username, after.Username},
		{"email", before.Email, after.Email},
		{"firstname", before.Firstname, after.Firstname},
		{"surname", before.Surname, after.Surname},
		{"status", string(before.Status), string(after.Status)},
		{"language", before.Language, after.Language},
		{"admin", yesNo(before.Admin), yesNo(after.Admin)},
		{"api_account", yesNo(before.APIAccount), yesNo(after.APIAccount)},
	} {
		if f.From != f.To {
			changes = append(changes, f)
		}
	}
	return changes
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

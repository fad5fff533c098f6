package password

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/reseed-project/reseed/fold"
)

// ErrIsIdentity says that a password equals the member's username or email
// (code 1016 of contract 1.3).
var ErrIsIdentity = errors.New("the password is the username or the email")

// ErrTooWeak is what every TooWeakError is (code 1015 of contract 1.3).
var ErrTooWeak = errors.New("the password is too weak")

// Reason says why a password is refused, for programs.
type Reason string

// The reasons of a TooWeakError.
const (
	TooShort  Reason = "too-short" // fewer than Limit characters
	TooLong   Reason = "too-long"  // more than Limit characters, or than MaxBytes bytes
	NotText   Reason = "not-text"  // not valid UTF-8
	Common    Reason = "common"    // on the list of common passwords
	Guessable Reason = "guessable" // scores less than Limit
)

// TooWeakError says why a password is refused. It never holds the password.
type TooWeakError struct {
	Reason Reason
	Limit  int // of TooShort and TooLong in characters, of Guessable the Score needed; else 0
}

// Error returns the reason, and what it means.
func (e *TooWeakError) Error() string {
	return fmt.Sprintf("%v: %s (%s)", ErrTooWeak, e.Reason, e.meaning())
}

func (e *TooWeakError) meaning() string {
	switch e.Reason {
	case TooShort:
		return fmt.Sprintf("fewer than %d characters", e.Limit)
	case TooLong:
		return fmt.Sprintf("more than %d characters or %d bytes", e.Limit, MaxBytes)
	case NotText:
		return "not UTF-8"
	case Common:
		return "on the list of common passwords"
	}
	return fmt.Sprintf("by names, common words or patterns; it must reach %d of 4", e.Limit)
}

// Is makes errors.Is(err, ErrTooWeak) true.
func (e *TooWeakError) Is(target error) bool { return target == ErrTooWeak }

// PolicyConfig is what a Policy demands. The zero value is the default.
type PolicyConfig struct {
	Min    int   // characters (code points); 0: 8
	Max    int   // characters; 0: 99, since contract 1.3 refuses 100 and more
	Member Score // that a member's password must reach; 0: Medium
	Admin  Score // that an administrator's password must reach; 0: Strong
}

// Policy decides which new passwords are good enough. It has no rules about
// kinds of characters. It may be used by several goroutines.
type Policy struct {
	config PolicyConfig
	common func() string // unpacked when it is first asked for
}

// NewPolicy returns a Policy; the error is about limits that make no sense.
func NewPolicy(c PolicyConfig) (*Policy, error) {
	setDefault(&c.Min, 8)
	setDefault(&c.Max, 99)
	setDefault(&c.Member, Medium)
	setDefault(&c.Admin, Strong)
	switch {
	case c.Min < 1 || c.Max < c.Min || c.Max > MaxBytes:
		return nil, fmt.Errorf("password length %d to %d is not within 1 to %d", c.Min, c.Max, MaxBytes)
	case c.Member < VeryWeak || c.Member > VeryStrong || c.Admin < VeryWeak || c.Admin > VeryStrong:
		return nil, fmt.Errorf("password scores %d and %d are not within %d to %d", c.Member, c.Admin, VeryWeak, VeryStrong)
	}
	return &Policy{config: c, common: sync.OnceValue(unpackCommon)}, nil
}

// Config returns what the Policy demands, for pages that explain it.
func (p *Policy) Config() PolicyConfig { return p.config }

// WithMax returns a Policy that differs in the longest password alone, in
// characters, at least Min.
func (p *Policy) WithMax(n int) *Policy {
	longer := *p
	longer.config.Max = max(n, p.config.Min)
	return &longer
}

// Subject is whose password it is.
type Subject struct {
	Username  string
	Email     string
	Firstname string
	Surname   string
	Admin     bool     // administrators need the stronger password
	Context   []string // names that anyone would try first: the service's, the group's
}

// Check returns nil for a password that the subject may have: otherwise the
// first fault, a *TooWeakError, or ErrIsIdentity for a password that has no
// fault but being the username or email. That is the order of contract 1.3,
// and so a name that would make a good password for someone else is told
// from a weak one. The password is judged as Normalise returns it.
func (p *Policy) Check(password string, who Subject) error {
	if len(password) <= MaxBytes {
		password = Normalise(password)
	}
	if err := p.checkSize(password); err != nil {
		return err
	}
	if hasLine(p.common(), fold.ASCII(password)) {
		return &TooWeakError{Reason: Common}
	}
	need := p.config.Member
	if who.Admin {
		need = p.config.Admin
	}
	if p.Strength(password, who) < need {
		return &TooWeakError{Reason: Guessable, Limit: int(need)}
	}
	if who.is(password) {
		return ErrIsIdentity
	}
	return nil
}

// Strength scores a password for someone: names of theirs and of the service
// count as words that are guessed first. A password that is the username or
// email is scored without them, see Check.
func (p *Policy) Strength(password string, who Subject) Score {
	password = Normalise(password[:min(len(password), MaxBytes)])
	var words []string
	if !who.is(password) {
		words = who.words()
	}
	return scoreOf(guessBits(password, words))
}

func (p *Policy) checkSize(password string) error {
	switch {
	case len(password) > MaxBytes:
		return &TooWeakError{Reason: TooLong, Limit: p.config.Max}
	case !utf8.ValidString(password):
		return &TooWeakError{Reason: NotText}
	case utf8.RuneCountInString(password) < p.config.Min:
		return &TooWeakError{Reason: TooShort, Limit: p.config.Min}
	case utf8.RuneCountInString(password) > p.config.Max:
		return &TooWeakError{Reason: TooLong, Limit: p.config.Max}
	default:
		return nil
	}
}

// is reports whether the password is the subject's username or email.
func (s Subject) is(password string) bool {
	folded := fold.ASCII(password)
	return s.Username != "" && folded == fold.ASCII(Normalise(s.Username)) ||
		s.Email != "" && folded == fold.ASCII(Normalise(s.Email))
}

// words returns the subject's names, whole and in pieces. Pieces of one or two
// characters are left out: they would make words of chance.
func (s Subject) words() []string {
	names := append([]string{s.Username, s.Email, s.Firstname, s.Surname}, s.Context...)
	if local, _, found := strings.Cut(s.Email, "@"); found {
		names = append(names, local)
	}
	var words []string
	for _, name := range names {
		pieces := strings.FieldsFunc(name, func(r rune) bool { return r < 0x80 && !isAlphanumeric(byte(r)) })
		for _, word := range append(pieces, name) {
			if utf8.RuneCountInString(word) > 2 {
				words = append(words, word)
			}
		}
	}
	return words
}

func isAlphanumeric(c byte) bool { return urlSafe(c) && c != '-' && c != '_' }

func setDefault[T ~int](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

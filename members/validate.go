package members

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// Limits of a member's fields in characters (contract 1.6).
const (
	MaxName       = 50 // first name and surname, each
	MaxIdentifier = 99 // username and email, each
)

// maxLanguage is what RFC 5646 asks to have room for, in characters.
const maxLanguage = 35

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

// Validate returns all that is wrong with a member to add, joined into one
// error, nil if nothing is: the limits of contract 1.6, no control
// characters, a known status, and a hash that can be verified, if there is
// one. With smtpUTF8, addresses may have letters beyond ASCII before the @. The
// text names fields, not their values.
func Validate(m NewMember, smtpUTF8 bool) error {
	return errors.Join(
		identified(m),
		fieldFault("firstname", nameFault(m.Firstname)),
		fieldFault("surname", nameFault(m.Surname)),
		fieldFault("username", usernameFault(m.Username)),
		fieldFault("email", emailFault(m.Email, smtpUTF8)),
		fieldFault("status", statusFault(m.Status)),
		fieldFault("language", languageFault(m.Language)),
		fieldFault("password_hash", hashFault(m.Password)),
	)
}

func fieldFault(field, fault string) error {
	if fault == "" {
		return nil
	}
	return fmt.Errorf("%s %s", field, fault)
}

func identified(m NewMember) error {
	if m.Username == "" && m.Email == "" {
		return errors.New("username and email are both missing")
	}
	return nil
}

func nameFault(s string) string { return textFault(s, MaxName) }

// ValidName reports whether s can be a first name or surname.
func ValidName(s string) bool { return nameFault(s) == "" }

func textFault(s string, limit int) string {
	switch {
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case strings.ContainsFunc(s, invisible):
		return "holds a control character or line break"
	case utf8.RuneCountInString(s) > limit:
		return fmt.Sprintf("is longer than %d characters", limit)
	}
	return ""
}

// invisible reports control characters, line separators and the marks that
// turn the direction of text around them.
func invisible(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
}

func usernameFault(s string) string {
	if fault := textFault(s, MaxIdentifier); fault != "" {
		return fault
	}
	if strings.ContainsAny(s, "@,") {
		return "holds '@' or ','"
	}
	if s != strings.TrimSpace(s) {
		return "starts or ends with a space"
	}
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return "is a number, which addresses would read as an id"
	}
	return ""
}

// newUsernameFault returns what is wrong with a username that a service is to
// give (contract 1.1). Accounts that move in may have others.
func newUsernameFault(s string) string {
	if fault := usernameFault(s); fault != "" {
		return fault
	}
	if !plainUsername.MatchString(s) {
		return "holds something else than letters, digits, '_', '.' and '-'"
	}
	return ""
}

var plainUsername = regexp.MustCompile(`^[0-9a-zA-Z_.-]+$`)

func emailFault(s string, smtpUTF8 bool) string {
	if s == "" {
		return ""
	}
	if fault := textFault(s, MaxIdentifier); fault != "" {
		return fault
	}
	if validEmail(s, smtpUTF8) {
		return ""
	}
	if mail.ValidUTF8Address(s) {
		return "has letters beyond ASCII before the @, which takes smtp-utf8"
	}
	return "is not an address"
}

func statusFault(s Status) string {
	if s.Valid() {
		return ""
	}
	return "is none of activated, unactivated, set-password, disabled"
}

func languageFault(s string) string {
	if s == "" || len(s) <= maxLanguage && languageTag.MatchString(s) {
		return ""
	}
	return "is not a language tag such as en or pt-BR"
}

func hashFault(h password.Hash) string {
	if h == "" {
		return ""
	}
	if err := password.ValidHash(string(h)); err != nil {
		return "is not a hash of a known kind, or out of bounds" + strings.TrimPrefix(err.Error(), password.ErrBadHash.Error())
	}
	return ""
}

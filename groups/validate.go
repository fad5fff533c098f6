package groups

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the longest full name of a group, in characters.
const MaxName = 100

// Limits of a group's texts in bytes.
const (
	MaxTitle       = 250
	MaxDescription = 1000
)

// Validate returns everything that is wrong with a new group, or nil.
func Validate(g Group) error {
	return errors.Join(ValidName(g.Name), textFault("title", g.Title, MaxTitle),
		textFault("description", g.Description, MaxDescription))
}

func textFault(field, s string, limit int) error {
	if len(s) > limit || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("the %s is not UTF-8 of at most %d bytes without control characters", field, limit)
	}
	return nil
}

// ValidName returns what is wrong with a group's full name, or nil. A name has
// ASCII letters, digits, '_', '.' and the '-' that nests projects; no part is
// empty or made of dots only (the name is also that of a templates folder), and
// the whole is not a number, which would be taken for an id (contract 1.1).
func ValidName(name string) error {
	if name == "" {
		return errors.New("the name is empty")
	}
	if len(name) > MaxName {
		return errors.New("the name is longer than 100 characters")
	}
	for _, part := range strings.Split(name, "-") {
		if strings.Trim(part, ".") == "" {
			return errors.New("the name has an empty part: parts of letters, digits, '_' and '.' are joined by '-'")
		}
		if strings.ContainsFunc(part, notInName) {
			return errors.New("the name may only have ASCII letters, digits, '_', '.' and '-'")
		}
	}
	if strings.Trim(name, "0123456789") == "" {
		return errors.New("the name is a number, which would be taken for an id")
	}
	return nil
}

func notInName(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !letter && (r < '0' || r > '9') && r != '_' && r != '.'
}

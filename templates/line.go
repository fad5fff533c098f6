package templates

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// Limits of texts in code points. The contract's own limits are lower; these
// keep a row that came another way from filling the mail.
const (
	maxName        = 200
	maxDescription = 1000
	maxSubject     = 200
	maxURL         = 2000 // bytes
)

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
	leftToRightMark    = '\u200e'
	rightToLeftMark    = '\u200f'
)

// dottedWord finds the dot of what mail clients take for a host name.
var dottedWord = regexp.MustCompile(`([\pL\pN])([.。．｡])(\pL{2})`)

// line makes a text a single line of at most limit code points. strings.Map
// turns what is not UTF-8 into U+FFFD.
func line(s string, limit int) string {
	if len(s) <= limit && isPlain(s) {
		return s
	}
	s = strings.Join(strings.FieldsFunc(strings.Map(visible, s), unicode.IsSpace), " ")
	return cut(s, limit)
}

// isPlain reports whether s is ASCII that can be seen, with single spaces in between.
func isPlain(s string) bool {
	spaced := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && spaced {
			return false
		}
		spaced = s[i] == ' '
	}
	return !spaced || s == ""
}

// visible maps what could forge a line to a space and drops what could hide
// or reorder text. Joiners and direction marks stay: names of several scripts
// need them.
func visible(r rune) rune {
	switch {
	case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
		return ' '
	case r == zeroWidthNonJoiner, r == zeroWidthJoiner, r == leftToRightMark, r == rightToLeftMark:
		return r
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Noncharacter_Code_Point, r):
		return -1
	}
	return r
}

// cut shortens s to limit code points, the last of them an ellipsis.
func cut(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return strings.TrimSpace(string(r[:limit-1])) + "…"
}

// title is a line that holds no URL.
func title(s string) string { return unlinked(line(s, maxName)) }

// personal is a line that a mail client takes for no web address: members
// choose their names themselves on many sites, and the mail comes from ours.
func personal(s string) string {
	s = title(s)
	// Matches overlap in a.bb.cc, so that one pass leaves some behind.
	for dottedWord.MatchString(s) {
		s = dottedWord.ReplaceAllString(s, "$1$2 $3")
	}
	return s
}

func unlinked(s string) string { return strings.ReplaceAll(s, "://", ": //") }

// parseWebURL accepts absolute http and https URLs. Its errors do not quote
// the URL.
func parseWebURL(s string) (*url.URL, error) {
	if s == "" || len(s) > maxURL {
		return nil, errors.New("empty or too long")
	}
	if strings.ContainsFunc(s, notURL) {
		return nil, errors.New("holds a character that no URL may hold")
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("neither http nor https")
	}
	if u.Hostname() == "" || u.User != nil {
		return nil, errors.New("want a host and no user")
	}
	return u, nil
}

func notURL(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", r)
}

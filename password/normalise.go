package password

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normalise returns a password as it is hashed and judged, so that the same
// characters typed on another system are the same password: in Unicode form C,
// every space a plain one (RFC 8265 4.2.2, OpaqueString), and without a line
// break at the end, which comes from a file and not from a person. Unlike the
// RFC it refuses nothing. What is not UTF-8 is returned as it is.
func Normalise(password string) string {
	if !utf8.ValidString(password) {
		return password
	}
	password = strings.TrimSuffix(strings.TrimSuffix(password, "\n"), "\r")
	return norm.NFC.String(strings.Map(plainSpace, password))
}

// forms returns the ways in which a password may have been hashed: normalised,
// as all are here, and as it is, if that differs.
func forms(password string) []string {
	return slices.Compact([]string{Normalise(password), password})
}

func plainSpace(r rune) rune {
	if unicode.Is(unicode.Zs, r) {
		return ' '
	}
	return r
}

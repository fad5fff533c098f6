package mail

import (
	netmail "net/mail"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxMemberAddress is the longest address a member may have (contract 1.6: under 100).
	maxMemberAddress = 99
	maxAddress       = 254 // RFC 5321 4.5.3.1.3 less the angle brackets
	maxLocalPart     = 64  // RFC 5321 4.5.3.1.1
	maxLabel         = 63  // RFC 1035 2.3.4
)

// ValidAddress reports whether s is an address that every mail server takes:
// ASCII, a dot-atom before the @, a domain of at least two labels of letters,
// digits and hyphens after it, fewer than 100 bytes. Quoted local parts, comments,
// display names, address literals and lists are refused, as is every control
// character. [ASCIIAddress] makes one of an address with an international domain.
func ValidAddress(s string) bool { return !needsUTF8(s) && ValidUTF8Address(s) }

// ValidUTF8Address is ValidAddress with letters beyond ASCII in the local part,
// too, which take a mail server that offers SMTPUTF8 (RFC 6531).
func ValidUTF8Address(s string) bool {
	return len(s) <= maxMemberAddress && validAddress(s, 2)
}

// ValidSender is ValidAddress for a sender of ours, whose domain may be a single
// label, such as localhost.
func ValidSender(s string) bool { return !needsUTF8(s) && validAddress(s, 1) }

func needsUTF8(address string) bool {
	return strings.IndexFunc(address, func(r rune) bool { return r > unicode.MaxASCII }) >= 0
}

// validAddress is the grammar with the least number of labels as a parameter.
func validAddress(s string, labels int) bool {
	if len(s) > maxAddress {
		return false
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok || !validLocalPart(local) || !validDomain(domain, labels) {
		return false
	}
	parsed, err := netmail.ParseAddress(s)
	return err == nil && parsed.Name == "" && parsed.Address == s
}

// validLocalPart holds s against dot-atom (RFC 5322 3.2.3), with letters, marks
// and digits beyond ASCII. Those that Unicode takes for another way to write plain
// ones, such as full-width letters and the Kelvin sign, are refused.
func validLocalPart(s string) bool {
	if len(s) > maxLocalPart || !norm.NFKC.IsNormalString(s) {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.IndexFunc(atom, notAtomText) >= 0 {
			return false
		}
	}
	return true
}

func notAtomText(r rune) bool {
	if r > unicode.MaxASCII {
		return !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Nd) ||
			unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) // nobody sees them
	}
	return !alphanumeric(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// validDomain holds s against the host names of RFC 1123 2.1. A last label of
// digits alone is an IP address in disguise.
func validDomain(s string, least int) bool {
	labels := strings.Split(s, ".")
	if len(labels) < least || len(s) > 253 {
		return false
	}
	for _, label := range labels {
		if !validLabel(label) {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

func validLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r != '-' && !alphanumeric(r) }) < 0
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

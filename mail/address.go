package mail

import (
	netmail "net/mail"
	"strings"
)

const (
	// maxMemberAddress is the longest address a member may have (contract 1.6: under 100).
	maxMemberAddress = 99
	maxAddress       = 254 // RFC 5321 4.5.3.1.3 less the angle brackets
	maxLocalPart     = 64  // RFC 5321 4.5.3.1.1
	maxLabel         = 63  // RFC 1035 2.3.4
)

// ValidAddress reports whether s is an address that mail is sent to: ASCII, a
// dot-atom before the @, a domain of at least two labels of letters, digits and
// hyphens after it, fewer than 100 bytes. Quoted local parts, comments, display
// names, address literals and lists are refused, as is every control character.
func ValidAddress(s string) bool {
	return len(s) <= maxMemberAddress && validAddress(s, 2)
}

// validAddress is the grammar with the least number of labels as a parameter:
// the sender's own domain may be a single one, such as localhost.
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

// validLocalPart holds s against dot-atom (RFC 5322 3.2.3).
func validLocalPart(s string) bool {
	if len(s) > maxLocalPart {
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

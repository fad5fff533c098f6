package mail

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// ASCIIAddress returns an address with its domain in ASCII, the form in which
// addresses are kept, compared and mailed to: ann@bücher.example becomes
// ann@xn--bcher-kva.example. What has no such form comes back as it is, and is no
// valid address then. The local part stays as it is, and so does what has no '@'.
func ASCIIAddress(s string) string {
	at := strings.LastIndexByte(s, '@') + 1
	if at == 0 {
		return s
	}
	return s[:at] + ASCIIDomain(s[at:])
}

// ASCIIDomain does the same with a domain alone.
//
// The profile is that of registries: it refuses what others map. Lookup would
// read full-width letters, the Kelvin sign and a long s as plain letters, drop
// soft hyphens and take an ideographic full stop for a dot, and so join
// addresses that differ byte for byte. Nothing is transitional: ß stays ß, a
// zero-width joiner stays where its script needs it and is refused elsewhere.
// Only capitals are folded, since A-Z are too.
func ASCIIDomain(s string) string {
	if plainText(s) {
		return s
	}
	small, ok := smallLetters(s)
	if !ok {
		return s
	}
	ascii, err := idna.Registration.ToASCII(small)
	if err != nil {
		return s
	}
	return ascii
}

// smallLetters folds the capitals of a domain. It refuses capitals that are not
// those of their small letters (the Kelvin sign, dotted I, capital sharp s), and
// all that IDNA 2008 has no use for in a name: symbols and most punctuation.
func smallLetters(s string) (small string, ok bool) {
	ok = true
	small = strings.Map(func(r rune) rune {
		if !strings.ContainsRune(".-\u200c\u200d", r) && !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Nd) {
			ok = false
		}
		if l := unicode.ToLower(r); l != r {
			ok = ok && unicode.ToUpper(l) == r
			return l
		}
		return r
	}, s)
	return small, ok
}

// ReadableAddress returns an address as people read it: with its domain in its
// own letters if that reads back as the same domain and no part of it mixes
// scripts, which is how domains are made that look like others. What has no '@'
// stays as it is.
func ReadableAddress(s string) string {
	at := strings.LastIndexByte(s, '@') + 1
	domain := strings.ToLower(s[at:])
	if at == 0 || !strings.Contains(domain, "xn--") {
		return s
	}
	readable, err := idna.Registration.ToUnicode(domain)
	if err != nil || ASCIIDomain(readable) != domain {
		return s
	}
	for label := range strings.SplitSeq(readable, ".") {
		if !oneScript(label) {
			return s
		}
	}
	return s[:at] + readable
}

// oneScript reports whether all letters are of one script, or of those that East
// Asian text has beside each other.
func oneScript(label string) bool {
	letters := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Common, unicode.Inherited) {
			return -1
		}
		return r
	}, label)
	within := func(scripts ...*unicode.RangeTable) bool {
		return !strings.ContainsFunc(letters, func(r rune) bool { return !unicode.In(r, scripts...) })
	}
	if within(unicode.Latin, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo) {
		return true
	}
	for _, script := range unicode.Scripts {
		if within(script) {
			return true
		}
	}
	return false
}

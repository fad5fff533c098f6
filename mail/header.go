package mail

import (
	"bytes"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	foldAt         = 76 // RFC 5322 2.1.1 wants 78 at most, RFC 2047 2 wants 76
	maxEncodedWord = 60 // so that the first one fits beside the field's name
	encodedPrefix  = "=?utf-8?q?"
	encodedSuffix  = "?="
)

// writeField writes one header field, folded at spaces.
func writeField(b *bytes.Buffer, name, value string) {
	b.WriteString(name)
	b.WriteByte(':')
	column := len(name) + 1
	for word := range strings.SplitSeq(value, " ") {
		if word != "" && column > len(name)+1 && column+1+len(word) > foldAt {
			b.WriteString("\r\n")
			column = 0
		}
		b.WriteByte(' ')
		b.WriteString(word)
		column += 1 + len(word)
	}
	b.WriteString("\r\n")
}

// formatAddress writes an address as a header holds it.
func formatAddress(a netmail.Address) string {
	if a.Name == "" {
		return a.Address
	}
	return formatPhrase(a.Name) + " <" + a.Address + ">"
}

// formatPhrase writes a display name: as it is, quoted, or encoded, whichever
// is the first that reads back the same.
func formatPhrase(name string) string {
	if !plainText(name) || strings.Contains(name, "  ") || strings.TrimSpace(name) != name {
		return encodeWords(name)
	}
	if strings.IndexFunc(name, func(r rune) bool { return r != ' ' && notAtomText(r) }) < 0 {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

// formatText writes unstructured text such as a subject.
func formatText(s string) string {
	if plainText(s) && strings.TrimSpace(s) == s {
		return s
	}
	return encodeWords(s)
}

// plainText reports whether s can stand in a header unencoded. Text that looks
// like an encoded word can't: a reader would decode it.
func plainText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return !strings.Contains(s, "=?")
}

// encodeWords writes s as encoded words of RFC 2047, in the alphabet that is
// allowed in display names too (section 5, rule 3), never splitting a character.
func encodeWords(s string) string {
	var words []string
	var word strings.Builder
	for _, r := range s {
		code := encodeRune(r)
		if word.Len()+len(code) > maxEncodedWord-len(encodedPrefix)-len(encodedSuffix) {
			words = append(words, encodedPrefix+word.String()+encodedSuffix)
			word.Reset()
		}
		word.WriteString(code)
	}
	words = append(words, encodedPrefix+word.String()+encodedSuffix)
	return strings.Join(words, " ")
}

func encodeRune(r rune) string {
	switch {
	case r == ' ':
		return "_"
	case alphanumeric(r) || strings.ContainsRune("!*+-/", r):
		return string(r)
	}
	var code strings.Builder
	for _, c := range []byte(string(r)) {
		fmt.Fprintf(&code, "=%02X", c)
	}
	return code.String()
}

// safeText reports whether s may be given for a header at all: valid UTF-8
// without control characters, line separators, or the marks that reverse the
// order in which the rest is shown.
func safeText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	}) < 0
}

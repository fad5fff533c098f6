package members

import (
	"strings"
	"unicode"

	"github.com/reseed-project/reseed/mail"
)

// CleanIdentifier returns a username or address without the white space and
// invisible marks that come along when one is pasted, and with its domain in
// ASCII. What is within stays and is refused or compared as it is.
func CleanIdentifier(s string) string {
	return ASCIIAddress(strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
	}))
}

// ASCIIAddress is mail.ASCIIAddress for packages that know no mail.
func ASCIIAddress(s string) string { return mail.ASCIIAddress(s) }

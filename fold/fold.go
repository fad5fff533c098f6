// Package fold brings what is compared without regard to case into one form:
// identifiers, names of groups and languages.
package fold

// ASCII returns s with a-z for A-Z and every other byte as it is. Unicode's own
// foldings join letters that differ (the Kelvin sign and k, dotless i and i),
// which has opened accounts elsewhere.
func ASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if isUpper(s[i]) {
			return foldFrom(s, i)
		}
	}
	return s
}

func foldFrom(s string, first int) string {
	b := []byte(s)
	for i := first; i < len(b); i++ {
		if isUpper(b[i]) {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

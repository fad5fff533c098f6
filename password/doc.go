// Package password holds what is secret about a member: the hashes of
// passwords, the rules that a new password must meet, and the tokens that
// open the way to setting one.
//
// A password is its bytes. Nothing is trimmed, folded or normalised before it
// is hashed, and a NUL counts like any other byte; clients that send different
// Unicode forms of the same text send different passwords. Only the policy's
// comparisons (common passwords, username, email) fold A-Z.
//
// More than 72 bytes never match an imported bcrypt hash, since bcrypt looks
// at the first 72 only. The hashes made here are argon2id, which has no such
// limit: 64 characters outside ASCII need no special rule.
package password

// MaxBytes is the longest password that is looked at. Longer ones are refused
// before any work is done for them.
const MaxBytes = 1024

// foldASCII maps A-Z to a-z and leaves everything else alone: Unicode's case
// mappings join letters that are not the same.
func foldASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}

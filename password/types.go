package password

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
)

const redacted = "***"

// Hash is a stored password hash: a PHC string (argon2id) or an imported
// bcrypt hash. It prints as *** so that it can't reach a log by accident.
type Hash string

// String hides the hash.
func (h Hash) String() string { return redacted }

// GoString hides the hash.
func (h Hash) GoString() string { return redacted }

// Format hides the hash from every verb: fmt shows the value of a string for
// the verbs that strings don't have.
func (h Hash) Format(f fmt.State, _ rune) { redact(f) }

// LogValue hides the hash.
func (h Hash) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the hash from encoders of text, JSON and TOML.
func (h Hash) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// TokenHash is the SHA-256 of a token, the only form in which one is stored.
// The zero value stands for no token.
type TokenHash [sha256.Size]byte

// Equal compares in constant time.
func (h TokenHash) Equal(other TokenHash) bool {
	return subtle.ConstantTimeCompare(h[:], other[:]) == 1
}

// String hides the hash.
func (h TokenHash) String() string { return redacted }

// GoString hides the hash.
func (h TokenHash) GoString() string { return redacted }

// Format hides the hash from every verb.
func (h TokenHash) Format(f fmt.State, _ rune) { redact(f) }

// LogValue hides the hash.
func (h TokenHash) LogValue() slog.Value { return slog.StringValue(redacted) }

// Purpose says what a token is for; a token of one purpose is refused for another.
type Purpose string

// Reset tokens belong to the PageSeeder services (contract 1.8), Recovery
// tokens to the Wix flow (2.2), None marks a mail without a token.
const (
	None     Purpose = ""
	Reset    Purpose = "reset"
	Recovery Purpose = "recovery"
	// Activation tokens activate an account, EmailChange ones confirm a new
	// address (contract 1.5).
	Activation  Purpose = "activation"
	EmailChange Purpose = "email-change"
)

// Secret is a configured value that must not be shown: an SMTP password, a
// DSN, a key. It prints as ***, or as nothing if it is empty.
type Secret string

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the value.
func (s Secret) GoString() string { return s.String() }

// Format hides the value from every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue hides the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the value from encoders of text, JSON and TOML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the value as it stands.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

func redact(f fmt.State) { _, _ = f.Write([]byte(redacted)) }

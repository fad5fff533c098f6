package password

import "log/slog"

// Hash is a stored password hash: a PHC string (argon2id) or an imported
// bcrypt hash. It prints as *** so that it can't reach a log by accident.
type Hash string

// String hides the hash.
func (h Hash) String() string { return "***" }

// GoString hides the hash.
func (h Hash) GoString() string { return "***" }

// LogValue hides the hash.
func (h Hash) LogValue() slog.Value { return slog.StringValue("***") }

// TokenHash is the SHA-256 of a token, the only form in which one is stored.
type TokenHash [32]byte

// Purpose says what a token is for; a token of one purpose is refused for another.
type Purpose string

// Reset tokens belong to the PageSeeder services (contract 1.8), Recovery
// tokens to the Wix flow (2.2), None marks a mail without a token.
const (
	None     Purpose = ""
	Reset    Purpose = "reset"
	Recovery Purpose = "recovery"
)

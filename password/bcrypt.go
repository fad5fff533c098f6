package password

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// Bounds of an imported bcrypt hash.
const (
	minBcryptCost = 10
	maxBcryptCost = 16
	bcryptSize    = 60 // characters
	bcryptBytes   = 72 // of a password that bcrypt looks at
)

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// isBcrypt reports whether a hash claims to be bcrypt, in the spellings that
// compute alike.
func isBcrypt(h Hash) bool {
	s := string(h)
	return strings.HasPrefix(s, "$2a$") || strings.HasPrefix(s, "$2b$") || strings.HasPrefix(s, "$2y$")
}

// checkBcrypt checks form and cost without computing anything.
func checkBcrypt(h Hash) error {
	if len(h) != bcryptSize || !isBcrypt(h) || h[6] != '$' ||
		strings.Trim(string(h[7:]), bcryptAlphabet) != "" {
		return ErrBadHash
	}
	cost, err := bcrypt.Cost([]byte(h))
	if err != nil {
		return ErrBadHash
	}
	if cost < minBcryptCost || cost > maxBcryptCost {
		return fmt.Errorf("%w: bcrypt cost %d is not within %d to %d", ErrBadHash, cost, minBcryptCost, maxBcryptCost)
	}
	return nil
}

// verifyBcrypt compares. The library accepts any tail after byte 72, so the
// length counts here; the work is done all the same, to cost the same.
func verifyBcrypt(h Hash, password string) (bool, error) {
	seen := password[:min(len(password), bcryptBytes)]
	err := bcrypt.CompareHashAndPassword([]byte(h), []byte(seen))
	if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, ErrBadHash
	}
	return err == nil && len(password) <= bcryptBytes, nil
}

package password

import (
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

// bcryptHash is a bcrypt hash: $2a$, $2b$ and $2y$ compute alike, $2x$ differs.
type bcryptHash string

// parseBcrypt checks form and cost without computing anything.
func parseBcrypt(s string) (verifier, error) {
	if len(s) != bcryptSize || !strings.Contains("abxy", s[2:3]) || s[3] != '$' || s[6] != '$' ||
		strings.Trim(s[7:], bcryptAlphabet) != "" {
		return nil, ErrBadHash
	}
	cost, err := bcrypt.Cost([]byte(s))
	if err != nil {
		return nil, ErrBadHash
	}
	if cost < minBcryptCost || cost > maxBcryptCost {
		return nil, costError("bcrypt", "cost", cost, minBcryptCost, maxBcryptCost)
	}
	return bcryptHash(s), nil
}

func (h bcryptHash) kind() string { return "bcrypt " + string(h[4:6]) }

// matches compares. The library accepts any tail after byte 72, so the length
// counts here; the work is done all the same, to cost the same.
func (h bcryptHash) matches(password string) bool {
	seen := []byte(password[:min(len(password), bcryptBytes)])
	if h[2] == 'x' {
		seen = signExtended(seen)
	}
	err := bcrypt.CompareHashAndPassword([]byte(h), seen)
	return err == nil && len(password) <= bcryptBytes
}

// signExtended returns a key with which bcrypt computes what the first versions
// of crypt_blowfish did: they took bytes above 127 for negative numbers, whose
// sign bits cover the bytes before them in the same word. Such hashes are
// marked $2x$. The key is as long as bcrypt reads, so that it doesn't repeat.
func signExtended(password []byte) []byte {
	cycle := append(password, 0)
	key := make([]byte, 0, bcryptBytes)
	for i := 0; len(key) < bcryptBytes; {
		var word uint32
		for range 4 {
			word = word<<8 | uint32(int32(int8(cycle[i%len(cycle)])))
			i++
		}
		key = append(key, byte(word>>24), byte(word>>16), byte(word>>8), byte(word))
	}
	return key
}

package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// MinKeyBytes is the shortest key that tokens are made with; NewKey makes keys
// of this size.
const MinKeyBytes = 32

// Keys are what tokens are made with. Tokens are always made with Current;
// those of mails that were queued before a rotation are found with Previous.
type Keys struct {
	Current  []byte
	Previous []byte // may be nil
}

// Validate reports whether tokens may be made with the keys.
func (k Keys) Validate() error {
	if len(k.Current) < MinKeyBytes {
		return fmt.Errorf("token key has %d bytes, at least %d are needed", len(k.Current), MinKeyBytes)
	}
	if n := len(k.Previous); n > 0 && n < MinKeyBytes {
		return fmt.Errorf("previous token key has %d bytes, at least %d are needed", n, MinKeyBytes)
	}
	return nil
}

// String hides the keys.
func (k Keys) String() string { return redacted }

// GoString hides the keys.
func (k Keys) GoString() string { return redacted }

// Format hides the keys from every verb.
func (k Keys) Format(f fmt.State, _ rune) { redact(f) }

// LogValue hides the keys.
func (k Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the keys from encoders of text, JSON and TOML.
func (k Keys) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// NewKey returns a new key from a source of randomness.
func NewKey(rand io.Reader) ([]byte, error) {
	key := make([]byte, MinKeyBytes)
	if _, err := io.ReadFull(rand, key); err != nil {
		return nil, fmt.Errorf("make a token key: %w", err)
	}
	return key, nil
}

// ParseKeys reads the text of a key file: one line with the current key and
// perhaps one more with the previous one, each the base64 (padded, as
// "openssl rand -base64 32" prints it) of at least MinKeyBytes bytes. Empty
// lines and lines that start with # don't count.
func ParseKeys(text string) (Keys, error) {
	var found [][]byte
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil {
			return Keys{}, fmt.Errorf("token keys: line %d is not base64", n+1)
		}
		found = append(found, key)
	}
	switch len(found) {
	case 0:
		return Keys{}, errors.New("token keys: no key")
	case 1:
		found = append(found, nil)
	case 2:
	default:
		return Keys{}, fmt.Errorf("token keys: %d keys, at most a current and a previous one", len(found))
	}
	k := Keys{Current: found[0], Previous: found[1]}
	return k, k.Validate()
}

// text returns what ParseKeys reads.
func (k Keys) text() string {
	text := "# Keys of the reset tokens: the current one, then perhaps the previous one. Keep them secret.\n"
	for _, key := range [][]byte{k.Current, k.Previous} {
		if len(key) > 0 {
			text += base64.StdEncoding.EncodeToString(key) + "\n"
		}
	}
	return text
}

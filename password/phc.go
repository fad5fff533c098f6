package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// ErrBadHash says that a stored or imported hash is of no known kind, is
// damaged, or would cost more, or less, than is allowed. It never says what
// the hash is.
var ErrBadHash = errors.New("password hash not usable")

// Params is what an argon2id hash costs.
type Params struct {
	Memory      uint32 // KiB, 8 to 262144, and at least 8 per lane
	Time        uint32 // passes, 1 to 16
	Parallelism uint8  // lanes, 1 to 16
}

// DefaultParams are those that the OWASP Password Storage Cheat Sheet gives
// for argon2id: 19 MiB, two passes, one lane.
func DefaultParams() Params { return Params{Memory: 19456, Time: 2, Parallelism: 1} }

// Bounds of what is read, so that a hash from elsewhere can't stop the service.
const (
	maxMemory      = 256 << 10 // KiB
	maxTime        = 16
	maxParallelism = 16
	minSalt        = 8
	maxSalt        = 64
	minKey         = 16
	maxKey         = 64
)

// Lengths of what is written, in bytes.
const (
	saltSize = 16
	keySize  = 32
)

func (p Params) validate() error {
	switch {
	case p.Parallelism < 1 || p.Parallelism > maxParallelism:
		return fmt.Errorf("argon2 parallelism %d is not within 1 to %d", p.Parallelism, maxParallelism)
	case p.Time < 1 || p.Time > maxTime:
		return fmt.Errorf("argon2 time %d is not within 1 to %d", p.Time, maxTime)
	case p.Memory < 8*uint32(p.Parallelism) || p.Memory > maxMemory:
		return fmt.Errorf("argon2 memory %d KiB is not within 8 for each lane to %d", p.Memory, maxMemory)
	default:
		return nil
	}
}

// argonHash is an argon2id hash taken apart.
type argonHash struct {
	params Params
	salt   []byte
	key    []byte
}

// String returns the PHC string.
func (a argonHash) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		a.params.Memory, a.params.Time, a.params.Parallelism,
		enc.EncodeToString(a.salt), enc.EncodeToString(a.key))
}

// parseArgon reads a PHC string, in its one canonical spelling and within bounds.
func parseArgon(h Hash) (argonHash, error) {
	f := strings.Split(string(h), "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != "v="+strconv.Itoa(argon2.Version) {
		return argonHash{}, ErrBadHash
	}
	var a argonHash
	var err error
	if a.params, err = parseParams(f[3]); err != nil {
		return argonHash{}, err
	}
	if a.salt, err = parseBytes(f[4], minSalt, maxSalt); err != nil {
		return argonHash{}, err
	}
	if a.key, err = parseBytes(f[5], minKey, maxKey); err != nil {
		return argonHash{}, err
	}
	return a, nil
}

// parseParams reads m=..,t=..,p=.. in this order.
func parseParams(s string) (Params, error) {
	f := strings.Split(s, ",")
	if len(f) != 3 {
		return Params{}, ErrBadHash
	}
	m, okM := parseParam(f[0], "m=", 32)
	t, okT := parseParam(f[1], "t=", 32)
	p, okP := parseParam(f[2], "p=", 8)
	if !okM || !okT || !okP {
		return Params{}, ErrBadHash
	}
	params := Params{Memory: uint32(m), Time: uint32(t), Parallelism: uint8(p)}
	if err := params.validate(); err != nil {
		return Params{}, fmt.Errorf("%w: %w", ErrBadHash, err)
	}
	return params, nil
}

// parseParam reads a number without sign and leading zeros, of so many bits.
func parseParam(s, prefix string, bits int) (uint64, bool) {
	digits, found := strings.CutPrefix(s, prefix)
	n, err := strconv.ParseUint(digits, 10, bits)
	return n, found && err == nil && strconv.FormatUint(n, 10) == digits
}

// parseBytes reads base64 without padding that stands for least to most bytes.
func parseBytes(s string, least, most int) ([]byte, error) {
	if len(s) > base64.RawStdEncoding.EncodedLen(most) || strings.ContainsAny(s, "\r\n") {
		return nil, ErrBadHash // the decoder would skip line breaks
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < least {
		return nil, ErrBadHash // the decoder's error tells where, and so something of the hash
	}
	return b, nil
}

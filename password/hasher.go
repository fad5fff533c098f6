package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"golang.org/x/crypto/argon2"
)

// ErrTooLong says that a password has more than MaxBytes bytes.
var ErrTooLong = errors.New("password too long to hash")

// How many callers may wait to hash, and for how long, where Config doesn't say.
const (
	DefaultQueue = 64
	DefaultWait  = time.Second
)

// Config is what a Hasher works by. The zero value is the default.
type Config struct {
	Params      Params    // zero: DefaultParams
	Concurrency int       // hashes computed at once; 0: one for each core
	Queue       int       // callers that may wait beyond these; 0: DefaultQueue, negative: none
	Rand        io.Reader // where salts come from; nil: crypto/rand

	// Wait is how long a caller may expect to wait, by what hashing took lately
	// and how many wait already; where that is longer there is no use in waiting.
	// 0: DefaultWait.
	Wait time.Duration
	Now  func() time.Time // nil: Wait does not count
}

// Hasher makes and verifies password hashes, a bounded number at once. It may
// be used by several goroutines.
type Hasher struct {
	params Params
	gate   *gate
	rand   io.Reader
	nobody argonHash
	derive func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
}

// NewHasher returns a Hasher; the error is about parameters out of bounds.
func NewHasher(c Config) (*Hasher, error) {
	if c.Params == (Params{}) {
		c.Params = DefaultParams()
	}
	if err := c.Params.validate(); err != nil {
		return nil, err
	}
	if c.Concurrency < 0 {
		return nil, fmt.Errorf("hashing concurrency %d is negative", c.Concurrency)
	}
	if c.Concurrency == 0 {
		c.Concurrency = runtime.GOMAXPROCS(0)
	}
	if c.Queue == 0 {
		c.Queue = DefaultQueue
	}
	if c.Wait == 0 {
		c.Wait = DefaultWait
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return &Hasher{
		params: c.Params,
		gate:   newGate(c),
		rand:   c.Rand,
		nobody: argonHash{params: c.Params, salt: make([]byte, saltSize), key: make([]byte, keySize)},
		derive: argon2.IDKey,
	}, nil
}

// Hash returns a new argon2id hash. Errors: ErrTooLong, ErrBusy, and the
// context's where the caller is gone before its turn. Whether a password is a
// good one is the Policy's business.
func (h *Hasher) Hash(ctx context.Context, password string) (Hash, error) {
	if len(password) > MaxBytes {
		return "", ErrTooLong
	}
	a := argonHash{params: h.params, salt: make([]byte, saltSize), key: make([]byte, keySize)}
	if _, err := io.ReadFull(h.rand, a.salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	if err := h.gate.do(ctx, func() { a.key = h.key(a, password) }); err != nil {
		return "", err
	}
	return Hash(a.String()), nil
}

// Verify reports whether the password is the one of the hash, and, where it
// is, whether the hash is outdated: bcrypt, or made with other parameters than
// today's. Such a hash should be replaced now that the password is at hand.
// A password of more than MaxBytes bytes matches nothing and costs nothing.
// Errors: ErrBadHash, ErrBusy, and the context's.
func (h *Hasher) Verify(ctx context.Context, hash Hash, password string) (ok, outdated bool, err error) {
	if len(password) > MaxBytes {
		return false, false, nil
	}
	if isBcrypt(hash) {
		ok, err = h.verifyBcrypt(ctx, hash, password)
		return ok, ok, err
	}
	a, err := parseArgon(hash)
	if err != nil {
		return false, false, err
	}
	ok, err = h.verifyArgon(ctx, a, password)
	return ok, ok && h.outdated(a), err
}

// VerifyNobody does the work of a Verify for an account that doesn't exist or
// has no password, so that a sign-in takes the same time. Errors: ErrBusy, and
// the context's.
func (h *Hasher) VerifyNobody(ctx context.Context, password string) error {
	if len(password) > MaxBytes {
		return nil
	}
	_, err := h.verifyArgon(ctx, h.nobody, password)
	return err
}

// ValidHash reports whether a hash from elsewhere can be verified here: a PHC
// string of argon2id or a bcrypt hash, within bounds. The error wraps
// ErrBadHash and doesn't show the hash.
func ValidHash(s string) error {
	h := Hash(s)
	if isBcrypt(h) {
		return checkBcrypt(h)
	}
	_, err := parseArgon(h)
	return err
}

func (h *Hasher) verifyArgon(ctx context.Context, a argonHash, password string) (ok bool, err error) {
	err = h.gate.do(ctx, func() {
		ok = subtle.ConstantTimeCompare(h.key(a, password), a.key) == 1
	})
	return ok, err
}

func (h *Hasher) verifyBcrypt(ctx context.Context, hash Hash, password string) (ok bool, err error) {
	if err := checkBcrypt(hash); err != nil {
		return false, err
	}
	var fault error
	err = h.gate.do(ctx, func() { ok, fault = verifyBcrypt(hash, password) })
	return ok, errors.Join(err, fault)
}

// key computes what a password yields with a hash's salt and parameters.
func (h *Hasher) key(a argonHash, password string) []byte {
	return h.derive([]byte(password), a.salt, a.params.Time, a.params.Memory, a.params.Parallelism, uint32(len(a.key)))
}

func (h *Hasher) outdated(a argonHash) bool {
	return a.params != h.params || len(a.salt) < saltSize || len(a.key) != keySize
}

package password

import (
	"cmp"
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

// How many callers may wait to hash, and for how long, if Config doesn't say.
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
	// and how many wait already; if that is longer there is no use in waiting.
	// 0: DefaultWait.
	Wait time.Duration
	Now  func() time.Time // nil: Wait does not count, and refusals are not evened out
	// Waited is told how long each caller waited that got its turn; nil: nobody is.
	Waited func(time.Duration)
}

// Hasher makes and verifies password hashes, a bounded number at once. It may
// be used by several goroutines.
type Hasher struct {
	params  Params
	limiter *limiter
	waited  func(time.Duration)
	floor   floor
	rand    io.Reader
	now     func() time.Time
	decoy   argonHash
	derive  func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
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
		params:  c.Params,
		limiter: newLimiter(c),
		waited:  c.Waited,
		rand:    c.Rand,
		now:     c.Now,
		decoy:   argonHash{params: c.Params, salt: make([]byte, saltSize), key: make([]byte, keySize)},
		derive:  argon2.IDKey,
	}, nil
}

// Hash returns a new argon2id hash of the password as Normalise returns it.
// Errors: ErrTooLong, ErrBusy, and the context's if the caller is gone before
// its turn. Whether a password is a good one is the Policy's business.
func (h *Hasher) Hash(ctx context.Context, password string) (Hash, error) {
	return h.HashChecked(ctx, password, func() error { return nil })
}

// HashChecked is Hash for a password that check finds nothing wrong with; an
// error of check is returned as it is. Both are done in one turn, so that what
// waited for a costly check is not refused after it.
func (h *Hasher) HashChecked(ctx context.Context, password string, check func() error) (Hash, error) {
	if len(password) > MaxBytes {
		return "", cmp.Or(check(), ErrTooLong)
	}
	a := argonHash{params: h.params, salt: make([]byte, saltSize), key: make([]byte, keySize)}
	if _, err := io.ReadFull(h.rand, a.salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	var fault error
	err := h.inTurn(ctx, func() {
		took := h.timed(func() {
			if fault = check(); fault == nil {
				a.key = h.key(a, Normalise(password))
			}
		})
		if fault == nil {
			h.limiter.learn(took)
		}
	})
	if err = cmp.Or(err, fault); err != nil {
		return "", err
	}
	return Hash(a.String()), nil
}

// Verdict is what a verification found.
type Verdict struct {
	OK       bool          // it is the hash's password
	Outdated bool          // and the hash should be replaced now that the password is at hand
	Took     time.Duration // the work alone, for EvenOut
}

// Verify reports whether the password is the one of the hash, as it stands or
// as Normalise returns it. A hash is outdated if it is of another kind than
// those made here, or of other parameters, or of a password that was not
// normalised. A password of more than MaxBytes bytes matches nothing and costs
// nothing. Errors: ErrBadHash, ErrBusy, and the context's.
func (h *Hasher) Verify(ctx context.Context, hash Hash, password string) (Verdict, error) {
	if len(password) > MaxBytes {
		return Verdict{}, nil
	}
	v, err := h.parse(hash)
	if err != nil {
		return Verdict{}, err
	}
	var d Verdict
	err = h.inTurn(ctx, func() {
		d.Took = h.timed(func() {
			for i, form := range forms(password) {
				if !d.OK && v.matches(form) {
					d.OK, d.Outdated = true, i > 0 || h.outdated(v)
				}
			}
		})
		h.limiter.learn(d.Took)
	})
	if err != nil {
		return Verdict{}, err
	}
	h.floor.learn(v.kind(), d.Took)
	return d, nil
}

// VerifyDecoy does the work of a Verify for an account that doesn't exist or
// has no password, so that a sign-in takes the same time. Errors: ErrBusy, and
// the context's.
func (h *Hasher) VerifyDecoy(ctx context.Context, password string) (Verdict, error) {
	return h.Verify(ctx, Hash(h.decoy.String()), password)
}

func (h *Hasher) timed(work func()) time.Duration {
	if h.now == nil {
		work()
		return 0
	}
	began := h.now()
	work()
	return max(h.now().Sub(began), 0) // a clock set back tells nothing
}

// inTurn does work when the limiter lets it, and tells how long that took.
func (h *Hasher) inTurn(ctx context.Context, work func()) error {
	if h.waited == nil || h.now == nil {
		return h.limiter.do(ctx, work)
	}
	began := h.now()
	return h.limiter.do(ctx, func() {
		h.waited(max(h.now().Sub(began), 0))
		work()
	})
}

// ValidHash reports whether a hash from elsewhere can be verified here: one of
// the kinds that doc.go lists, within bounds. The error wraps ErrBadHash and
// doesn't show the hash.
func ValidHash(s string) error {
	_, err := (&Hasher{}).parse(Hash(s))
	return err
}

// argonVerifier is an argon2id hash with the function that computes it.
type argonVerifier struct {
	argonHash
	hasher *Hasher
}

func (v argonVerifier) kind() string { return fmt.Sprintf("argon2id %v", v.params) }

func (v argonVerifier) matches(password string) bool {
	return subtle.ConstantTimeCompare(v.hasher.key(v.argonHash, password), v.key) == 1
}

// key computes what a password yields with a hash's salt and parameters.
func (h *Hasher) key(a argonHash, password string) []byte {
	return h.derive([]byte(password), a.salt, a.params.Time, a.params.Memory, a.params.Parallelism, uint32(len(a.key)))
}

func (h *Hasher) outdated(v verifier) bool {
	a, ok := v.(argonVerifier)
	return !ok || a.params != h.params || len(a.salt) < saltSize || len(a.key) != keySize
}

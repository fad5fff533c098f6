package password

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Bounds of imported hashes. The upper ones keep one sign-in from taking
// seconds or hundreds of megabytes.
const (
	minIterations   = 1000
	maxIterations   = 2_000_000 // of PBKDF2, for all blocks of the key together
	maxScryptMemory = 128 << 20 // bytes
	maxScryptWork   = 1 << 20   // N times r times p, about
	minScryptWork   = 1 << 12
)

func costError(kind, what string, got, low, high int) error {
	return fmt.Errorf("%w: %s %s of %d is not within %d to %d", ErrBadHash, kind, what, got, low, high)
}

// pbkdf2Hash is a hash by PBKDF2 (RFC 8018).
type pbkdf2Hash struct {
	new        func() hash.Hash
	iterations int
	salt, key  []byte
}

func (p pbkdf2Hash) kind() string {
	return fmt.Sprintf("pbkdf2 %d %d %d", p.new().Size(), p.iterations, len(p.key))
}

func (p pbkdf2Hash) matches(password string) bool {
	key, err := pbkdf2.Key(p.new, password, p.salt, p.iterations, len(p.key))
	return err == nil && subtle.ConstantTimeCompare(key, p.key) == 1
}

func newPBKDF2(digest string, iterations int, salt, key []byte) (verifier, error) {
	newHash := digests[digest]
	if newHash == nil || digest == "md5" || len(key) < minKey || len(key) > maxKey || len(salt) > maxSalt {
		return nil, ErrBadHash
	}
	size := newHash().Size()
	work := iterations * ((len(key) + size - 1) / size)
	if iterations < minIterations || iterations > maxIterations || work > maxIterations {
		return nil, costError("PBKDF2", "iteration count", iterations, minIterations, maxIterations)
	}
	return pbkdf2Hash{new: newHash, iterations: iterations, salt: salt, key: key}, nil
}

// parsePBKDF2 reads passlib's $pbkdf2-sha256$ROUNDS$SALT$KEY, in which base64
// has '.' for '+'; $pbkdf2$ is SHA-1. Keycloak's values fit the same form.
func parsePBKDF2(s string) (verifier, error) {
	f := strings.Split(s, "$")
	if len(f) != 5 {
		return nil, ErrBadHash
	}
	digest := "sha1"
	if f[1] != "pbkdf2" {
		digest = strings.TrimPrefix(f[1], "pbkdf2-")
	}
	iterations, err := strconv.Atoi(f[2])
	salt, errSalt := decode(base64.StdEncoding, strings.ReplaceAll(f[3], ".", "+"))
	key, errKey := decode(base64.StdEncoding, strings.ReplaceAll(f[4], ".", "+"))
	if err != nil || errSalt != nil || errKey != nil {
		return nil, ErrBadHash
	}
	return newPBKDF2(digest, iterations, salt, key)
}

// parseDjangoPBKDF2 reads pbkdf2_sha256$ITERATIONS$SALT$KEY, in which the salt
// stands as text.
func parseDjangoPBKDF2(s string) (verifier, error) {
	f := strings.Split(s, "$")
	if len(f) != 4 {
		return nil, ErrBadHash
	}
	iterations, err := strconv.Atoi(f[1])
	key, errKey := decode(base64.StdEncoding, f[3])
	if err != nil || errKey != nil {
		return nil, ErrBadHash
	}
	return newPBKDF2(strings.TrimPrefix(f[0], "pbkdf2_"), iterations, []byte(f[2]), key)
}

// aspNetPrefix is how version 3 of ASP.NET Identity's hashes starts in base64:
// the byte 1, then a number below 2^24.
const aspNetPrefix = "AQAAAA"

// parseASPNet reads base64 of 1, then in 4 bytes each the function, the
// iterations and the salt's length, then salt and key.
func parseASPNet(s string) (verifier, error) {
	b, err := decode(base64.StdEncoding, s)
	if err != nil || len(b) < 13 {
		return nil, ErrBadHash
	}
	function, iterations, size := binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint32(b[5:]), binary.BigEndian.Uint32(b[9:])
	names := []string{"sha1", "sha256", "sha512"}
	if int(function) >= len(names) || iterations > maxIterations || uint64(size) > uint64(len(b)-13) {
		return nil, ErrBadHash
	}
	return newPBKDF2(names[function], int(iterations), b[13:13+size], b[13+size:])
}

// scryptHash is a hash by scrypt (RFC 7914).
type scryptHash struct {
	logN, r, p int
	salt, key  []byte
}

func (s scryptHash) derive(password string, size int) []byte {
	key, err := scrypt.Key([]byte(password), s.salt, 1<<s.logN, s.r, s.p, size)
	if err != nil {
		return nil // only for parameters that validate refuses
	}
	return key
}

func (s scryptHash) kind() string { return fmt.Sprintf("scrypt %d %d %d", s.logN, s.r, s.p) }

func (s scryptHash) matches(password string) bool {
	return subtle.ConstantTimeCompare(s.derive(password, len(s.key)), s.key) == 1
}

func (s scryptHash) validate() error {
	if s.logN < 1 || s.logN > 24 || s.r < 1 || s.r > 64 || s.p < 1 || s.p > 16 || len(s.salt) > maxSalt {
		return ErrBadHash
	}
	if memory := 128 * s.r << s.logN; memory > maxScryptMemory {
		return costError("scrypt", "memory", memory, 128, maxScryptMemory)
	}
	if work := s.r * s.p << s.logN; work < minScryptWork || work > maxScryptWork {
		return costError("scrypt", "work", work, minScryptWork, maxScryptWork)
	}
	return nil
}

// parseScrypt reads a PHC string, $scrypt$ln=16,r=8,p=1$SALT$KEY.
func parseScrypt(s string) (verifier, error) {
	f := strings.Split(s, "$")
	if len(f) != 5 {
		return nil, ErrBadHash
	}
	h, err := scryptParams(f[2])
	if err != nil {
		return nil, err
	}
	var errSalt, errKey error
	h.salt, errSalt = decode(base64.StdEncoding, f[3])
	h.key, errKey = decode(base64.StdEncoding, f[4])
	if errSalt != nil || errKey != nil || len(h.key) < minKey || len(h.key) > maxKey {
		return nil, ErrBadHash
	}
	return h, h.validate()
}

func scryptParams(s string) (h scryptHash, err error) {
	f := strings.Split(s, ",")
	if len(f) != 3 {
		return h, ErrBadHash
	}
	for i, field := range []struct {
		name  string
		value *int
	}{{"ln=", &h.logN}, {"r=", &h.r}, {"p=", &h.p}} {
		n, ok := parseParam(f[i], field.name, 8)
		if !ok {
			return h, ErrBadHash
		}
		*field.value = int(n)
	}
	return h, nil
}

// firebaseHash is Firebase's variant of scrypt: what it derives encrypts the
// project's signer key, and that is the hash.
type firebaseHash struct {
	scryptHash
	signer, key []byte
}

func (f firebaseHash) matches(password string) bool {
	block, err := aes.NewCipher(f.derive(password, 32))
	if err != nil {
		return false
	}
	key := make([]byte, len(f.signer))
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(key, f.signer)
	return subtle.ConstantTimeCompare(key, f.key) == 1
}

// parseFirebase reads $fbscrypt$v=1,n=14,r=8,p=1,ss=SEPARATOR,sk=SIGNER$SALT$KEY,
// the form in which other servers keep such hashes: n is Firebase's memory
// cost, r its rounds, ss its salt separator and sk the project's signer key.
func parseFirebase(s string) (verifier, error) {
	f := strings.Split(s, "$")
	if len(f) != 5 {
		return nil, ErrBadHash
	}
	rest, version := strings.CutPrefix(f[2], "v=1,n=")
	numbers, signer, found := strings.Cut(rest, ",sk=")
	params, separator, alsoFound := strings.Cut(numbers, ",ss=")
	h, err := scryptParams("ln=" + params)
	if !version || !found || !alsoFound || err != nil {
		return nil, ErrBadHash
	}
	parts := [4][]byte{}
	for i, text := range []string{signer, separator, f[3], f[4]} {
		if parts[i], err = decode(base64.StdEncoding, text); err != nil {
			return nil, err
		}
	}
	h.salt = append(parts[2], parts[1]...)
	if len(parts[0]) < minKey || len(parts[0]) != len(parts[3]) {
		return nil, ErrBadHash
	}
	return firebaseHash{scryptHash: h, signer: parts[0], key: parts[3]}, h.validate()
}

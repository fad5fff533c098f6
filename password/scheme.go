package password

import (
	"crypto/md5"  //nolint:gosec // imported hashes
	"crypto/sha1" //nolint:gosec // imported hashes
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// verifier is a stored hash taken apart. It does the same work for a password
// that matches as for one that doesn't.
type verifier interface {
	matches(password string) bool
	// kind names what the work costs: hashes of one kind take the same time.
	kind() string
}

// parse takes a hash apart by its kind. Error: ErrBadHash.
func (h *Hasher) parse(stored Hash) (verifier, error) {
	s := string(stored)
	for _, kind := range []struct {
		prefix string
		parse  func(string) (verifier, error)
	}{
		{"$argon2id$", h.parseArgon},
		{"$2", parseBcrypt},
		{"$pbkdf2", parsePBKDF2},
		{"pbkdf2_", parseDjangoPBKDF2},
		{aspNetPrefix, parseASPNet},
		{"$scrypt$", parseScrypt},
		{"$fbscrypt$", parseFirebase},
		{"{", parseLDAP},
		{"$P$", parsePhpass},
		{"$H$", parsePhpass},
		{"md5$", parseSalted},
		{"sha1$", parseSalted},
		{"sha256$", parseSalted},
		{"sha512$", parseSalted},
	} {
		if strings.HasPrefix(s, kind.prefix) {
			return kind.parse(s)
		}
	}
	return nil, ErrBadHash
}

func (h *Hasher) parseArgon(s string) (verifier, error) {
	a, err := parseArgon(Hash(s))
	return argonVerifier{a, h}, err
}

// digests are the hash functions by the names that stored hashes give them.
var digests = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New,
}

// digest is a hash of one pass over a salt and the password.
type digest struct {
	new       func() hash.Hash
	saltFirst bool
	salt, key []byte
}

func (d digest) kind() string { return "digest" }

func (d digest) matches(password string) bool {
	h := d.new()
	if d.saltFirst {
		h.Write(d.salt)
	}
	h.Write([]byte(password))
	if !d.saltFirst {
		h.Write(d.salt)
	}
	return subtle.ConstantTimeCompare(h.Sum(nil), d.key) == 1
}

// ldapSchemes are the names of salted digests in directories (RFC 3112 and
// OpenLDAP): base64 of the digest of password and salt, and the salt behind it.
var ldapSchemes = map[string]string{"SMD5": "md5", "SSHA": "sha1", "SSHA256": "sha256", "SSHA512": "sha512"}

func parseLDAP(s string) (verifier, error) {
	scheme, text, found := strings.Cut(s[1:], "}")
	newDigest := digests[ldapSchemes[strings.ToUpper(scheme)]]
	if !found || newDigest == nil {
		return nil, ErrBadHash
	}
	b, err := decode(base64.StdEncoding, text)
	size := newDigest().Size()
	if err != nil || len(b) <= size || len(b) > size+maxSalt {
		return nil, ErrBadHash
	}
	return digest{new: newDigest, key: b[:size], salt: b[size:]}, nil
}

// parseSalted reads NAME$SALT$HEX, the digest of salt and password: Django's
// salted MD5 and SHA-1, and the same of SHA-256 and SHA-512.
func parseSalted(s string) (verifier, error) {
	f := strings.Split(s, "$")
	if len(f) != 3 || f[1] == "" || len(f[1]) > maxSalt {
		return nil, ErrBadHash
	}
	newDigest := digests[f[0]]
	key, err := hex.DecodeString(f[2])
	if err != nil || len(key) != newDigest().Size() {
		return nil, ErrBadHash
	}
	return digest{new: newDigest, saltFirst: true, salt: []byte(f[1]), key: key}, nil
}

// phpass is the portable hash of WordPress, phpBB and others: MD5 over salt and
// password, then again and again over the result and the password.
type phpass struct {
	rounds int
	salt   string
	key    string // in phpass's own base64
}

const phpassAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func parsePhpass(s string) (verifier, error) {
	if len(s) != 34 || strings.Trim(s[3:], phpassAlphabet) != "" {
		return nil, ErrBadHash
	}
	log := strings.IndexByte(phpassAlphabet, s[3])
	if log < 7 || log > 20 {
		return nil, costError("phpass", "rounds", 1<<log, 1<<7, 1<<20)
	}
	return phpass{rounds: 1 << log, salt: s[4:12], key: s[12:]}, nil
}

func (p phpass) kind() string { return fmt.Sprintf("phpass %d", p.rounds) }

func (p phpass) matches(password string) bool {
	sum := md5.Sum([]byte(p.salt + password)) //nolint:gosec // an imported hash
	buffer := make([]byte, 0, len(sum)+len(password))
	for range p.rounds {
		sum = md5.Sum(append(append(buffer, sum[:]...), password...)) //nolint:gosec // an imported hash
	}
	return subtle.ConstantTimeCompare([]byte(phpassEncode(sum[:])), []byte(p.key)) == 1
}

// phpassEncode writes three bytes as four characters, the lowest bits first.
func phpassEncode(b []byte) string {
	var out []byte
	for i := 0; i < len(b); i += 3 {
		var v uint
		part := b[i:min(i+3, len(b))]
		for n, c := range part {
			v |= uint(c) << (8 * n)
		}
		for range len(part) + 1 {
			out = append(out, phpassAlphabet[v&63])
			v >>= 6
		}
	}
	return string(out)
}

// decode reads base64 without line breaks, with its padding or without.
func decode(e *base64.Encoding, s string) ([]byte, error) {
	if len(s) > 1024 || strings.ContainsAny(s, "\r\n") {
		return nil, ErrBadHash
	}
	b, err := e.WithPadding(base64.NoPadding).DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, ErrBadHash // the decoder's error tells something of the hash
	}
	return b, nil
}

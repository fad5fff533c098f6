package password

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode"
)

// messageDomain separates tokens from anything else that the key may ever sign.
const messageDomain = "reseed/token/v1"

// shape returns a purpose's prefix and how many bytes follow it, in base64url:
// 32 characters for Reset (contract 1.8), ART and 40 more for Recovery (2.2).
// There are no tokens of other purposes.
func (p Purpose) shape() (prefix string, size int, ok bool) {
	switch p {
	case Reset, Activation, EmailChange:
		return "", 24, true
	case Recovery:
		return "ART", 30, true
	default:
		return "", 0, false
	}
}

// Token returns the token of a row: the same one whenever it is asked for, and
// never stored. It panics for a purpose without tokens, and for a current key
// that Validate refuses, since a token without a key could be computed by anyone.
func (k Keys) Token(p Purpose, id [16]byte, member int64) string {
	if len(k.Current) < MinKeyBytes {
		panic("password: token asked for without a key")
	}
	return token(k.Current, p, id, member)
}

// TokenFor returns the token of a row that was stored with the hash want,
// whichever of the keys it was made with; false where neither made it.
func (k Keys) TokenFor(p Purpose, id [16]byte, member int64, want TokenHash) (string, bool) {
	if _, _, ok := p.shape(); !ok {
		return "", false
	}
	for _, key := range [][]byte{k.Current, k.Previous} {
		if len(key) < MinKeyBytes {
			continue
		}
		if t := token(key, p, id, member); HashToken(t).Equal(want) {
			return t, true
		}
	}
	return "", false
}

func token(key []byte, p Purpose, id [16]byte, member int64) string {
	prefix, size, ok := p.shape()
	if !ok {
		panic("password: no tokens of this purpose")
	}
	mac := hmac.New(sha256.New, key)
	message := tokenMessage(p, id, member)
	for {
		mac.Write(message)
		sum := mac.Sum(nil)
		if t := prefix + base64.RawURLEncoding.EncodeToString(sum[:size]); endsPlainly(t) {
			return t
		}
		// Programs that find links in text leave a '-' or '_' at the end out. Drawing
		// again costs log2(64/62) bits for each end: 191.9 bits are left of 192.
		mac.Reset()
		message = append(tokenMessage(p, id, member), sum...)
	}
}

// endsPlainly reports whether a token starts and ends in a letter or digit.
func endsPlainly(token string) bool {
	return isAlphanumeric(token[0]) && isAlphanumeric(token[len(token)-1])
}

// CleanToken returns a token as it was mailed, without what people and mail
// programs leave around a link: spaces, invisible characters, punctuation and
// the percent signs of their escapes. A token has none of these at its ends.
func CleanToken(token string) string {
	token = strings.TrimFunc(token, func(r rune) bool { return r > unicode.MaxASCII || !urlSafe(byte(r)) && r != '%' })
	if cut := strings.IndexByte(token, '%'); cut > 0 { // an escape that was escaped again
		token = token[:cut]
	}
	return strings.Trim(token, "-_%")
}

// tokenMessage encodes what a token stands for: each part with its length
// before it, so that no two messages are the same bytes.
func tokenMessage(p Purpose, id [16]byte, member int64) []byte {
	b := make([]byte, 0, 128) // more than there are
	for _, part := range [][]byte{
		[]byte(messageDomain), []byte(p), id[:], binary.BigEndian.AppendUint64(nil, uint64(member)),
	} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// HashToken returns what is stored of a token, and looked up.
func HashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// WellFormed reports whether a string could be a token of the purpose, by
// prefix, length and alphabet alone.
func WellFormed(p Purpose, token string) bool {
	prefix, size, ok := p.shape()
	rest, found := strings.CutPrefix(token, prefix)
	if !ok || !found || len(rest) != base64.RawURLEncoding.EncodedLen(size) || !endsPlainly(token) {
		return false
	}
	for _, c := range []byte(rest) {
		if !urlSafe(c) {
			return false
		}
	}
	return true
}

func urlSafe(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

package password

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Derive returns a key of 32 bytes for another use than tokens, made from the
// current key. Each purpose yields its own.
func (k Keys) Derive(purpose string) []byte {
	mac := hmac.New(sha256.New, k.Current)
	mac.Write([]byte("reseed/derive/v1\x00" + purpose))
	return mac.Sum(nil)
}

package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/reseed-project/reseed/password"
)

// secretPrefix marks a secret, as the specification says.
const secretPrefix = "whsec_"

// Secrets derives the hooks' secrets from the installation's keys. They are stored
// nowhere: a database that leaked forges no request.
type Secrets struct{ keys [][]byte }

// NewSecrets returns the secrets that follow from keys. With a previous key
// requests are signed twice, so that receivers may go over to the new secret.
func NewSecrets(k password.Keys) Secrets {
	s := Secrets{keys: [][]byte{k.Derive("webhooks")}}
	if len(k.Previous) > 0 {
		s.keys = append(s.keys, password.Keys{Current: k.Previous}.Derive("webhooks"))
	}
	return s
}

// Of returns a hook's secret as receivers are told it.
func (s Secrets) Of(h Hook) password.Secret {
	return password.Secret(secretPrefix + base64.StdEncoding.EncodeToString(secret(s.keys[0], h)))
}

func secret(key []byte, h Hook) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(h.Salt[:])
	return mac.Sum(nil)
}

// sign returns the signatures of a message: one for each key.
func (s Secrets) sign(h Hook, id string, at time.Time, body []byte) string {
	var list []string
	for _, key := range s.keys {
		mac := hmac.New(sha256.New, secret(key, h))
		fmt.Fprintf(mac, "%s.%s.", id, strconv.FormatInt(at.Unix(), 10))
		mac.Write(body)
		list = append(list, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(list, " ")
}

// payload is what a receiver is told: what happened, when, and to whom by number.
// No name, no address, no secret.
type payload struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      struct {
		Member int64 `json:"member,omitempty"`
	} `json:"data"`
}

func (c Call) body() ([]byte, error) {
	p := payload{Type: c.Kind, Timestamp: c.At.UTC().Format(time.RFC3339Nano)}
	p.Data.Member = c.MemberID
	return json.Marshal(p)
}

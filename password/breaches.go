package password

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // what such services are asked by
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Bounds of a question to the service.
const (
	breachTimeout = 2 * time.Second
	maxBreaches   = 1 << 20 // bytes of an answer
	prefixDigits  = 5       // of the SHA-1 that leave this machine
)

// Breaches asks a service for passwords that are known from breaches of other
// sites, by range (k-anonymity): the service learns the first five digits of a
// password's SHA-1, which hundreds of passwords share, and answers the rest of
// each that it knows, one a line with how often it was seen, as SUFFIX:COUNT.
type Breaches struct {
	URL    string       // to which the five digits are appended
	Client *http.Client // nil: one of its own, which follows no redirects
}

// Known reports whether a password is known from a breach. It takes two seconds
// at most; an error says that the service could not be asked, and holds nothing
// of the password.
func (b Breaches) Known(ctx context.Context, password string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, breachTimeout)
	defer cancel()
	sum := sha1.Sum([]byte(Normalise(password))) //nolint:gosec // see the import
	digits := strings.ToUpper(hex.EncodeToString(sum[:]))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL+digits[:prefixDigits], nil)
	if err != nil {
		return false, errBreaches
	}
	r.Header.Set("Add-Padding", "true") // so that the size of the answer tells nothing
	resp, err := b.client().Do(r)
	if err != nil {
		return false, errBreaches // the error's text holds the address with the digits
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%w: status %d", errBreaches, resp.StatusCode)
	}
	lines := bufio.NewScanner(io.LimitReader(resp.Body, maxBreaches))
	for lines.Scan() {
		rest, count, found := strings.Cut(lines.Text(), ":")
		if found && strings.EqualFold(rest, digits[prefixDigits:]) && strings.Trim(count, "0 ") != "" {
			return true, nil
		}
	}
	if lines.Err() != nil {
		return false, errBreaches
	}
	return false, nil
}

var errBreaches = errors.New("the service for passwords from breaches can't be asked")

func (b Breaches) client() *http.Client {
	if b.Client != nil {
		return b.Client
	}
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

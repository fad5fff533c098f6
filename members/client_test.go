package members

import (
	"regexp"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/password"
)

func TestNewClient(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		c, secret, err := NewClient("nightly", Member{ID: 7}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(c.ID) || !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(secret) {
			t.Fatalf("id %q, secret of %d characters", c.ID, len(secret))
		}
		if c.Secret != password.HashToken(secret) || c.Member.ID != 7 || c.Name != "nightly" {
			t.Fatalf("client %+v", c)
		}
		if seen[c.ID] || seen[secret] {
			t.Fatal("an id or a secret twice")
		}
		seen[c.ID], seen[secret] = true, true
	}
}

// A name reaches lists and logs: nothing in it may start a line or a header (F10).
func TestClientNames(t *testing.T) {
	for name, good := range map[string]bool{
		"nightly": true, "Web site é😀": true, strings.Repeat("é", 100): true,
		"": false, strings.Repeat("n", 101): false, "a\r\nSet-Cookie: x": false, "a\x00": false, "a\x1b[31m": false,
		"a\u2028b": false, "a\u202eb": false, "a\x85b": false, "\xff": false,
	} {
		if _, _, err := NewClient(name, Member{}, nil); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

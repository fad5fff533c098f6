package password

import (
	"strings"
	"testing"
)

const (
	salt8 = "c29tZXNhbHQ"
	key32 = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U4bMCwaPiw"
)

// badHashes are each one step away from a good one.
var badHashes = []string{
	"",
	"password",
	"$argon2id$",
	"$argon2i$v=19$m=256,t=2,p=1$" + salt8 + "$" + key32,
	"$argon2d$v=19$m=256,t=2,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=16$m=256,t=2,p=1$" + salt8 + "$" + key32,
	"$argon2id$m=256,t=2,p=1$" + salt8 + "$" + key32,
	"x$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "$" + key32 + "$",
	"$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "$" + key32 + "\n",
	"$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "\n$" + key32,
	"$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "==$" + key32,
	"$argon2id$v=19$m=256,t=2,p=1$" + salt8[:8] + "$" + key32,
	"$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "$" + key32[:20],
	"$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "$" + key32[:42] + "x",
	"$argon2id$v=19$m=256,t=2,p=1$" + strings.Repeat("AAAA", 22) + "$" + key32,
	"$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "$" + strings.Repeat("AAAA", 22),
	"$argon2id$v=19$m=256,t=2$" + salt8 + "$" + key32,
	"$argon2id$v=19$t=2,m=256,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=256,t=2,p=1,x=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=0256,t=2,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=+256,t=2,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=7,t=2,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=262145,t=2,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=4294967296,t=2,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=256,t=0,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=256,t=17,p=1$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=256,t=2,p=0$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=256,t=2,p=17$" + salt8 + "$" + key32,
	"$argon2id$v=19$m=256,t=2,p=257$" + salt8 + "$" + key32,
	"$2a$09$" + strings.Repeat("a", 53),
	"$2a$17$" + strings.Repeat("a", 53),
	"$2a$31$" + strings.Repeat("a", 53),
	"$2a$10$" + strings.Repeat("a", 52),
	"$2a$10$" + strings.Repeat("a", 54),
	"$2a$10$" + strings.Repeat("a", 52) + "=",
	"$2a$1x$" + strings.Repeat("a", 53),
	"$2a$100" + strings.Repeat("a", 53),
	"$2z$10$" + strings.Repeat("a", 53),
	"$2$10$" + strings.Repeat("a", 54),
	"$1$salt$" + strings.Repeat("a", 22),
}

func TestValidHash(t *testing.T) {
	for _, good := range []string{
		"$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "$" + key32,
		"$argon2id$v=19$m=8,t=1,p=1$" + salt8 + "$" + key32[:21] + "A",
		"$argon2id$v=19$m=262144,t=16,p=16$" + salt8 + "$" + key32,
		"$2a$10$" + strings.Repeat("a", 53),
		"$2b$12$" + strings.Repeat("/", 53),
		"$2y$16$" + strings.Repeat(".", 53),
	} {
		if err := ValidHash(good); err != nil {
			t.Errorf("ValidHash(%q) = %v", good, err)
		}
	}
	for _, bad := range badHashes {
		if err := ValidHash(bad); err == nil {
			t.Errorf("ValidHash(%q) = nil", bad)
		}
	}
}

func FuzzPHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$" + salt8 + "$" + key32)
	for _, bad := range badHashes {
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseArgon(Hash(s))
		if err == nil && ValidHash(s) != nil {
			t.Fatalf("ValidHash(%q) is an error", s)
		}
		if err != nil {
			return
		}
		if a.String() != s {
			t.Fatalf("%q is read as %q", s, a.String())
		}
		if a.params.validate() != nil || len(a.salt) > maxSalt || len(a.key) > maxKey || len(a.key) < minKey {
			t.Fatalf("%q is out of bounds", s)
		}
	})
}

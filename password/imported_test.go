package password

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// TestImportedHashes verifies hashes that other implementations made (see
// testdata/make_vectors.mjs), that others than their passwords don't match, and
// that they are replaced.
func TestImportedHashes(t *testing.T) {
	text, err := os.ReadFile("testdata/imported.txt")
	if err != nil {
		t.Fatal(err)
	}
	h := newHasher(t, Config{Params: cheap})
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		word, err := hex.DecodeString(f[2])
		if err != nil {
			t.Fatal(err)
		}
		t.Run(f[0], func(t *testing.T) {
			if err := ValidHash(f[1]); err != nil {
				t.Fatal(err)
			}
			checkVerify(t, h, Hash(f[1]), string(word), true, true)
			checkVerify(t, h, Hash(f[1]), string(word)+"!", false, false)
		})
	}
}

// TestImportedHashesAreBounded holds PWD-7 for the other kinds.
func TestImportedHashesAreBounded(t *testing.T) {
	h := newHasher(t, Config{Params: cheap})
	aspnet := func(iterations byte) string {
		return base64.StdEncoding.EncodeToString(append([]byte{1, 0, 0, 0, 1, iterations, 0, 0, 0, 0, 0, 0, 16}, make([]byte, 48)...))
	}
	key := strings.Repeat("A", 43)
	for _, bad := range []string{
		"$pbkdf2-sha256$999$c2FsdHNhbHQ$" + key,
		"$pbkdf2-sha256$2000001$c2FsdHNhbHQ$" + key,
		"$pbkdf2$1500000$c2FsdHNhbHQ$" + key, // two blocks of SHA-1
		"$pbkdf2-sha256$-5$c2FsdHNhbHQ$" + key,
		"$pbkdf2-sha256$99999999999999999999$c2FsdHNhbHQ$" + key,
		"$pbkdf2-md5$2000$c2FsdHNhbHQ$" + key,
		"$pbkdf2-sha256$2000$c2FsdHNhbHQ$AAAA",
		"$pbkdf2-sha256$2000$c2Fs\ndHNhbHQ$" + key,
		"pbkdf2_sha256$2000$salt",
		"pbkdf2_sha3$2000$salt$" + key,
		aspnet(0), aspnet(0xff), aspNetPrefix, "AQAAAAkAACcQAAAAEA" + key + key,
		"$scrypt$ln=25,r=8,p=1$c2FsdHNhbHQ$" + key,
		"$scrypt$ln=17,r=16,p=1$c2FsdHNhbHQ$" + key,
		"$scrypt$ln=16,r=8,p=16$c2FsdHNhbHQ$" + key,
		"$scrypt$ln=1,r=8,p=1$c2FsdHNhbHQ$" + key,
		"$scrypt$ln=10,r=8$c2FsdHNhbHQ$" + key,
		"$scrypt$ln=10,r=8,p=1$c2FsdHNhbHQ$AAAA",
		"$fbscrypt$v=1,n=24,r=8,p=1,ss=Bw==,sk=" + key + "$c2FsdHNhbHQ$" + key,
		"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=AAAA$c2FsdHNhbHQ$AAAA",
		"$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk=" + key + "$c2FsdHNhbHQ$" + key,
		"{SSHA}AAAA", "{SSHA}" + base64.StdEncoding.EncodeToString(make([]byte, 20)), "{CRYPT}x", "{SSHA", "{}",
		"{SSHA}" + base64.StdEncoding.EncodeToString(make([]byte, 20+maxSalt+1)),
		"md5$$5c6792b050da0ac97fc27fbca5663a59", "md5$a$5c", "md5$a$b$5c6792b050da0ac97fc27fbca5663a59", "sha1$salt$zz",
		"$P$ZtestSalt1ZRKN1wOFEts0tHDslM4h.", "$P$.testSalt1ZRKN1wOFEts0tHDslM4h.", "$P$BtestSalt", "$P$*testSalt1ZRKN1wOFEts0tHDslM4h.",
		"$2z$10$" + strings.Repeat("a", 53), "$2x$31$" + strings.Repeat("a", 53), "$2", "$2$",
	} {
		start := time.Now()
		d, err := h.Verify(t.Context(), Hash(bad), "password")
		if took := time.Since(start); !errors.Is(err, ErrBadHash) || d.OK || took > 50*time.Millisecond {
			t.Errorf("Verify(%q) = %v, %v after %v, want ErrBadHash at once", bad, d.OK, err, took)
		}
		if err != nil && len(bad) > 30 && strings.Contains(err.Error(), bad[len(bad)-12:]) {
			t.Errorf("the error shows the hash: %v", err)
		}
	}
}

func FuzzImportedHash(f *testing.F) {
	for _, seed := range append(badHashes, "$scrypt$ln=10,r=8,p=1$AAAA$AAAA", "$P$BtestSalt1ZRKN1wOFEts0tHDslM4h.", "{SSHA}AAAA",
		"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=AAAA$AAAA$AAAA", "AQAAAAEAACcQAAAAEJvS", "pbkdf2_sha256$1$a$b") {
		f.Add(seed)
	}
	h, err := NewHasher(Config{Params: cheap})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := h.parse(Hash(s)); err != nil && !errors.Is(err, ErrBadHash) {
			t.Errorf("parse(%q) = %v", s, err)
		}
	})
}

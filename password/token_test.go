package password

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strings"
	"testing"
)

func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, MinKeyBytes) }

var (
	testKeys = Keys{Current: testKey(1)}
	testID   = [16]byte{0: 7, 15: 9}
)

func TestTokenShape(t *testing.T) {
	reset, recovery := testKeys.Token(Reset, testID, 12), testKeys.Token(Recovery, testID, 12)
	if len(reset) != 32 {
		t.Errorf("a reset token has %d characters, want 32", len(reset))
	}
	if len(recovery) != 43 || !strings.HasPrefix(recovery, "ART") {
		t.Errorf("a recovery token has %d characters and begins with %.3s", len(recovery), recovery)
	}
	for _, token := range []string{reset, recovery} {
		if url.QueryEscape(token) != token {
			t.Error("a token needs escaping")
		}
	}
}

// TestTokenBytes pins the construction: a change would void the links in
// mails that are out, and of those queued.
func TestTokenBytes(t *testing.T) {
	want := "\x00\x00\x00\x0freseed/token/v1\x00\x00\x00\x05reset\x00\x00\x00\x10" + string(testID[:]) +
		"\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x0c"
	if got := string(tokenMessage(Reset, testID, 12)); got != want {
		t.Errorf("message is %q, want %q", got, want)
	}
	for p, want := range map[Purpose]string{
		Reset:    "7QXbeaZyCUst54uTB1lC1wXvO-vbKHrA",
		Recovery: "ARTkdfiGSoRN3Hy1gGHVst9mrfsAyJv5fkZoTjc9ZcE",
	} {
		if got := testKeys.Token(p, testID, 12); got != want {
			t.Errorf("%s token is %s, want %s", p, got, want)
		}
	}
}

// TestTokensEndPlainly holds that the ends of a link are not cut by programs
// that find links in text: of 100,000 tokens none starts or ends in '-' or '_'.
func TestTokensEndPlainly(t *testing.T) {
	var id [16]byte
	redrawn := 0
	for i := range uint64(100_000) {
		binary.BigEndian.PutUint64(id[8:], i)
		for _, p := range []Purpose{Reset, Recovery} {
			token := testKeys.Token(p, id, 12)
			if !endsPlainly(token) || !WellFormed(p, token) {
				t.Fatalf("token %s", token)
			}
			mac := hmac.New(sha256.New, testKeys.Current)
			mac.Write(tokenMessage(p, id, 12))
			_, size, _ := p.shape()
			if !strings.HasSuffix(token, base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:size])) {
				redrawn++
			}
		}
	}
	if redrawn < 8000 || redrawn > 11000 { // 2/64 for each end that is free: 6.15 % and 3.1 %
		t.Errorf("%d of 200,000 tokens were drawn again", redrawn)
	}
}

// TestCleanToken holds that a link works with what mail programs and people
// leave around it.
func TestCleanToken(t *testing.T) {
	for _, p := range []Purpose{Reset, Recovery} {
		token := testKeys.Token(p, testID, 12)
		for _, around := range []string{"", ".", ",", ")", ">", "/", " ", "%20", "%2520", "\u200b", "\ufeff", "\u00a0", "\u200e", ";", "!", "?", "'",
			"\"", "]", "}", "*", "_", "-", "\r\n", "\t", "\u2019", ").", ">,", "=", "&gt;", "\u3002"} {
			if got := CleanToken(token + around); got != token && around != "&gt;" {
				t.Errorf("CleanToken(%q) = %q", token+around, got)
			}
			if got := CleanToken(strings.Trim(around, "%25;0&gt") + token); got != token {
				t.Errorf("CleanToken(%q) = %q", around+token, got)
			}
		}
	}
	for _, not := range []string{"", "%", "-", "\u200b", "_%_"} {
		if got := CleanToken(not); got != "" {
			t.Errorf("CleanToken(%q) = %q", not, got)
		}
	}
}

func TestTokenDependsOnEverything(t *testing.T) {
	other := testID
	other[3]++
	seen := map[string]string{}
	for name, token := range map[string]string{
		"base":     testKeys.Token(Reset, testID, 12),
		"key":      Keys{Current: testKey(2)}.Token(Reset, testID, 12),
		"long key": Keys{Current: append(testKey(1), 1)}.Token(Reset, testID, 12),
		"id":       testKeys.Token(Reset, other, 12),
		"member":   testKeys.Token(Reset, testID, 13),
		"negative": testKeys.Token(Reset, testID, -12),
		"purpose":  testKeys.Token(Recovery, testID, 12)[3:35],
	} {
		if twin, found := seen[token]; found {
			t.Errorf("%s and %s give one token", name, twin)
		}
		seen[token] = name
	}
	first := testKeys.Token(Reset, testID, 12)
	if testKeys.Token(Reset, testID, 12) != first {
		t.Error("a token is another one the second time")
	}
}

// TestTokensDoNotRepeat holds TOK-1.
func TestTokensDoNotRepeat(t *testing.T) {
	const n = 100_000
	seen := make(map[TokenHash]struct{}, 2*n)
	var id [16]byte
	for i := range uint64(n) {
		binary.BigEndian.PutUint64(id[8:], i)
		seen[HashToken(testKeys.Token(Reset, id, 12))] = struct{}{}
		seen[HashToken(testKeys.Token(Reset, testID, int64(i)))] = struct{}{}
	}
	if len(seen) != 2*n {
		t.Errorf("%d tokens, %d different ones", 2*n, len(seen))
	}
}

// TestTokenForKeys holds TOK-16.
func TestTokenForKeys(t *testing.T) {
	a, b, c := testKey(1), testKey(2), testKey(3)
	for _, x := range []struct {
		name string
		made []byte
		keys Keys
		want bool
	}{
		{"current", a, Keys{Current: a}, true},
		{"current of two", a, Keys{Current: a, Previous: b}, true},
		{"after a rotation", a, Keys{Current: b, Previous: a}, true},
		{"after two rotations", a, Keys{Current: c, Previous: b}, false},
		{"previous key dropped", a, Keys{Current: b}, false},
		{"short previous key", a[:16], Keys{Current: b, Previous: a[:16]}, false},
		{"empty previous key", nil, Keys{Current: b, Previous: []byte{}}, false},
	} {
		for _, p := range []Purpose{Reset, Recovery} {
			made := token(x.made, p, testID, 12)
			got, ok := x.keys.TokenFor(p, testID, 12, HashToken(made))
			if ok != x.want || ok && got != made || !ok && got != "" {
				t.Errorf("%s: found %v, want %v", x.name, ok, x.want)
			}
			if _, ok := x.keys.TokenFor(p, testID, 13, HashToken(made)); ok {
				t.Errorf("%s: found for another member", x.name)
			}
		}
		if fresh := x.keys.Token(Reset, testID, 12); fresh != token(x.keys.Current, Reset, testID, 12) {
			t.Errorf("%s: a new token isn't made with the current key", x.name)
		}
	}
	if got, ok := testKeys.TokenFor(None, testID, 12, TokenHash{}); ok || got != "" {
		t.Error("a mail without a token has one")
	}
}

func TestTokenRefusesToBeGuessable(t *testing.T) {
	for name, ask := range map[string]func(){
		"no key":      func() { Keys{}.Token(Reset, testID, 12) },
		"short key":   func() { Keys{Current: testKey(1)[1:]}.Token(Reset, testID, 12) },
		"no purpose":  func() { testKeys.Token(None, testID, 12) },
		"any purpose": func() { testKeys.Token("session", testID, 12) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: a token was made", name)
				}
			}()
			ask()
		}()
	}
}

func TestTokenHashEqual(t *testing.T) {
	base := HashToken("token")
	for i := range base {
		other := base
		other[i] ^= 1
		if base.Equal(other) {
			t.Errorf("byte %d is not compared", i)
		}
	}
	if !base.Equal(HashToken("token")) {
		t.Error("a hash is not equal to itself")
	}
}

func TestWellFormed(t *testing.T) {
	reset, recovery := strings.Repeat("-aZ0", 8)[1:]+"a", "ART"+strings.Repeat("_aZ0", 10)
	for _, c := range []struct {
		p     Purpose
		token string
		want  bool
	}{
		{Reset, reset, true},
		{Reset, reset[1:], false},
		{Reset, reset + "a", false},
		{Reset, reset[:31] + "\n", false},
		{Reset, reset[:31] + "=", false},
		{Reset, reset[:31] + "+", false},
		{Reset, reset[:31] + "/", false},
		{Reset, reset[:31] + "\x00", false},
		{Reset, reset[:30] + "é", false},
		{Reset, recovery, false},
		{Reset, "", false},
		{Recovery, recovery, true},
		{Recovery, reset, false},
		{Recovery, "ART" + reset, false},
		{Recovery, "art" + recovery[3:], false},
		{Recovery, recovery[3:], false},
		{Recovery, recovery[:42] + " ", false},
		{None, "", false},
		{"session", reset, false},
	} {
		if got := WellFormed(c.p, c.token); got != c.want {
			t.Errorf("WellFormed(%q, %q) = %v, want %v", c.p, c.token, got, c.want)
		}
	}
}

func FuzzToken(f *testing.F) {
	f.Add("", []byte{}, int64(0))
	f.Add(testKeys.Token(Reset, testID, 12), testID[:], int64(12))
	f.Add(testKeys.Token(Recovery, testID, 12), []byte("sixteen bytes id"), int64(-1))
	f.Fuzz(func(t *testing.T, given string, row []byte, member int64) {
		var id [16]byte
		copy(id[:], row)
		for p, other := range map[Purpose]Purpose{Reset: Recovery, Recovery: Reset} {
			made := testKeys.Token(p, id, member)
			if !WellFormed(p, made) || WellFormed(other, made) {
				t.Fatalf("a token of %s is taken for something else", p)
			}
			if got, ok := testKeys.TokenFor(p, id, member, HashToken(made)); !ok || got != made {
				t.Fatal("a token is not found again")
			}
			if _, ok := testKeys.TokenFor(p, id, member, HashToken(given)); ok != (given == made) {
				t.Fatalf("a given token is found: %v", ok)
			}
			if WellFormed(p, given) {
				checkTokenText(t, p, given)
			}
		}
	})
}

// checkTokenText fails unless a well-formed token is what base64url writes.
func checkTokenText(t *testing.T, p Purpose, token string) {
	t.Helper()
	prefix, size, _ := p.shape()
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, prefix))
	if err != nil || len(b) != size || prefix+base64.RawURLEncoding.EncodeToString(b) != token {
		t.Fatalf("%q is not a token of %s", token, p)
	}
}

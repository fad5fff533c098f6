package password

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// TestOnePasswordOnEverySystem holds that a password set in one Unicode form
// opens the account in another (RFC 8265, PWD-5), as do spaces of other kinds
// and a line break that a file put behind it.
func TestOnePasswordOnEverySystem(t *testing.T) {
	h := newHasher(t, Config{Params: cheap})
	for _, c := range []struct{ set, typed string }{
		{"mu\u0308ller zwo\u0308lf kra\u0308hen 9", "m\u00fcller zw\u00f6lf kr\u00e4hen 9"},
		{"m\u00fcller zw\u00f6lf kr\u00e4hen 9", "mu\u0308ller zwo\u0308lf kra\u0308hen 9"},
		{"\u1112\u1161\u11ab\u1100\u1173\u11af", "\ud55c\uae00"},
		{"\u212b ngstrom", "\u00c5 ngstrom"},
		{"two\u00a0words\u3000here", "two words here"},
		{"from a file\n", "from a file"},
		{"from a file", "from a file\r\n"},
	} {
		checkVerify(t, h, mustHash(t, h, c.set), c.typed, true, false)
		if Normalise(c.set) != Normalise(c.typed) {
			t.Errorf("%q and %q differ", c.set, c.typed)
		}
	}
	for _, c := range []struct{ set, typed string }{
		{"\uff21bcdefgh", "Abcdefgh"}, // compatibility forms are other characters
		{"\ufb01sh", "fish"},
		{"stra\u00dfe", "strasse"},
		{"password ", "password"},
		{"password\n\n", "password"},
		{"\npassword", "password"},
	} {
		checkVerify(t, h, mustHash(t, h, c.set), c.typed, false, false)
	}
}

// TestHashesOfRawBytesAreAccepted holds that hashes from elsewhere, made of the
// bytes as they were typed, still open the account, and are replaced.
func TestHashesOfRawBytesAreAccepted(t *testing.T) {
	h := newHasher(t, Config{Params: cheap})
	raw := argonHash{params: cheap, salt: make([]byte, saltSize), key: make([]byte, keySize)}
	const typed = "mu\u0308ller zwo\u0308lf"
	raw.key = h.key(raw, typed)
	checkVerify(t, h, Hash(raw.String()), typed, true, true)
	checkVerify(t, h, Hash(raw.String()), "m\u00fcller zw\u00f6lf", false, false)
	made, err := bcrypt.GenerateFromPassword([]byte(typed), minBcryptCost)
	if err != nil {
		t.Fatal(err)
	}
	checkVerify(t, h, Hash(made), typed, true, true)
}

func TestPolicyJudgesTheNormalForm(t *testing.T) {
	p := newPolicy(t, PolicyConfig{})
	if got := reasonOf(t, p.Check(strings.Repeat("e\u0301", 5), Subject{})); got != TooShort {
		t.Errorf("five letters of two code points each: %q", got)
	}
	if got := reasonOf(t, p.Check("password1\n", Subject{})); got != Common {
		t.Errorf("a common password with a line break: %q", got)
	}
	who := Subject{Username: "M\u00fcller-Purple-Otter-42"}
	if got := reasonOf(t, p.Check("Mu\u0308ller-Purple-Otter-42", who)); got != "identity" {
		t.Errorf("the username in another form: %q", got)
	}
}

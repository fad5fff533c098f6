package mail

import (
	"bytes"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	verifier "github.com/toorop/go-dkim"
)

// A message that we sign is verified by a library other than the one that signs,
// with the record that the command prints; one that was changed is not.
func TestDKIMSignatureIsVerifiedByAnotherLibrary(t *testing.T) {
	folder := t.TempDir()
	name, record, err := NewDKIMKey(folder, "example.org", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if again, same, err := NewDKIMKey(folder, "Example.org", rand.Reader); err != nil || again != name || same != record {
		t.Errorf("asked again: %s %s %v", again, same, err)
	}
	if info, err := os.Stat(folder + "/" + name + ".pem"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	keys, err := LoadDKIM(folder)
	if err != nil {
		t.Fatal(err)
	}
	m := testMessage(t)
	m.Text, m.To.Name = "Hello Zoë\r\n", "Zoë"
	raw, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := keys.Sign("example.org", raw)
	if err != nil || !bytes.HasSuffix(signed, raw) {
		t.Fatalf("%v: the message itself is changed", err)
	}
	lookup := verifier.DNSOptLookupTXT(func(asked string) ([]string, error) {
		if asked != name {
			t.Errorf("looked up %s, want %s", asked, name)
		}
		return []string{record}, nil
	})
	verified := func(message []byte) bool {
		status, err := verifier.Verify(&message, lookup)
		return err == nil && status == verifier.SUCCESS
	}
	if !verified(bytes.Clone(signed)) {
		t.Error("not verified")
	}
	for _, part := range []string{"Subject: ", "Hello"} {
		if forged := bytes.Replace(signed, []byte(part), []byte(part+"x"), 1); bytes.Contains(signed, []byte(part)) && verified(forged) {
			t.Errorf("verified although %q was changed", part)
		}
	}
	if same, err := keys.Sign("example.com", raw); err != nil || !bytes.Equal(same, raw) {
		t.Errorf("without a key: %v", err)
	}
	if err := os.WriteFile(folder+"/x._domainkey.example.net.pem", []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadDKIM(folder); err == nil || !strings.Contains(err.Error(), "example.net") {
		t.Errorf("a broken key: %v", err)
	}
}

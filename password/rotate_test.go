package password

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
)

// A token made before a rotation is found after it, on servers that have
// restarted and on those that have not yet.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token.key")
	before, err := LoadOrCreateKeyFile(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := SwapKeys(path); err == nil {
		t.Error("swapped with one key")
	}
	if err := AddKey(path, rand.Reader); err != nil {
		t.Fatal(err)
	}
	known := read(t, path)
	if !bytes.Equal(known.Current, before.Current) || len(known.Previous) != MinKeyBytes {
		t.Fatal("adding a key changed the current one")
	}
	if err := AddKey(path, rand.Reader); err == nil {
		t.Error("a third key is added, and one forgotten")
	}
	if err := SwapKeys(path); err != nil {
		t.Fatal(err)
	}
	after := read(t, path)
	id := [16]byte{1}
	for name, servers := range map[string][2]Keys{
		"old token, new server": {before, after}, "new token, server that knows the key": {after, known},
		"old token, server that knows the key": {known, after},
	} {
		token := servers[0].Token(Reset, id, 7)
		if got, ok := servers[1].TokenFor(Reset, id, 7, HashToken(token)); !ok || got != token {
			t.Errorf("%s: not found", name)
		}
	}
	if before.Token(Reset, id, 7) == after.Token(Reset, id, 7) {
		t.Error("the key is not used")
	}
}

func TestRenewKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token.key")
	first, err := LoadOrCreateKeyFile(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := RenewKey(path, rand.Reader); err != nil {
			t.Fatal(err)
		}
		now := read(t, path)
		if now.Previous != nil || bytes.Equal(now.Current, first.Current) {
			t.Error("a key from before is kept")
		}
		first = now
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("%d files left, %v", len(files), err)
	}
	lost := filepath.Join(t.TempDir(), "lost")
	if err := RenewKey(lost, rand.Reader); err != nil || len(read(t, lost).Current) != MinKeyBytes {
		t.Errorf("in the place of a lost file: %v", err)
	}
}

func TestDerive(t *testing.T) {
	a, b := Keys{Current: bytes.Repeat([]byte{1}, 32)}, Keys{Current: bytes.Repeat([]byte{2}, 32)}
	seen := map[string]bool{}
	for _, key := range [][]byte{a.Derive("x"), a.Derive("y"), b.Derive("x"), a.Current} {
		if len(key) != 32 || seen[string(key)] {
			t.Error("keys are alike, or short")
		}
		seen[string(key)] = true
	}
	if !bytes.Equal(a.Derive("x"), a.Derive("x")) {
		t.Error("a key differs from itself")
	}
}

func read(t *testing.T, path string) Keys {
	t.Helper()
	k, err := ReadKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

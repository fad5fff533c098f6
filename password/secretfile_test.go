package password

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretFileRefusals(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := ReadSecretFile(path)
	if err == nil || !strings.Contains(err.Error(), "chmod 640") || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v does not name the cure", err)
	}
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, maxSecretFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSecretFile(big); err == nil {
		t.Error("a large file is taken for a secret")
	}
}

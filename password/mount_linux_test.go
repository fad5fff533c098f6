package password

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSecretsAsOrchestratorsMountThem holds that a secret on a read-only mount is
// read whatever its mode: such a mount is made by whoever runs the container,
// and often all that can be had is 0444 or 0644.
func TestSecretsAsOrchestratorsMountThem(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("no right to mount: ", err)
	}
	defer func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	path := filepath.Join(dir, "keys")
	for _, mode := range []os.FileMode{0o440, 0o640, 0o444, 0o644, 0o777} {
		if err := unix.Mount("", dir, "", unix.MS_REMOUNT, ""); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(line(testKey(1))), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := ReadKeyFile(path)
		if private := mode == 0o440 || mode == 0o640; (err == nil) != private {
			t.Errorf("mode %o on a mount that can be written: %v", mode, err)
		}
		if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadOrCreateKeyFile(path, nil); err != nil {
			t.Errorf("mode %o on a read-only mount: %v", mode, err)
		}
	}
}

package password

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadKeyFile reads the keys from a file (see ParseKeys for its text), which
// ReadSecretFile must find in order.
func ReadKeyFile(path string) (Keys, error) {
	text, err := ReadSecretFile(path)
	if err != nil {
		return Keys{}, fmt.Errorf("read token keys: %w", err)
	}
	keys, err := ParseKeys(string(text))
	if err != nil {
		return Keys{}, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// LoadOrCreateKeyFile reads the keys from a file, which is made with a new key
// if there is none. Processes that start at once agree on one key: the file
// appears complete or not at all, and the first one stays.
func LoadOrCreateKeyFile(path string, rand io.Reader) (Keys, error) {
	keys, err := ReadKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	key, err := NewKey(rand)
	if err != nil {
		return Keys{}, err
	}
	if err := createKeyFile(path, Keys{Current: key}.text()); err != nil {
		return Keys{}, fmt.Errorf("create token keys: %w", err)
	}
	return ReadKeyFile(path)
}

// createKeyFile writes a file beside path and links it into place, which
// fails, unlike a rename, if another process was faster: that is fine.
func createKeyFile(path, text string) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, ".keys-*") // of mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, errWrite := temp.WriteString(text)
	if err := errors.Join(errWrite, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in a directory outlast a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

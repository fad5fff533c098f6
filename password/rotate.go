package password

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// AddKey puts a new key behind the current one of a key file, where all
// servers that share it learn it before it makes any token. A file that has
// two keys already is refused, since mails may still wait for the second.
func AddKey(path string, rand io.Reader) error {
	return changeKeyFile(path, func(k Keys) (Keys, error) {
		if k.Previous != nil {
			return k, fmt.Errorf("%s has two keys already: remove the second line when the mails that were made with it are sent (a day is enough)", path)
		}
		key, err := NewKey(rand)
		return Keys{Current: k.Current, Previous: key}, err
	})
}

// SwapKeys makes the second key of a key file the current one.
func SwapKeys(path string) error {
	return changeKeyFile(path, func(k Keys) (Keys, error) {
		if k.Previous == nil {
			return k, fmt.Errorf("%s has one key: add another first", path)
		}
		return Keys{Current: k.Previous, Previous: k.Current}, nil
	})
}

// RenewKey makes a new key the only one of a key file, which need not be there.
func RenewKey(path string, rand io.Reader) error {
	key, err := NewKey(rand)
	if err != nil {
		return err
	}
	return writeKeyFile(path, Keys{Current: key})
}

// changeKeyFile replaces the file at once: a reader sees the old one or the new one.
func changeKeyFile(path string, change func(Keys) (Keys, error)) error {
	keys, err := ReadKeyFile(path)
	if err != nil {
		return err
	}
	if keys, err = change(keys); err != nil {
		return err
	}
	return writeKeyFile(path, keys)
}

func writeKeyFile(path string, keys Keys) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, ".keys-*") // of mode 0600
	if err != nil {
		return fmt.Errorf("write token keys: %w", err)
	}
	defer os.Remove(temp.Name())
	_, errWrite := temp.WriteString(keys.text())
	if err := errors.Join(errWrite, temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("write token keys: %w", err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("write token keys: %w", err)
	}
	return syncDir(dir)
}

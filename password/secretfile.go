package password

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// maxSecretFile is more than any secret needs, in bytes.
const maxSecretFile = 64 << 10

// Permissions of a secret file that are refused, outside read-only mounts.
const (
	writableByOthers = 0o022 // group and everyone
	readableByAll    = 0o004
)

// ReadSecretFile reads a file with a secret, by one rule for all of them: its
// owner may do anything, its group may read it, and nobody else may do either.
// On a file system that is mounted read-only, as orchestrators mount secrets,
// the mode says nothing and is not looked at.
func ReadSecretFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	if fault := modeFault(info.Mode()); fault != "" && !readOnlyMount(f) {
		return nil, fmt.Errorf("%s has mode %04o and is %s: chmod 640 it, or mount it read-only", path, info.Mode().Perm(), fault)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err == nil && len(text) > maxSecretFile {
		err = errors.New(path + " is too large for a secret")
	}
	return text, err
}

// CheckSecretFile applies the rule of ReadSecretFile to a file that holds a
// secret among other things.
func CheckSecretFile(path string) error {
	_, err := ReadSecretFile(path)
	return err
}

func modeFault(mode os.FileMode) string {
	switch {
	case mode.Perm()&writableByOthers != 0:
		return "writable by others than its owner"
	case mode.Perm()&readableByAll != 0:
		return "readable by every user of the machine"
	}
	return ""
}

// Package sqlitetest gives tests SQLite files that were prepared once.
package sqlitetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Copies holds prepared files by name. The zero Copies holds none.
type Copies struct {
	mu    sync.Mutex
	files map[string][]byte
}

// Write writes to path what prepare made at the path given to it, which it
// does for the first caller with that name. Prepare closes what it opened.
func (c *Copies) Write(t testing.TB, path, name string, prepare func(path string) error) {
	t.Helper()
	file, err := c.file(t.TempDir(), name, prepare)
	if err != nil {
		t.Fatalf("prepare database %s: %v", name, err)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c *Copies) file(dir, name string, prepare func(path string) error) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if file := c.files[name]; file != nil {
		return file, nil
	}
	path := filepath.Join(dir, "template.db")
	if err := prepare(path); err != nil {
		return nil, err
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("somebody still has it open: %w", err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if c.files == nil {
		c.files = map[string][]byte{}
	}
	c.files[name] = file
	return file, nil
}

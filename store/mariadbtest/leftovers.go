package mariadbtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// folderPrefix starts the name of every temporary folder. The id of the
// process that made it follows.
const folderPrefix = "reseed-mariadb-"

// tempDir is short on purpose: the path of a socket holds 107 bytes at most.
func tempDir() (string, error) {
	return os.MkdirTemp("", fmt.Sprintf("%s%d-", folderPrefix, os.Getpid()))
}

// removeLeftovers removes the folders of test processes that were killed.
func removeLeftovers() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	for _, dir := range dirs {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), folderPrefix), "-")
		if pid != "" && !alive(pid) {
			os.RemoveAll(dir)
		}
	}
}

// alive reports whether there is such a process; true if that can't be known.
func alive(pid string) bool {
	if _, err := os.Stat("/proc/self"); err != nil {
		return true
	}
	_, err := os.Stat("/proc/" + pid)
	return err == nil
}

package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// needs skips the test if a program, or a file given by its path, is
// missing; or fails it if the environment says that all must be tested.
func needs(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := os.Stat(installed(name)); err != nil {
			missing(t, name)
		}
	}
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(mariadbtest.RequireEnv) == "1" {
		t.Fatalf("MISSING: %s, and %s=1 requires it; scripts/setup.sh installs what can be installed", what, mariadbtest.RequireEnv)
	}
	t.Skipf("NOT TESTED: %s is missing (%s=1 makes this a failure)", what, mariadbtest.RequireEnv)
}

// installed returns a program's path. It looks where Debian puts servers, too,
// which is not on everybody's PATH.
func installed(name string) string {
	for _, path := range []string{name, filepath.Join("/usr/sbin", name)} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return name
}

// Package e2e tests the whole program.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// programDir is where programPath builds to.
var programDir string

func TestMain(m *testing.M) {
	// The tests name files as they are named from the repository's root.
	err := os.Chdir("..")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if programDir, err = os.MkdirTemp("", "reseed-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := mariadbtest.Main(m)
	_ = os.RemoveAll(programDir)
	os.Exit(code)
}

// buildProgram builds the program as users run it, once: with the race detector
// each of the hundreds of commands would take seconds to start.
var buildProgram = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programDir, "reseed")
	out, err := exec.Command("go", "build", "-trimpath", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
})

func programPath(t testing.TB) string {
	t.Helper()
	path, err := buildProgram()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

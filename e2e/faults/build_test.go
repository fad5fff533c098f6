package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// program is the binary with failpoints, built by the first test that runs it.
var program struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	if os.Getenv(generatorEnv) != "" {
		if err := generate(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "load generator:", err)
			os.Exit(1)
		}
		return
	}
	_ = mysql.SetLogger(&mysql.NopLogger{}) // broken connections are no news here
	code := mariadbtest.Main(m)
	if program.dir != "" {
		os.RemoveAll(program.dir)
	}
	os.Exit(code)
}

// binary returns the path of the program. RESEED_SOAK_BINARY names another one
// to test; it must be built with the tag failpoints.
func binary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("RESEED_SOAK_BINARY"); path != "" {
		return path
	}
	program.Do(func() { program.dir, program.err = build() })
	if program.err != nil {
		t.Fatal(program.err)
	}
	return filepath.Join(program.dir, "reseed")
}

// build compiles as the Makefile does, so that they share what is compiled.
func build() (string, error) {
	dir, err := os.MkdirTemp("", "reseed-faults-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "failpoints", "-o", filepath.Join(dir, "reseed"), "../..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return dir, nil
}

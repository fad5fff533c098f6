package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// failure is the line about a test that failed; a subtest's comes after its test's.
var failure = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// try takes the guard out of a tree, runs its tests, puts it back, and returns
// the test that failed.
func (r removal) try(ctx context.Context, tree string) (by string, err error) {
	path := filepath.Join(tree, r.file)
	whole, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	without, err := r.without(string(whole))
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path, []byte(without), 0o600); err != nil { //nolint:gosec // within the copy
		return "", err
	}
	defer func() { err = errors.Join(err, os.WriteFile(path, whole, 0o600)) }() //nolint:gosec // within the copy
	// Tests of another package may build this one by themselves, and fail where
	// it doesn't compile: that would prove nothing.
	if own := "./" + filepath.ToSlash(filepath.Dir(r.file)); filepath.Clean(own) != filepath.Clean(r.pkg) {
		if out, err := goIn(ctx, tree, "build", "-o", os.DevNull, own); err != nil {
			return "", fmt.Errorf("the code doesn't compile without it:\n%s", out)
		}
	}
	out, err := goIn(ctx, tree, testArgs(r.tests, r.pkg)...)
	return judge(out, err)
}

// judge reads what go test said.
func judge(out string, err error) (by string, _ error) {
	failed := failure.FindAllStringSubmatch(out, -1)
	switch {
	case err == nil:
		return "", errors.New("the tests pass without it")
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return "", fmt.Errorf("the code doesn't compile without it:\n%s", out)
	case strings.Contains(out, "panic: test timed out"):
		return "", fmt.Errorf("the tests ran out of time:\n%s", out)
	case len(failed) > 0:
		return failed[len(failed)-1][1], nil
	case strings.Contains(out, "panic: "):
		return "a panic", nil
	}
	return "", fmt.Errorf("no test failed, but:\n%s", out)
}

// testArgs asks for tests. The first that fails will do, and so will few rounds.
func testArgs(pattern, pkg string) []string {
	return []string{"test", "-count=1", "-short", "-failfast", "-vet=off", "-timeout=10m", "-run", pattern, pkg}
}

func goIn(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments come from the repository's own list
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir, "RESEED_TEST_REQUIRE_MARIADB=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// attempt is a removal that was found in the sources.
type attempt struct {
	removal
	at           span
	dir, pattern string // of its tests
	root         string
	text         string // of the file without the guard
}

// failure is the line about a test that failed; a subtest's comes after its test's.
var failure = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// try runs the tests on the program without the guard, which the compiler gets
// as an overlay, and returns the test that failed. The tree stays as it is.
func (a attempt) try(ctx context.Context, folder string) (by string, err error) {
	overlay, err := a.overlay(folder)
	if err != nil {
		return "", err
	}
	if a.read {
		if a.root, err = a.copyOf(ctx, folder); err != nil {
			return "", err
		}
		overlay = ""
	}
	// Tests of another package may build this one by themselves, and fail if it
	// doesn't compile: that would prove nothing.
	if own := filepath.ToSlash(filepath.Dir(a.at.path)); own != a.dir {
		if out, err := goIn(ctx, a.root, overlay, "build", "-o", os.DevNull, "./"+own); err != nil {
			return "", fmt.Errorf("the code doesn't compile without it:\n%s", out)
		}
	}
	out, err := goIn(ctx, a.root, overlay, testArgs(a.pattern, a.dir)...)
	return judge(out, err)
}

// overlay writes the changed file and what go build -overlay reads, and returns
// the latter's path.
func (a attempt) overlay(folder string) (string, error) {
	dir, err := os.MkdirTemp(folder, "")
	if err != nil {
		return "", err
	}
	changed, list := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	content, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(a.root, a.at.path): changed}})
	if err != nil {
		return "", err
	}
	return list, errors.Join(os.WriteFile(changed, []byte(a.text), 0o600), os.WriteFile(list, content, 0o600))
}

// copyOf copies what belongs to the repository, without the guard, for a test
// that reads the sources itself, and returns the folder.
func (a attempt) copyOf(ctx context.Context, folder string) (string, error) {
	dir, err := os.MkdirTemp(folder, "")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", `git ls-files -co --exclude-standard | while read -r f; do
		if [ -f "$f" ]; then echo "$f"; fi
	done | tar -cT - | tar -xC "$0"`, dir)
	cmd.Dir = a.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("copy the sources: %w\n%s", err, out)
	}
	return dir, os.WriteFile(filepath.Join(dir, a.at.path), []byte(a.text), 0o600)
}

// judge reads what go test said.
func judge(out string, err error) (by string, _ error) {
	failed := failure.FindAllStringSubmatch(out, -1)
	switch {
	case err == nil:
		return "", errors.New("the tests pass without it")
	case buildFailure.MatchString(out):
		return "", fmt.Errorf("the code doesn't compile without it:\n%s", out)
	case timedOut.MatchString(out):
		return "", fmt.Errorf("the tests ran out of time:\n%s", out)
	case len(failed) > 0:
		return failed[len(failed)-1][1], nil
	case panicked.MatchString(out):
		return "a panic", nil
	}
	return "", fmt.Errorf("no test failed, but:\n%s", out)
}

var (
	buildFailure = regexp.MustCompile(`\[(build|setup) failed\]`)
	timedOut     = regexp.MustCompile(`panic: test timed out`)
	panicked     = regexp.MustCompile(`(?m)^(panic|fatal error): `)
)

// testArgs asks for tests. The first that fails will do, and so will few rounds.
func testArgs(pattern, dir string) []string {
	return []string{"test", "-count=1", "-short", "-failfast", "-vet=off", "-timeout=10m", "-run", pattern, "./" + dir}
}

// goIn runs the go command in dir. Commands that the tests run get the overlay, too.
func goIn(ctx context.Context, dir, overlay string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir, "RESEED_TEST_REQUIRE_MARIADB=1")
	if overlay != "" {
		cmd.Env = append(cmd.Env, "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

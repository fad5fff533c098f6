// Command removals tests the tests: it takes guards out of the code, one line
// each, and wants the suite to notice every time. The guards are listed in
// removals.txt; arguments pick those whose names hold one of them.
//
//	go run ./scripts/removals [-list FILE] [NAME...]
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// removal is a guard to take out: a text of a file that occurs once, what to
// put in its place, and the tests that must fail then.
type removal struct {
	name, file, pkg, tests, old, new string
}

func main() {
	list := flag.String("list", "scripts/removals/removals.txt", "file with the removals")
	flag.Parse()
	if err := run(*list, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "removals:", err)
		os.Exit(1)
	}
}

func run(list string, picked []string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	all, err := parse(string(text))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "reseed-removals-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := copyTree(dir); err != nil {
		return err
	}
	tried, missed := 0, []string{}
	for _, r := range all {
		if !wanted(r.name, picked) {
			continue
		}
		tried++
		err := r.try(dir)
		if err != nil {
			missed = append(missed, r.name)
			fmt.Printf("MISSED  %s: %v\n", r.name, err)
			continue
		}
		fmt.Printf("found   %s\n", r.name)
	}
	fmt.Printf("%d guards removed, %d found by the tests\n", tried, tried-len(missed))
	if tried == 0 || len(missed) > 0 {
		return fmt.Errorf("%d removals missed of %d", len(missed), tried)
	}
	return nil
}

func wanted(name string, picked []string) bool {
	return len(picked) == 0 || slices.ContainsFunc(picked, func(p string) bool { return strings.Contains(name, p) })
}

// parse reads blocks that start with "== NAME": lines "file PATH", "test
// PACKAGE [PATTERN]", "- OLD" and "+ NEW". Several OLD or NEW lines are one text.
func parse(text string) ([]removal, error) {
	var all []removal
	for n, line := range strings.Split(text, "\n") {
		verb, rest, _ := strings.Cut(line, " ")
		if verb == "==" {
			all = append(all, removal{name: rest})
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(all) == 0 || !all[len(all)-1].set(verb, rest) {
			return nil, fmt.Errorf("line %d is not understood", n+1)
		}
	}
	for _, r := range all {
		if r.file == "" || r.pkg == "" || r.old == "" || r.old == r.new {
			return nil, fmt.Errorf("%s is incomplete", r.name)
		}
	}
	return all, nil
}

func (r *removal) set(verb, rest string) bool {
	switch verb {
	case "file":
		r.file = rest
	case "test":
		r.pkg, r.tests, _ = strings.Cut(rest, " ")
	case "-":
		r.old = join(r.old, rest)
	case "+":
		r.new = join(r.new, rest)
	default:
		return false
	}
	return true
}

func join(text, line string) string {
	if text == "" {
		return line
	}
	return text + "\n" + line
}

// copyTree copies what belongs to the repository.
func copyTree(dir string) error {
	files, err := exec.Command("git", "ls-files", "-co", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	for file := range strings.Lines(string(files)) {
		file = strings.TrimSpace(file)
		content, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		to := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, content, 0o700); err != nil { //nolint:gosec // scripts stay executable
			return err
		}
	}
	return nil
}

// try takes the guard out, runs its tests and puts it back. The code must
// still compile: a test that doesn't build has noticed nothing.
func (r removal) try(dir string) error {
	path := filepath.Join(dir, r.file)
	whole, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n := strings.Count(string(whole), r.old); n != 1 {
		return fmt.Errorf("its text occurs %d times in %s", n, r.file)
	}
	without := strings.Replace(string(whole), r.old, r.new, 1)
	if err := os.WriteFile(path, []byte(without), 0o600); err != nil {
		return err
	}
	defer func() { _ = os.WriteFile(path, whole, 0o600) }()
	args := []string{"test", "-count=1", "-timeout", "5m"}
	if r.tests != "" {
		args = append(args, "-run", r.tests)
	}
	out, err := goIn(dir, append(args, r.pkg)...)
	if err == nil {
		return errors.New("the tests pass without it")
	}
	if strings.Contains(out, "[build failed]") || !strings.Contains(out, "--- FAIL") && !strings.Contains(out, "panic:") {
		return fmt.Errorf("no test failed, but:\n%s", out)
	}
	return nil
}

func goIn(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...) //nolint:gosec // the arguments come from the repository's own list
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RESEED_TEST_REQUIRE_MARIADB=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// removal is a guard to take out: a text of a file that occurs once, what to
// put in its place, and the tests of which one must fail then.
type removal struct {
	name, file, pkg, tests, old, new string
	quick                            bool
}

// load reads a list and holds it against the code.
func load(list string) ([]removal, error) {
	text, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	all, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", list, err)
	}
	var faults []error
	for _, r := range all {
		whole, err := os.ReadFile(r.file)
		if err == nil {
			_, err = r.without(string(whole))
		}
		faults = append(faults, err)
	}
	return all, errors.Join(faults...)
}

// parse reads blocks that start with "== NAME": lines "file PATH", "test
// PACKAGE PATTERN", "quick", "- OLD" and "+ NEW". Several OLD or NEW lines are
// one text.
func parse(text string) ([]removal, error) {
	var all []removal
	names := map[string]bool{}
	for n, line := range strings.Split(text, "\n") {
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case verb == "==" && names[rest]:
			return nil, fmt.Errorf("line %d: a second %q", n+1, rest)
		case verb == "==":
			names[rest] = true
			all = append(all, removal{name: rest})
		case line == "" || strings.HasPrefix(line, "#"):
		case len(all) == 0 || !all[len(all)-1].set(verb, rest):
			return nil, fmt.Errorf("line %d is not understood", n+1)
		}
	}
	for _, r := range all {
		if !r.complete() {
			return nil, fmt.Errorf("%q is incomplete", r.name)
		}
	}
	return all, nil
}

func (r removal) complete() bool {
	return !slices.Contains([]string{r.name, r.file, r.pkg, r.tests, r.old}, "") && r.old != r.new
}

func (r *removal) set(verb, rest string) bool {
	switch verb {
	case "file":
		r.file = rest
	case "test":
		r.pkg, r.tests, _ = strings.Cut(rest, " ")
	case "quick":
		r.quick = true
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

// without returns the file's text as it is once the guard is gone.
func (r removal) without(whole string) (string, error) {
	if n := strings.Count(whole, r.old); n != 1 {
		return "", fmt.Errorf("%s: its text occurs %d times in %s", r.name, n, r.file)
	}
	return strings.Replace(whole, r.old, r.new, 1), nil
}

package main

import (
	"fmt"
	"slices"
	"strings"
)

// removal is a guard to take out: a text of the program that occurs once, what
// to put in its place, and the tests of which one must fail then.
type removal struct {
	name  string
	in    string // the declaration that holds the text; "": any
	tests string // [package.]pattern of go test -run
	old   string
	new   string
	quick bool
	read  bool // by the tests: they look at the sources, not at what was compiled
}

// parse reads blocks that start with "== NAME": lines "in [PACKAGE.]DECLARATION",
// "test [PACKAGE.]PATTERN", "quick", "read", "- OLD" and "+ NEW". Several OLD or
// NEW lines are one text.
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
		if slices.Contains([]string{r.name, r.tests, r.old}, "") || r.old == r.new {
			return nil, fmt.Errorf("%q is incomplete", r.name)
		}
	}
	return all, nil
}

func (r *removal) set(verb, rest string) bool {
	switch verb {
	case "in":
		r.in = rest
	case "test":
		r.tests = rest
	case "quick":
		r.quick = true
	case "read":
		r.read = true
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

// Command removals tests the tests: it takes guards out of the code, one at a
// time, and wants a test to fail every time. The guards are listed in
// removals.txt; arguments pick those whose names hold one of them.
//
//	go run ./scripts/removals [-quick] [-jobs N] [-list FILE] [NAME...]
//
// It works on copies of the tree. It fails where a removal is not noticed, and
// also where one can't be tried: its text does not occur exactly once, the code
// doesn't compile without it, or its tests run out of time or fail even with it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options are what the command line says.
type options struct {
	list   string
	quick  bool     // those marked so in the list
	jobs   int      // tried at once, each in a copy of its own
	picked []string // parts of names; none: all
}

func main() {
	var o options
	flag.StringVar(&o.list, "list", "scripts/removals/removals.txt", "file with the removals")
	flag.BoolVar(&o.quick, "quick", false, "only those marked quick")
	flag.IntVar(&o.jobs, "jobs", 2, "how many to try at once")
	flag.Parse()
	o.picked = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "removals:", err)
		os.Exit(1)
	}
}

// run tries the removals that o picks. Those left out must fit the code, too:
// else nobody would notice that the list has fallen behind.
func run(ctx context.Context, out io.Writer, o options) error {
	began := time.Now()
	all, err := load(o.list)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(all, func(r removal) bool { return !o.picks(r) })
	if len(chosen) == 0 {
		return errors.New("no such removal")
	}
	trees, err := copyTrees(ctx, min(max(o.jobs, 1), len(chosen)))
	defer remove(trees)
	if err != nil {
		return err
	}
	if err := hold(ctx, trees, chosen); err != nil {
		return err
	}
	missed := tryAll(ctx, out, trees, chosen)
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d guards removed, %d found by the tests, in %v\n",
		len(chosen), len(chosen)-missed, time.Since(began).Round(time.Second))
	if missed > 0 {
		return fmt.Errorf("%d removals missed of %d", missed, len(chosen))
	}
	return nil
}

func (o options) picks(r removal) bool {
	if o.quick && !r.quick {
		return false
	}
	return len(o.picked) == 0 || slices.ContainsFunc(o.picked, func(p string) bool { return strings.Contains(r.name, p) })
}

// hold wants the tests to pass while every guard is in place: where they can't
// even run here, each removal would count as found.
func hold(ctx context.Context, trees []string, chosen []removal) error {
	patterns := map[string][]string{}
	for _, r := range chosen {
		if !slices.Contains(patterns[r.pkg], r.tests) {
			patterns[r.pkg] = append(patterns[r.pkg], r.tests)
		}
	}
	var checks []func(string) error
	for pkg, tests := range patterns {
		checks = append(checks, func(tree string) error {
			out, err := goIn(ctx, tree, testArgs(strings.Join(tests, "|"), pkg)...)
			if err != nil {
				return fmt.Errorf("the tests of %s fail with all guards in place:\n%s", pkg, out)
			}
			return nil
		})
	}
	var faults []error
	for err := range spread(trees, checks) {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// result is how a try went.
type result struct {
	removal
	by   string // the test that failed
	err  error
	took time.Duration
}

// tryAll reports each removal as soon as it was tried, and returns how many
// were missed.
func tryAll(ctx context.Context, out io.Writer, trees []string, chosen []removal) (missed int) {
	var tries []func(string) result
	for _, r := range chosen {
		tries = append(tries, func(tree string) result {
			began := time.Now()
			by, err := r.try(ctx, tree)
			return result{r, by, err, time.Since(began)}
		})
	}
	for r := range spread(trees, tries) {
		verdict := "found "
		if r.err != nil {
			verdict = "MISSED"
			missed++
		}
		fmt.Fprintf(out, "%s %5.1fs  %s: %s\n", verdict, r.took.Seconds(), r.name, cmp.Or(r.by, fmt.Sprint(r.err)))
	}
	return missed
}

// Command removals tests the tests: it takes guards out of the code, one at a
// time, and wants a test to fail every time. The guards are listed in
// removals.txt; arguments pick those whose names hold one of them.
//
//	go run ./scripts/removals [-quick] [-jobs N] [-list FILE] [NAME...]
//
// A guard is found by its text and the declaration it stands in, wherever that
// is, and its tests by their names. The tree is left as it is: the compiler gets
// the change as an overlay. It fails if a removal is not noticed, and also if one
// can't be tried: its text does not occur exactly once, the code doesn't compile
// without it, or its tests run out of time or fail even with it.
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
	"sync"
	"time"
)

// options are what the command line says.
type options struct {
	list   string
	quick  bool     // those marked so in the list
	jobs   int      // tried at once
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
	all, err := load(ctx, o.list)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(all, func(a attempt) bool { return !o.picks(a.removal) })
	if len(chosen) == 0 {
		return errors.New("no such removal")
	}
	if err := hold(ctx, chosen, o.jobs); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "reseed-removals-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	missed := tryAll(ctx, out, folder, chosen, o.jobs)
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d guards removed, %d found by the tests, in %v\n",
		len(chosen), len(chosen)-len(missed), time.Since(began).Round(time.Second))
	if len(missed) > 0 {
		return fmt.Errorf("%d removals missed of %d:\n%s", len(missed), len(chosen), strings.Join(missed, "\n"))
	}
	return nil
}

// load reads a list and finds each guard and its tests in the repository of the
// working directory.
func load(ctx context.Context, list string) ([]attempt, error) {
	text, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	removals, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", list, err)
	}
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	code, err := readSources(ctx, root)
	if err != nil {
		return nil, err
	}
	var all []attempt
	var faults []error
	for _, r := range removals {
		at, err := code.find(r)
		dir, pattern, err2 := code.testsOf(r)
		if err := errors.Join(err, err2); err != nil {
			faults = append(faults, err)
			continue
		}
		all = append(all, attempt{r, at, dir, pattern, root, code.without(at, r)})
	}
	return all, errors.Join(faults...)
}

func (o options) picks(r removal) bool {
	if o.quick && !r.quick {
		return false
	}
	return len(o.picked) == 0 || slices.ContainsFunc(o.picked, func(p string) bool { return strings.Contains(r.name, p) })
}

// hold wants the tests to pass while every guard is in place: if they can't even
// run here, each removal would count as found.
func hold(ctx context.Context, chosen []attempt, jobs int) error {
	patterns := map[string][]string{}
	for _, a := range chosen {
		if !slices.Contains(patterns[a.dir], a.pattern) {
			patterns[a.dir] = append(patterns[a.dir], a.pattern)
		}
	}
	var checks []func() error
	for dir, tests := range patterns {
		checks = append(checks, func() error {
			out, err := goIn(ctx, chosen[0].root, "", testArgs(strings.Join(tests, "|"), dir)...)
			if err != nil {
				return fmt.Errorf("the tests of %s fail with all guards in place:\n%s", dir, out)
			}
			return nil
		})
	}
	var faults []error
	for err := range spread(jobs, checks) {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// result is how a try went.
type result struct {
	name string
	by   string // the test that failed
	err  error
	took time.Duration
}

// tryAll reports each removal as soon as it was tried, and returns the reports of
// those missed: what remains of a long run's output may be its end alone.
func tryAll(ctx context.Context, out io.Writer, folder string, chosen []attempt, jobs int) (missed []string) {
	var tries []func() result
	for _, a := range chosen {
		tries = append(tries, func() result {
			began := time.Now()
			by, err := a.try(ctx, folder)
			return result{a.name, by, err, time.Since(began)}
		})
	}
	for r := range spread(jobs, tries) {
		verdict := "found "
		if r.err != nil {
			verdict = "MISSED"
		}
		report := fmt.Sprintf("%s %5.1fs  %s: %s", verdict, r.took.Seconds(), r.name, cmp.Or(r.by, fmt.Sprint(r.err)))
		fmt.Fprintln(out, report)
		if r.err != nil {
			missed = append(missed, report)
		}
	}
	return missed
}

// spread does the work, so many pieces at once, and sends what comes of each.
func spread[T any](jobs int, work []func() T) <-chan T {
	todo, done := make(chan func() T, len(work)), make(chan T)
	for _, f := range work {
		todo <- f
	}
	close(todo)
	var workers sync.WaitGroup
	for range max(jobs, 1) {
		workers.Go(func() {
			for f := range todo {
				done <- f()
			}
		})
	}
	go func() {
		workers.Wait()
		close(done)
	}()
	return done
}

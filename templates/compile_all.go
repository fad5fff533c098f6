package templates

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// compileAll compiles and tries every pair of body and layout that a chain
// can lead to.
func (s *Set) compileAll(ctx context.Context) error {
	for _, name := range []string{builtin, s.global} {
		for _, file := range s.folders[name] {
			file.siteWide = true
		}
	}
	var faults faultList
	for _, name := range slices.Sorted(maps.Keys(s.folders)) {
		if name != builtin { // never changes; a test tries it, not every start
			s.compileFolder(ctx, name, &faults)
		}
	}
	return faults.join()
}

func (s *Set) compileFolder(ctx context.Context, name string, faults *faultList) {
	chain := s.path(nestedChain(name))
	usesLayout, failed := false, false
	for _, template := range Names() {
		for _, body := range s.reachable(chain, template) {
			p := s.pairOf(chain, body)
			if p.builtIn() {
				continue
			}
			c, err := s.compileAndTry(ctx, p)
			faults.add(err)
			failed = failed || err != nil
			usesLayout = usesLayout || err == nil && c.usesLayout
		}
	}
	if own, ok := s.folders[name][layoutKey()]; ok && !usesLayout && !failed {
		faults.add(fmt.Errorf("%s: no template calls it", own.path))
	}
}

// compileAndTry tries a pair the first time it is met.
func (s *Set) compileAndTry(ctx context.Context, p pair) (*compiled, error) {
	if c, done := s.compiled[p]; done {
		return c, nil
	}
	c, err := s.compiledPair(p)
	if err != nil {
		return nil, err
	}
	return c, s.try(ctx, c)
}

// faultList collects faults, each once: a layout's fault shows in every body.
type faultList struct{ errs []error }

func (f *faultList) add(err error) {
	same := func(e error) bool { return e.Error() == err.Error() }
	if err != nil && !slices.ContainsFunc(f.errs, same) {
		f.errs = append(f.errs, err)
	}
}

func (f *faultList) join() error { return errors.Join(f.errs...) }

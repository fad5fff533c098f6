package templates

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// compileAll compiles and tries every pair of body and layout that a chain
// can lead to.
func (s *Set) compileAll() error {
	for _, name := range []string{builtin, s.global} {
		for _, file := range s.folders[name] {
			file.siteWide = true
		}
	}
	var faults faultList
	for _, name := range slices.Sorted(maps.Keys(s.folders)) {
		s.compileFolder(name, &faults)
	}
	return faults.join()
}

func (s *Set) compileFolder(name string, faults *faultList) {
	chain := []string{builtin} // all of them: subjects come from here whatever overrides them
	if name != builtin {
		chain = s.path(nestedChain(name))
	}
	usesLayout, failed := false, false
	for _, template := range templateNames() {
		for _, body := range s.reachable(chain, template, extText) {
			faults.add(s.compilePair(pair{body: body}))
		}
		for _, body := range s.reachable(chain, template, extHTML) {
			p := pair{body, s.layout(chain)}
			err := s.compilePair(p)
			faults.add(err)
			failed = failed || err != nil
			usesLayout = usesLayout || err == nil && s.compiled[p].usesLayout
		}
	}
	if own, ok := s.folders[name][layoutKey()]; ok && !usesLayout && !failed {
		faults.add(fmt.Errorf("%s: no template calls it", own.path))
	}
}

func (s *Set) compilePair(p pair) error {
	if _, done := s.compiled[p]; done {
		return nil
	}
	c, err := compile(p)
	if err != nil {
		return err
	}
	s.compiled[p] = c
	if p.builtIn() {
		return nil // never changes; a test tries them, not every start
	}
	return c.try()
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

package main

import (
	"strings"
	"testing"
)

func TestGate(t *testing.T) {
	const pass = `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n"
	const closing = `{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}` + "\n"
	for _, c := range []struct {
		name, in string
		ok       bool
		want     []string
	}{
		{"all pass", pass + closing, true, []string{"ok  \tp\t0.1s\n", "1 tests passed, 0 failed, 0 skipped"}},
		{"nothing ran", closing, false, nil},
		{"a skip fails", pass + `{"Action":"output","Package":"p","Test":"TestB","Output":"no database\n"}` + "\n" +
			`{"Action":"skip","Package":"p","Test":"TestB"}` + "\n", false, []string{"p.TestB: no database"}},
		{"a package without tests is no skip", pass + `{"Action":"skip","Package":"q"}` + "\n", true, nil},
		{"a failure shows its output", pass + `{"Action":"output","Package":"p","Test":"TestB","Output":"got 1\n"}` + "\n" +
			`{"Action":"fail","Package":"p","Test":"TestB"}` + "\n", false, []string{"got 1\n"}},
		{"a test that hung shows its output", pass + `{"Action":"output","Package":"p","Test":"TestB","Output":"goroutine 1\n"}` + "\n" +
			`{"Action":"fail","Package":"p"}` + "\n", false, []string{"goroutine 1\n"}},
		{"a build failure", pass + `{"ImportPath":"p","Action":"build-output","Output":"syntax error\n"}` + "\n" +
			`{"Action":"fail","Package":"p"}` + "\n", false, []string{"syntax error\n"}},
		{"plain text is passed on", pass + "go: no such module\n", true, []string{"go: no such module\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			g := gate{out: &out, output: map[string]*strings.Builder{}}
			if err := g.read(strings.NewReader(c.in)); err != nil {
				t.Fatal(err)
			}
			if ok := g.report(); ok != c.ok {
				t.Errorf("report() = %v, want %v", ok, c.ok)
			}
			for _, w := range c.want {
				if !strings.Contains(out.String(), w) {
					t.Errorf("output lacks %q:\n%s", w, out.String())
				}
			}
		})
	}
}

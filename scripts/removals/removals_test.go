package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// There is nothing to rewrite here, but go test ./... -update tells every package.
var _ = flag.Bool("update", false, "ignored")

// Every removal of the list fits the code as it is.
func TestListFitsTheCode(t *testing.T) {
	t.Chdir("../..")
	all, err := load(t.Context(), "scripts/removals/removals.txt")
	if err != nil {
		t.Fatal(err)
	}
	quick := 0
	for _, a := range all {
		if a.quick {
			quick++
		}
	}
	if len(all) < 150 || quick < 50 {
		t.Errorf("%d removals, %d of them quick: want 150 and 50 at least", len(all), quick)
	}
}

func TestParse(t *testing.T) {
	all, err := parse("# note\n\n== a name\nin T.m\ntest a.TestX|TestY/z\nquick\nread\n- one\n-\n-  two\n+ three\n")
	want := removal{name: "a name", in: "T.m", tests: "a.TestX|TestY/z", old: "one\n\n two", new: "three", quick: true, read: true}
	if err != nil || len(all) != 1 || all[0] != want {
		t.Errorf("got %+v, %v", all, err)
	}
	const good = "test T\n- x\n+ y\n"
	for name, text := range map[string]string{
		"no name":           "==\n" + good,
		"outside a block":   good,
		"unknown line":      "== a\n" + good + "tests T\n",
		"no tests":          "== a\ntest\n- x\n+ y\n",
		"no text":           "== a\ntest T\n+ y\n",
		"nothing is taken":  "== a\ntest T\n- x\n+ x\n",
		"a name used twice": "== a\n" + good + "== a\n" + good,
	} {
		if _, err := parse(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestJudge(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		name, out string
		err       error
		by, fault string
	}{
		{"a test", "--- FAIL: TestA (0.00s)\n    a_test.go:1: x\nFAIL\n", failed, "TestA", ""},
		{"a subtest", "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\nFAIL\n", failed, "TestA/b", ""},
		{"a panic elsewhere", "panic: x\n\ngoroutine 7\nFAIL\n", failed, "a panic", ""},
		{"nothing failed", "ok\n", nil, "", "pass without it"},
		{"no build", "# p\n./a.go:1: x\nFAIL\tp [build failed]\n", failed, "", "doesn't compile"},
		{"no set-up", "FAIL\tp [setup failed]\n", failed, "", "doesn't compile"},
		{"too late", "panic: test timed out after 5m\n--- FAIL: TestA (0.00s)\n", failed, "", "out of time"},
		{"killed", "signal: killed\nFAIL\tp\n", failed, "", "no test failed"},
	} {
		by, err := judge(c.out, c.err)
		if by != c.by || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: by %q, %v", c.name, by, err)
		}
	}
}

// module is a small repository with guards and tests of them.
func module(t *testing.T, list string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod":           "module small\n",
		"guard.go":         guards,
		"guard_test.go":    "package small\n\nimport \"testing\"\n\nfunc TestHalf(t *testing.T) {\n\tif half(-4) != 0 || half(4) != 2 {\n\t\tt.Error(\"no half\")\n\t}\n}\n",
		"broken_test.go":   "package small\n\nimport \"testing\"\n\nfunc TestBroken(t *testing.T) { t.Error(\"always\") }\n",
		"same_test.go":     "package small\n\nimport \"testing\"\n\nfunc TestSame(t *testing.T) {\n\tif half(-4) != 0 {\n\t\tt.Error(\"no half\")\n\t}\n}\n",
		"sub/sub.go":       "package sub\n",
		"sub/same_test.go": "package sub\n\nimport \"testing\"\n\nfunc TestSame(*testing.T) {}\n",
		"sub/sub_test.go":  "package sub\n\nimport (\n\t\"os/exec\"\n\t\"testing\"\n)\n\nfunc TestBuilds(t *testing.T) {\n\tif err := exec.Command(\"go\", \"build\", \"..\").Run(); err != nil {\n\t\tt.Error(err)\n\t}\n}\n\n// TestBehaves builds and runs the program as it is without the guard.\nfunc TestBehaves(t *testing.T) {\n\tout, err := exec.Command(\"go\", \"run\", \"../cmd\").CombinedOutput()\n\tif err != nil || string(out) != \"1\" {\n\t\tt.Errorf(\"%v %s\", err, out)\n\t}\n}\n",
		"cmd/main.go":      "package main\n\nimport \"os\"\n\nfunc main() {\n\tif len(os.Args) < 2 {\n\t\tos.Stdout.WriteString(\"1\")\n\t}\n}\n",
		"read_test.go":     "package small\n\nimport (\n\t\"bytes\"\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestReads(t *testing.T) {\n\tif text, _ := os.ReadFile(\"guard.go\"); !bytes.Contains(text, []byte(\"n < 0\")) {\n\t\tt.Error(\"no guard\")\n\t}\n}\n",
		"list.txt":         list,
	} {
		if dir, _, ok := strings.Cut(name, "/"); ok {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "git", "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
}

const (
	guards = "package small\n\nfunc half(n int) int {\n\tif n < 0 {\n\t\treturn 0\n\t}\n\tif n > 100 {\n\t\treturn 50\n\t}\n\treturn n / 2\n}\n\n" +
		"type number int\n\nfunc (n number) big() bool {\n\treturn n > 0 &&\n\t\tn > 1000\n}\n\nconst limit = 7\n"
	noticed   = "== noticed\nquick\nin half\ntest TestHalf\n- n < 0 {\n+ n < -9 {\n"
	unnoticed = "== unnoticed\nin half\ntest TestHalf\n- n > 100 {\n+ n > 1000 {\n"
	elsewhere = "== breaks another package's test\nin half\ntest TestBuilds\n- n > 100 {\n+ n > hundred {\n"
	unfit     = "== does not compile\nin half\ntest TestHalf\n- n > 100 {\n+ n > hundred {\n"
	program   = "== built by a test\nin main\ntest TestBehaves\n- len(os.Args) < 2\n+ len(os.Args) < 1\n"
)

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name, list string
		options    options
		fault      string   // of the run; "": none
		out        []string // parts of what it says
	}{
		{"all are found", noticed + program, options{}, "", []string{"found ", "noticed: TestHalf\n", "built by a test: TestBehaves\n", "2 guards removed, 2 found"}},
		{"some are missed", noticed + unnoticed + elsewhere + unfit, options{jobs: 2}, "3 removals missed of 4", []string{
			"noticed: TestHalf\n", "unnoticed: the tests pass without it", "does not compile: the code doesn't compile without it",
			"breaks another package's test: the code doesn't compile without it", "4 guards removed, 1 found",
		}},
		{"the tests read the sources", strings.Replace(noticed, "test TestHalf", "test TestReads\nread", 1), options{}, "", []string{"noticed: TestReads\n"}},
		{"quick ones alone", noticed + unnoticed, options{quick: true}, "", []string{"1 guards removed, 1 found"}},
		{"by name", noticed + unnoticed, options{picked: []string{"unnot"}}, "1 removals missed of 1", nil},
		{"none of that name", noticed, options{picked: []string{"x"}}, "no such removal", nil},
		{"one that was not picked is stale", noticed + strings.ReplaceAll(unnoticed, "n > 100", "n > 10 "), options{quick: true},
			"unnoticed: its text occurs 0 times (in half)", nil},
		{"ambiguous", "== two\nin half\ntest TestHalf\n- if n\n+ if 1\n", options{}, "occurs 2 times (in half)", nil},
		{"its declaration was renamed", strings.Replace(noticed, "half", "whole", 1), options{}, "", []string{"noticed: TestHalf\n"}},
		{"no such test", strings.Replace(noticed, "TestHalf", "TestWhole", 1), options{}, "0 packages have tests", nil},
		{"a test of two packages", strings.Replace(noticed, "TestHalf", "TestSame", 1), options{}, "2 packages have tests", nil},
		{"the tests fail anyway", strings.Replace(noticed, "TestHalf", "TestBroken", 1), options{}, "fail with all guards in place", nil},
	} {
		if testing.Short() && c.name != "some are missed" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			module(t, c.list)
			c.options.list = "list.txt"
			var out strings.Builder
			err := run(t.Context(), &out, c.options)
			if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("error %v, want %q", err, c.fault)
			}
			for _, part := range c.out {
				if !strings.Contains(out.String(), part) {
					t.Errorf("output lacks %q:\n%s", part, out.String())
				}
			}
			if text, err := os.ReadFile("guard.go"); err != nil || string(text) != guards {
				t.Errorf("the working copy changed: %v\n%s", err, text)
			}
		})
	}
}

// A guard is found by its declaration and text, however the lines are broken and
// whichever file it is in; a test by its name, or its package's and its own.
func TestFind(t *testing.T) {
	module(t, "")
	code, err := readSources(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	for in, old := range map[string]string{
		"half": "\tif   n < 0 {", "number.big": "n > 0 && n > 1000", "small.number.big": "n > 0", "limit": "7", "number": "int", "": "const limit",
	} {
		at, err := code.find(removal{in: in, old: old})
		if err != nil || at.path != "guard.go" || !strings.HasPrefix(guards[at.start:], strings.Fields(old)[0]) {
			t.Errorf("%s in %q: %+v, %v", old, in, at, err)
		}
	}
	for tests, want := range map[string]string{"sub.TestSame": "sub", "TestBu.*": "sub", "TestHalf|TestBroken/x": ".", "TestHa|TestBuilds/y": "sub"} {
		if dir, _, err := code.testsOf(removal{tests: tests}); err != nil || dir != want {
			t.Errorf("%s: %q, %v", tests, dir, err)
		}
	}
}

// A run that is ended says so, and calls nothing found.
func TestRunEnds(t *testing.T) {
	module(t, noticed)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	if err := run(ctx, &out, options{list: "list.txt"}); !errors.Is(err, context.Canceled) || strings.Contains(out.String(), "found") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

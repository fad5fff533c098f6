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
	all, err := load("scripts/removals/removals.txt")
	if err != nil {
		t.Fatal(err)
	}
	quick := 0
	for _, r := range all {
		if r.quick {
			quick++
		}
	}
	if len(all) < 25 || quick < 25 {
		t.Errorf("%d removals, %d of them quick: want 25 at least", len(all), quick)
	}
}

func TestParse(t *testing.T) {
	all, err := parse("# note\n\n== a name\nfile a/b.go\ntest ./a TestX|TestY/z\nquick\n- one\n-\n-  two\n+ three\n")
	want := removal{name: "a name", file: "a/b.go", pkg: "./a", tests: "TestX|TestY/z", old: "one\n\n two", new: "three", quick: true}
	if err != nil || len(all) != 1 || all[0] != want {
		t.Errorf("got %+v, %v", all, err)
	}
	const good = "file f.go\ntest . T\n- x\n+ y\n"
	for name, text := range map[string]string{
		"no name":           "==\n" + good,
		"outside a block":   good,
		"unknown line":      "== a\n" + good + "tests . T\n",
		"no file":           "== a\ntest . T\n- x\n+ y\n",
		"no tests":          "== a\nfile f.go\ntest .\n- x\n+ y\n",
		"no text":           "== a\nfile f.go\ntest . T\n+ y\n",
		"nothing is taken":  "== a\nfile f.go\ntest . T\n- x\n+ x\n",
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

// module is a small repository with a guard and a test of it.
func module(t *testing.T, list string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod":          "module small\n",
		"guard.go":        "package small\n\nfunc half(n int) int {\n\tif n < 0 {\n\t\treturn 0\n\t}\n\tif n > 100 {\n\t\treturn 50\n\t}\n\treturn n / 2\n}\n",
		"guard_test.go":   "package small\n\nimport \"testing\"\n\nfunc TestHalf(t *testing.T) {\n\tif half(-4) != 0 || half(4) != 2 {\n\t\tt.Error(\"no half\")\n\t}\n}\n",
		"broken_test.go":  "package small\n\nimport \"testing\"\n\nfunc TestBroken(t *testing.T) { t.Error(\"always\") }\n",
		"other/other.go":  "package other\n",
		"sub/sub_test.go": "package sub\n\nimport (\n\t\"os/exec\"\n\t\"testing\"\n)\n\nfunc TestBuilds(t *testing.T) {\n\tif err := exec.Command(\"go\", \"build\", \"..\").Run(); err != nil {\n\t\tt.Error(err)\n\t}\n}\n",
		"list.txt":        list,
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
	noticed   = "== noticed\nquick\nfile guard.go\ntest . TestHalf\n- n < 0 {\n+ n < -9 {\n"
	unnoticed = "== unnoticed\nfile guard.go\ntest . TestHalf\n- n > 100 {\n+ n > 1000 {\n"
	elsewhere = "== breaks another package's test\nfile guard.go\ntest ./sub TestBuilds\n- n > 100 {\n+ n > hundred {\n"
	unfit     = "== does not compile\nfile guard.go\ntest . TestHalf\n- n > 100 {\n+ n > hundred {\n"
)

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name, list string
		options    options
		fault      string   // of the run; "": none
		out        []string // parts of what it says
	}{
		{"all are found", noticed, options{}, "", []string{"found ", "noticed: TestHalf\n", "1 guards removed, 1 found"}},
		{"some are missed", noticed + unnoticed + elsewhere + unfit, options{jobs: 2}, "3 removals missed of 4", []string{
			"noticed: TestHalf\n", "unnoticed: the tests pass without it", "does not compile: the code doesn't compile without it",
			"breaks another package's test: the code doesn't compile without it", "4 guards removed, 1 found",
		}},
		{"quick ones alone", noticed + unnoticed, options{quick: true}, "", []string{"1 guards removed, 1 found"}},
		{"by name", noticed + unnoticed, options{picked: []string{"unnot"}}, "1 removals missed of 1", nil},
		{"none of that name", noticed, options{picked: []string{"x"}}, "no such removal", nil},
		{"one that was not picked is stale", noticed + strings.ReplaceAll(unnoticed, "n > 100", "n > 10"), options{quick: true},
			"occurs 0 times", nil},
		{"ambiguous", "== two\nfile guard.go\ntest . TestHalf\n- if n\n+ if 1\n", options{}, "occurs 2 times", nil},
		{"no such file", strings.Replace(noticed, "guard.go", "none.go", 1), options{}, "none.go", nil},
		{"the tests fail anyway", strings.Replace(noticed, "TestHalf", "TestBroken", 1), options{}, "fail with all guards in place", nil},
	} {
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
			if text, err := os.ReadFile("guard.go"); err != nil || !strings.Contains(string(text), "n < 0 {") {
				t.Errorf("the working copy changed: %v\n%s", err, text)
			}
		})
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

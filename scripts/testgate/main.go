// Command testgate reads the events of go test -json and prints what go test
// itself would: each package's closing line, and what failed in full. It exits
// 1 if a test failed, was skipped, or none ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// event is one line of go test -json (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// gate collects what the events say.
type gate struct {
	out     io.Writer
	output  map[string]*strings.Builder // by test, while it runs
	passed  int
	failed  int
	skipped []string
}

func main() {
	g := gate{out: os.Stdout, output: map[string]*strings.Builder{}}
	if err := g.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testgate:", err)
		os.Exit(1)
	}
	if !g.report() {
		os.Exit(1)
	}
}

func (g *gate) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			g.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
	}
}

// line passes on what is no event: go itself complains in plain text.
func (g *gate) line(line string) {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
		fmt.Fprint(g.out, line)
		return
	}
	g.event(e)
}

func (g *gate) event(e event) {
	name := e.Package + "." + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(g.out, e.Output)
	case "output":
		g.keep(name, e)
	case "pass":
		if e.Test != "" {
			g.passed++
		}
		delete(g.output, name)
	case "skip":
		if e.Test != "" {
			g.skipped = append(g.skipped, name+": "+g.text(name))
		}
		delete(g.output, name)
	case "fail":
		g.failed++
		fmt.Fprint(g.out, g.text(name))
		delete(g.output, name)
		if e.Test == "" {
			g.unfinished(e.Package)
		}
	}
}

// unfinished prints what is kept of tests that had no end when their package
// failed: where one hung or crashed, it is there that the stacks are.
func (g *gate) unfinished(pkg string) {
	for _, name := range slices.Sorted(maps.Keys(g.output)) {
		if strings.HasPrefix(name, pkg+".") {
			fmt.Fprint(g.out, g.text(name))
			delete(g.output, name)
		}
	}
}

// keep holds a test's output back until it has failed; a package's own output
// is its closing line and is passed on.
func (g *gate) keep(name string, e event) {
	if e.Test == "" {
		if e.Output != "PASS\n" {
			fmt.Fprint(g.out, e.Output)
		}
		return
	}
	if g.output[name] == nil {
		g.output[name] = &strings.Builder{}
	}
	g.output[name].WriteString(e.Output)
}

func (g *gate) text(name string) string {
	if g.output[name] == nil {
		return ""
	}
	return g.output[name].String()
}

// report prints the sum and says whether all is well.
func (g *gate) report() bool {
	for _, s := range g.skipped {
		fmt.Fprintf(g.out, "SKIPPED, which counts as failed: %s\n", strings.TrimSpace(s))
	}
	fmt.Fprintf(g.out, "%d tests passed, %d failed, %d skipped\n", g.passed, g.failed, len(g.skipped))
	return g.failed == 0 && len(g.skipped) == 0 && g.passed > 0
}

package docs

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// How a page marks its blocks. A block of sh is run unless it is marked with a
// reason; "background" leaves it running until the page's end; the plain block
// after "prints" is part of what the block before it printed.
var (
	fence      = regexp.MustCompile("(?ms)^(?:<!-- ([^\n]*) -->\n)?```([a-z]*)\n(.*?)^```$")
	notRun     = regexp.MustCompile(`^not run: \S.{8,}$`)
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
	command    = regexp.MustCompile(`(?:^|[;&|(] *|\b(?:run|soak|exec) )(?:\./)?reseed((?: [a-z][a-z-]*)*)((?: [^;&|()<>]*)?)`)
	makeTarget = regexp.MustCompile(`\bmake ([a-z]+)`)
	target     = regexp.MustCompile(`(?m)^([a-z]+):.*##`)
)

// block is a fenced block of a page.
type block struct {
	mark, language, text string
}

func blocks(page string) []block {
	var all []block
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		all = append(all, block{m[1], m[2], m[3]})
	}
	return all
}

// Every page's commands work as they stand, one after the other, from a clone.
func TestCommandsOfThePages(t *testing.T) {
	for _, page := range pages(t) {
		text := read(t, filepath.Join("..", page))
		script, expected := script(t, blocks(text))
		if script == "" || testing.Short() && page != "README.md" && page != "docs/quick-start.md" {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			t.Parallel()
			out := runPage(t, cloneHere(t), script)
			for i, part := range strings.Split(out, separator) {
				if want := expected[i]; !strings.Contains(part, want) {
					t.Errorf("the block before printed\n%s\nwithout\n%s", part, want)
				}
			}
		})
	}
}

// separator stands between the outputs of blocks.
const separator = "\n====next block====\n"

// script joins what is to be run, and returns what each block must print.
func script(t *testing.T, all []block) (string, map[int]string) {
	t.Helper()
	var b strings.Builder
	expected := map[int]string{}
	n := 0
	for _, block := range all {
		switch {
		case block.mark == "prints":
			expected[n-1] = strings.TrimSuffix(block.text, "\n")
		case block.language != "sh":
		case strings.HasPrefix(block.mark, "not run"):
			if !notRun.MatchString(block.mark) {
				t.Errorf("%q gives no reason", block.mark)
			}
		case block.mark == "background":
			lines := strings.Split(strings.TrimSpace(block.text), "\n")
			fmt.Fprintf(&b, "%s\n%s &\nready\n", strings.Join(lines[:len(lines)-1], "\n"), lines[len(lines)-1])
		default:
			fmt.Fprintf(&b, "%sprintf '%%s' '%s'\n", block.text, separator)
			n++
		}
	}
	return b.String(), expected
}

// prologue ends what runs in the background with the page, and waits for it.
const prologue = `set -euo pipefail
trap 'jobs=$(jobs -p); [ -z "$jobs" ] || kill $jobs; wait' EXIT
ready() { for _ in $(seq 600); do curl -sf http://127.0.0.1:8080/readyz >/dev/null && return; sleep 0.1; done; return 1; }
`

// runPage runs a page's commands with a port of its own in a folder that has
// what a clone has.
func runPage(t *testing.T, clone, script string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute) // with nothing compiled yet
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", strings.ReplaceAll(prologue+script, "127.0.0.1:8080", address))
	cmd.Dir = clone
	cmd.Env = append(os.Environ(), "RESEED_LISTEN="+address, "RESEED_DATA="+t.TempDir(), "GOFLAGS=-trimpath")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var faults strings.Builder
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, faults.String())
	}
	return string(out)
}

// cloneHere copies what belongs to the repository.
func cloneHere(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("bash", "-c", `git ls-files -co --exclude-standard -z | xargs -0 ls -d 2>/dev/null | tar -cT - | tar -xC "$0"`, dir)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// Commands of blocks that can't be run, and in the text, name commands and
// flags that there are; make has the targets.
func TestCommandsInTheTextExist(t *testing.T) {
	reference, settings := read(t, "reference-commands.md"), read(t, "reference-settings.md")
	var targets []string
	for _, m := range target.FindAllStringSubmatch(read(t, "../Makefile"), -1) {
		targets = append(targets, m[1])
	}
	seen := 0
	for _, page := range pages(t) {
		if strings.HasSuffix(page, "reference-commands.md") {
			continue
		}
		for _, line := range commandLines(read(t, filepath.Join("..", page))) {
			for _, m := range command.FindAllStringSubmatch(line, -1) {
				seen++
				if fault := unknownCommand(reference, settings, strings.TrimSpace(m[1]), m[2]); fault != "" {
					t.Errorf("%s: %s: %s", page, line, fault)
				}
			}
			for _, m := range makeTarget.FindAllStringSubmatch(line, -1) {
				seen++
				if !slices.Contains(targets, m[1]) {
					t.Errorf("%s: %s: no such target", page, line)
				}
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d commands were found", seen)
	}
}

// commandLines are the lines of a page's blocks and its inline code.
func commandLines(page string) []string {
	var lines []string
	for _, b := range blocks(page) {
		if b.language == "sh" || b.language == "" {
			lines = append(lines, strings.Split(b.text, "\n")...)
		}
	}
	for _, m := range inlineCode.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		lines = append(lines, m[1])
	}
	return lines
}

// unknownCommand says what of reseed WORDS REST is not in the reference.
func unknownCommand(reference, settings, words, rest string) string {
	section, name := "", ""
	parts := strings.Fields(words)
	for n := len(parts); n > 0 && section == ""; n-- {
		name = strings.Join(parts[:n], " ")
		_, after, _ := strings.Cut(reference, "\n## "+name+"\n")
		section, _, _ = strings.Cut(after, "\n## ")
		if after == "" && strings.Contains(reference, "\n## "+name+" ") {
			section = "a group of commands"
		}
	}
	if section == "" && words != "" {
		return "no such command: " + words
	}
	for _, word := range strings.Fields(rest) {
		flag, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if !strings.HasPrefix(word, "--") || slices.Contains([]string{"help", ""}, flag) {
			continue
		}
		if !strings.Contains(section, "`--"+flag+"=") && !strings.Contains(section, "`--"+flag+"`") &&
			!strings.Contains(settings, "| `"+flag+"` |") {
			return "no such flag of " + cmp.Or(name, "reseed") + ": --" + flag
		}
	}
	return ""
}

// pages are the repository's own Markdown files, by their paths in it.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md"}
	found, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		all = append(all, "docs/"+f)
	}
	return all
}

// Package docs tests that what the documentation names is there.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	heading     = regexp.MustCompile(`(?m)^#+ (\d+(?:\.\d+)*)\.? `)
	requirement = regexp.MustCompile(`(?m)^\| ([A-Z]{3}-\d+|F\d+) \|`)

	citedSection     = regexp.MustCompile(`\b([Cc]ontract|[Rr]equirements) (\d+(?:\.\d+)*)`)
	citedRequirement = regexp.MustCompile(`\b(?:ENU|PAR|TOK|PWD|MAI|WEB|LOD|FLT|LOG)-\d+\b`)
	citedFact        = regexp.MustCompile(`\((F\d{1,2})(?:, (F\d{1,2}))*\)`)
	citedPage        = regexp.MustCompile(`\bdocs/[\w-]+\.md\b`)
	formerPage       = regexp.MustCompile(`\b(?:DESIGN|CONTRACT|RELIABILITY)(?:\.md\b| \d)`)

	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	namedTest    = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)\\w+)`")
	namedCase    = regexp.MustCompile("`(contract|script|smtp)/([\\w/*-]+)`")
	link         = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
)

// What code, tests and pages cite exists: sections of the contract and of the
// requirements, ids, and pages of this folder.
func TestEveryCitationLeadsSomewhere(t *testing.T) {
	sections := map[string][]string{}
	for _, page := range []string{"contract", "requirements"} {
		for _, m := range heading.FindAllStringSubmatch(read(t, page+".md"), -1) {
			sections[page] = append(sections[page], m[1])
		}
	}
	var ids []string
	for _, m := range requirement.FindAllStringSubmatch(read(t, "requirements.md"), -1) {
		ids = append(ids, m[1])
	}
	if len(sections["contract"]) < 12 || len(sections["requirements"]) < 14 || len(ids) < 130 {
		t.Fatalf("found %d and %d sections, %d ids", len(sections["contract"]), len(sections["requirements"]), len(ids))
	}
	cited := 0
	for path, text := range texts(t) {
		for _, m := range citedSection.FindAllStringSubmatch(text, -1) {
			cited++
			if !slices.Contains(sections[strings.ToLower(m[1])], m[2]) {
				t.Errorf("%s cites %s, which is no section", path, m[0])
			}
		}
		for _, id := range append(citedRequirement.FindAllString(text, -1), facts(text)...) {
			cited++
			if !slices.Contains(ids, id) {
				t.Errorf("%s cites %s, which docs/requirements.md lacks", path, id)
			}
		}
		for _, page := range citedPage.FindAllString(text, -1) {
			if _, err := os.Stat(filepath.Join("..", page)); err != nil {
				t.Errorf("%s names %s: %v", path, page, err)
			}
		}
		if m := formerPage.FindString(text); m != "" && filepath.Base(path) != "docs_test.go" {
			t.Errorf("%s cites %q: the pages are docs/contract.md, docs/requirements.md, docs/decisions.md and docs/architecture.md", path, m)
		}
	}
	if cited < 500 {
		t.Errorf("found only %d citations", cited)
	}
}

// Tests and cases that the pages name exist, wherever they stand.
func TestEveryNamedTestExists(t *testing.T) {
	var tests []string
	for path, text := range texts(t) {
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range testFunction.FindAllStringSubmatch(text, -1) {
				tests = append(tests, m[1])
			}
		}
	}
	named := 0
	for path, text := range texts(t) {
		if !strings.HasSuffix(path, ".md") {
			continue
		}
		for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
			named++
			if !slices.Contains(tests, m[1]) {
				t.Errorf("%s names %s, which is no test", path, m[1])
			}
		}
		for _, m := range namedCase.FindAllStringSubmatch(text, -1) {
			named++
			if !caseExists(m[1], m[2]) {
				t.Errorf("%s names the case %s/%s, which does not exist", path, m[1], m[2])
			}
		}
	}
	if named < 150 {
		t.Errorf("found only %d names", named)
	}
}

// Every row of the requirements names at least one test or target of make.
func TestEveryRequirementIsShown(t *testing.T) {
	for line := range strings.Lines(read(t, "requirements.md")) {
		m := citedRequirement.FindString(line)
		if m == "" || !strings.HasPrefix(line, "| "+m+" |") {
			continue
		}
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if shown := cells[len(cells)-1]; !namedTest.MatchString(shown) && !namedCase.MatchString(shown) && !strings.Contains(shown, "`make ") {
			t.Errorf("%s is shown by nothing: %s", m, shown)
		}
	}
}

// Relative links between pages lead to files.
func TestLinksLeadToFiles(t *testing.T) {
	for path, text := range texts(t) {
		if !strings.HasSuffix(path, ".md") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", path, m[1], err)
			}
		}
	}
}

func caseExists(kind, name string) bool {
	pattern := map[string]string{
		"contract": "../testdata/contract/" + name + ".txt",
		"script":   "../**/testdata/script/" + name + ".txtar",
		"smtp":     "../mail/testdata/smtp/" + name + ".txt",
	}[kind]
	found, err := filepath.Glob(pattern)
	if kind == "script" && len(found) == 0 {
		found, err = filepath.Glob("../testdata/script/" + name + ".txtar")
	}
	return err == nil && len(found) > 0
}

func facts(text string) []string {
	var all []string
	for _, m := range citedFact.FindAllString(text, -1) {
		all = append(all, strings.Split(strings.Trim(m, "()"), ", ")...)
	}
	return all
}

// texts are the repository's Go, Markdown, shell and test files by path.
func texts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "fuzz" || d.Name() == "data"):
			return fs.SkipDir
		case slices.Contains([]string{".go", ".md", ".sh", ".txt", ".txtar", ".sql", ".toml"}, filepath.Ext(path)):
			all[path] = read(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// sources are the Go files of a repository: where a guard may stand, and which
// package has a test. Nothing here depends on the names of files and folders.
type sources struct {
	root  string
	texts map[string]string   // of the program, by path
	spans map[string][]span   // by the declaration's name, with and without its package's: Func, pkg.Type.Method
	tests map[string][]string // top-level tests by the folder of their package
}

type span struct {
	path       string
	start, end int
}

// readSources reads what belongs to the repository at root.
func readSources(ctx context.Context, root string) (*sources, error) {
	cmd := exec.CommandContext(ctx, "git", "ls-files", "-co", "--exclude-standard", "*.go")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	s := &sources{root: root, texts: map[string]string{}, spans: map[string][]span{}, tests: map[string][]string{}}
	for path := range strings.Lines(string(out)) {
		if err := s.read(strings.TrimSpace(path)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// read passes over files that were deleted and are still in the index.
func (s *sources) read(path string) error {
	text, err := os.ReadFile(filepath.Join(s.root, path))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, path, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if strings.HasSuffix(path, "_test.go") {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && testName.MatchString(f.Name.Name) {
				dir := filepath.ToSlash(filepath.Dir(path))
				s.tests[dir] = append(s.tests[dir], f.Name.Name)
			}
		}
		return nil
	}
	s.texts[path] = string(text)
	for name, node := range declarations(file) {
		at := positions.Position(node.Pos()).Offset
		here := span{path, at, at + int(node.End()-node.Pos())}
		s.spans[name] = append(s.spans[name], here)
		s.spans[file.Name.Name+"."+name] = append(s.spans[file.Name.Name+"."+name], here)
	}
	return nil
}

var testName = regexp.MustCompile(`^(Test|Fuzz)[A-Z]`)

// declarations yields a file's functions, methods, consts, vars and types.
func declarations(file *ast.File) map[string]ast.Node {
	all := map[string]ast.Node{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			all[functionName(d)] = d
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					all[spec.Name.Name] = spec
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						all[name.Name] = spec
					}
				}
			}
		}
	}
	return all
}

func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if index, ok := receiver.(*ast.IndexExpr); ok {
		receiver = index.X
	}
	return fmt.Sprint(receiver) + "." + f.Name.Name
}

// find returns where the guard's text stands. White space counts for nothing. A
// text that its declaration lacks may have moved: it will do anywhere, once.
func (s *sources) find(r removal) (span, error) {
	found := s.occurrences(r.old, s.spans[r.in])
	if len(found) == 0 {
		var program []span
		for path, text := range s.texts {
			program = append(program, span{path, 0, len(text)})
		}
		found = s.occurrences(r.old, program)
	}
	if len(found) != 1 {
		return span{}, fmt.Errorf("%s: its text occurs %d times (in %s)", r.name, len(found), cmp.Or(r.in, "the program"))
	}
	return found[0], nil
}

func (s *sources) occurrences(text string, within []span) []span {
	pattern := flexible(text)
	var found []span
	for _, w := range within {
		for _, at := range pattern.FindAllStringIndex(s.texts[w.path][w.start:w.end], -1) {
			found = append(found, span{w.path, w.start + at[0], w.start + at[1]})
		}
	}
	return found
}

func flexible(text string) *regexp.Regexp {
	words := strings.Fields(text)
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	return regexp.MustCompile(strings.Join(words, `\s+`))
}

// without returns the text of a file once the guard at s is gone.
func (s *sources) without(at span, r removal) string {
	text := s.texts[at.path]
	return text[:at.start] + strings.TrimSpace(r.new) + text[at.end:]
}

// testsOf splits [package.]pattern, and returns the folder whose tests match.
func (s *sources) testsOf(r removal) (dir, pattern string, err error) {
	pkg := ""
	pattern = r.tests
	if m := qualified.FindStringSubmatch(pattern); m != nil {
		pkg, pattern = m[1], m[2]
	}
	var tops []string
	for alternative := range strings.SplitSeq(pattern, "|") {
		top, _, _ := strings.Cut(alternative, "/")
		tops = append(tops, top)
	}
	top, err := regexp.Compile("^(?:" + strings.Join(tops, "|") + ")$")
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", r.name, err)
	}
	var dirs []string
	for dir, names := range s.tests {
		for _, name := range names {
			if top.MatchString(name) && (pkg == "" || pkg == filepath.Base(dir)) {
				dirs = append(dirs, dir)
				break
			}
		}
	}
	if len(dirs) != 1 {
		return "", "", fmt.Errorf("%s: %d packages have tests %q", r.name, len(dirs), r.tests)
	}
	return dirs[0], pattern, nil
}

var qualified = regexp.MustCompile(`^([a-z]\w*)\.(\w.*)$`)

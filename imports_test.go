package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport is the table of DESIGN.md: errcodes, password, templates, mail <
// groups < members < store | xmlresp < server < main.
var mayImport = map[string][]string{
	"errcodes":          {},
	"password":          {},
	"templates":         {},
	"mail":              {},
	"groups":            {"errcodes", "password", "templates", "mail"},
	"members":           {"errcodes", "password", "templates", "mail", "groups"},
	"store":             {"errcodes", "password", "templates", "mail", "groups", "members"},
	"store/mariadbtest": {},
	"browsertest":       {},
	"xmlresp":           {"errcodes", "password", "templates", "mail", "groups", "members"},
	"server":            {"errcodes", "password", "templates", "groups", "members", "xmlresp"},
	"":                  {"errcodes", "password", "templates", "mail", "groups", "members", "store", "xmlresp", "server"},
	"store/sqlitetest":  {},
	"scripts/removals":  {},
	"scripts/testgate":  {},
	"faulttest":         {},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, fault := range importFaults(p) {
			t.Error(fault)
		}
	}
}

func TestImportRulesFindFaults(t *testing.T) {
	for _, p := range []listed{
		{"reseed/server", []string{"reseed/store"}},
		{"reseed/server", []string{"reseed/mail"}},
		{"reseed/mail", []string{"reseed/templates"}},
		{"reseed/members", []string{"reseed/server"}},
		{"reseed/password", []string{"math/rand/v2"}},
		{"reseed/store", []string{"reseed/store/mariadbtest"}},
		{"reseed/util", nil},
		{"reseed/internal/x", nil},
		{"reseed/unlisted", nil},
	} {
		if len(importFaults(p)) == 0 {
			t.Errorf("%s importing %v is not found", p.ImportPath, p.Imports)
		}
	}
}

// importFaults says what is wrong with a package's place and imports.
func importFaults(p listed) []string {
	var faults []string
	name := local(p.ImportPath)
	allowed, known := mayImport[name]
	if !known {
		faults = append(faults, p.ImportPath+": is not in the table of DESIGN.md")
	}
	for _, segment := range strings.Split(name, "/") {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "models", "internal", "pkg"}, segment) {
			faults = append(faults, p.ImportPath+": no package may be named "+segment)
		}
	}
	for _, imported := range p.Imports {
		if strings.HasPrefix(imported, "reseed/") && !slices.Contains(allowed, local(imported)) {
			faults = append(faults, p.ImportPath+": must not import "+imported)
		}
		if name == "password" && strings.HasPrefix(imported, "math/rand") {
			faults = append(faults, p.ImportPath+": secrets need crypto/rand, not "+imported)
		}
	}
	return faults
}

// local returns an import path without the module's name.
func local(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, "reseed"), "/")
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 5 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	return packages
}

func TestNoHiddenState(t *testing.T) {
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(file))
		for _, fault := range stateFaults(dir, parsed) {
			t.Errorf("%s: %s", file, fault)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStateRulesFindFaults(t *testing.T) {
	for _, source := range []string{
		`package p; func init() {}`,
		`package p; import "time"; var x = time.Now()`,
		`package p; import "time"; func f() { g(time.Now) }`,
		`package p; import clock "time"; func f() { _ = clock.Since(t0) }`,
	} {
		parsed, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(stateFaults("store", parsed)) == 0 {
			t.Errorf("not found: %s", source)
		}
	}
}

// stateFaults finds init functions, and readings of the clock below main.
// Programs of their own, under scripts, and packages of test tools run with the
// real clock.
func stateFaults(dir string, file *ast.File) []string {
	var faults []string
	clockAllowed := dir == "." || path.Dir(dir) == "scripts" || strings.HasSuffix(path.Base(dir), "test")
	clock := importedAs(file, "time")
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				faults = append(faults, "no init functions")
			}
		case *ast.SelectorExpr:
			id, ok := n.X.(*ast.Ident)
			if ok && !clockAllowed && id.Name == clock && slices.Contains([]string{"Now", "Since", "Until"}, n.Sel.Name) {
				faults = append(faults, "no time."+n.Sel.Name+" below main: take a now func() time.Time")
			}
		}
		return true
	})
	return faults
}

// importedAs returns the name a file knows a package by, "" where it does not import it.
func importedAs(file *ast.File, importPath string) string {
	for _, spec := range file.Imports {
		if spec.Path.Value != `"`+importPath+`"` {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

package e2e

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
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/members"
)

// rooms is the order of docs/architecture.md: a package may import those of the groups to
// its left. Packages of one group don't import each other.
var rooms = [][]string{
	{"fold", "wait"}, {"errcodes", "openapi", "password", "templates", "templates/xslt", "mail", "inbox"}, {"groups", "webhooks"}, {"members"}, {"store", "xmlresp", "audit", "seed"},
	{"contract", "server/request"}, {"server/wix", "server/pages"}, {"server"}, {"config"}, {"metrics"}, {"app"},
	{"demo", "testserver"}, {"cli", "reseedtest"}, {"", "examples/go"},
}

// tools are programs of their own, with what they may import.
var tools = map[string][]string{"bench": {"mail", "password", "store/mariadbtest", "wait"}}

// barred are imports that the order allows and the design does not.
var barred = map[string][]string{
	"xmlresp":        {"store", "audit", "seed"},
	"audit":          {"store", "seed"},
	"seed":           {"store"},
	"contract":       {"store", "mail", "members"},
	"server/request": {"store", "mail", "audit", "webhooks"},
	"server/wix":     {"store", "mail", "audit", "webhooks"},
	"server/pages":   {"store", "mail", "audit", "webhooks"},
	"server":         {"store", "mail", "audit", "webhooks"},
	"config":         {"members", "audit", "xmlresp", "server", "server/wix", "server/pages"},
}

// alone are packages that import nothing of the program: tests' tools, and programs of their own.
var alone = []string{
	"store/mariadbtest", "store/sqlitetest", "e2e", "e2e/browser", "e2e/faults", "scripts/notices", "scripts/removals", "scripts/testgate", "docs",
}

// mayImport returns the packages that one may import, and whether it has a place at all.
func mayImport(name string) (allowed []string, known bool) {
	if slices.Contains(alone, name) {
		return nil, true
	}
	if imports, ok := tools[name]; ok {
		return imports, true
	}
	for _, group := range rooms {
		if slices.Contains(group, name) {
			return slices.DeleteFunc(allowed, func(p string) bool { return slices.Contains(barred[name], p) }), true
		}
		allowed = append(allowed, group...)
	}
	return nil, false
}

// modulePath is that of go.mod.
var modulePath = path.Dir(reflect.TypeFor[members.Member]().PkgPath())

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		for _, fault := range importFaults(p) {
			t.Error(fault)
		}
	}
}

func TestImportRulesFindFaults(t *testing.T) {
	t.Parallel()
	for _, p := range []listed{
		{modulePath + "/server", []string{modulePath + "/store"}},
		{modulePath + "/server", []string{modulePath + "/mail"}},
		{modulePath + "/mail", []string{modulePath + "/templates"}},
		{modulePath + "/members", []string{modulePath + "/server"}},
		{modulePath + "/password", []string{"math/rand/v2"}},
		{modulePath + "/store", []string{modulePath + "/store/mariadbtest"}},
		{modulePath + "/config", []string{modulePath + "/server"}},
		{modulePath + "/app", []string{modulePath + "/cli"}},
		{modulePath + "/audit", []string{modulePath + "/store"}},
		{modulePath + "/util", nil},
		{modulePath + "/internal/x", nil},
		{modulePath + "/unlisted", nil},
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
	allowed, known := mayImport(name)
	if !known {
		faults = append(faults, p.ImportPath+": is not in the table of docs/architecture.md")
	}
	for _, segment := range strings.Split(name, "/") {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "models", "internal", "pkg"}, segment) {
			faults = append(faults, p.ImportPath+": no package may be named "+segment)
		}
	}
	for _, imported := range p.Imports {
		if strings.HasPrefix(imported, modulePath+"/") && !slices.Contains(allowed, local(imported)) {
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
	return strings.TrimPrefix(strings.TrimPrefix(importPath, modulePath), "/")
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

// The root holds main.go alone.
func TestTheRootHoldsMainAlone(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) != 1 || files[0] != "main.go" {
		t.Errorf("the root holds %v, %v", files, err)
	}
}

func TestNoHiddenState(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	clockAllowed := slices.Contains([]string{".", "app", "cli", "e2e", "bench"}, dir) || path.Dir(dir) == "scripts" || strings.HasSuffix(path.Base(dir), "test")
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

// importedAs returns the name a file knows a package by, "" if it does not import it.
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

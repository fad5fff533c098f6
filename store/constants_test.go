package store

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"strings"
	"testing"
)

// runners take a statement; the index is its place among the arguments. A
// variable there has the type statement, and so comes from a constant or from a
// conversion, which is checked where it stands.
var runners = map[string]int{"query": 1, "row": 1, "exec": 1, "insert": 1, "jobs": 1, "byKey": 1, "execNow": 1, "execKept": 1, "stmt": 2}

// wrappers are the functions that pass on the statement they were given.
var wrappers = map[string]bool{"query": true, "row": true, "exec": true, "insert": true, "jobs": true,
	"execOnce": true, "execNow": true, "stmt": true, "seek": true, "insertTogether": true, "execKept": true,
	"voidAll": true} // which adds names of tables from a list of its own

// Every statement is a constant: no SQL is built from input (PAR-10).
func TestEveryStatementIsAConstant(t *testing.T) {
	files := parse(t)
	constants := declared(files)
	checked := 0
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || wrappers[fn.Name.Name] {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if q := statementOf(call); q != nil {
						checked++
						if !constant(q, constants) {
							t.Errorf("%s runs SQL that is not a constant", fn.Name.Name)
						}
					}
				}
				return true
			})
		}
	}
	if checked < 10 {
		t.Errorf("%d statements were checked: the test does not see them", checked)
	}
}

func parse(t *testing.T) []*ast.File {
	t.Helper()
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), ".go") || strings.HasSuffix(n.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(gotoken.NewFileSet(), n.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// declared returns the names of the package's constants.
func declared(files []*ast.File) map[string]bool {
	names := map[string]bool{}
	for _, f := range files {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == gotoken.CONST {
				for _, s := range g.Specs {
					for _, n := range s.(*ast.ValueSpec).Names {
						names[n.Name] = true
					}
				}
			}
		}
	}
	return names
}

// statementOf returns what a call runs as SQL, nil if it runs none. A
// conversion to statement counts: it could turn any text into one.
func statementOf(call *ast.CallExpr) ast.Expr {
	if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "statement" {
		return call.Args[0]
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	switch name := sel.Sel.Name; {
	case name == "Query" || name == "Exec" || name == "Prepare" || name == "QueryRow":
		return call.Args[0]
	case strings.HasSuffix(name, "Context") && len(call.Args) > 1 &&
		(strings.HasPrefix(name, "Query") || strings.HasPrefix(name, "Exec") || strings.HasPrefix(name, "Prepare")):
		return call.Args[1]
	case len(call.Args) > runners[name] && runners[name] > 0:
		if _, variable := call.Args[runners[name]].(*ast.Ident); !variable {
			return call.Args[runners[name]]
		}
	}
	return nil
}

func constant(e ast.Expr, constants map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return constants[e.Name]
	case *ast.CallExpr:
		return choice(e, constants)
	}
	return false
}

// choice reports whether e is choose of constants, or string of one.
func choice(e *ast.CallExpr, constants map[string]bool) bool {
	sel, isSel := e.Fun.(*ast.SelectorExpr)
	id, isIdent := e.Fun.(*ast.Ident)
	if (!isSel || sel.Sel.Name != "choose") && (!isIdent || id.Name != "string") {
		return false
	}
	for _, a := range e.Args {
		if !constant(a, constants) {
			return false
		}
	}
	return true
}

// Columns are named, so that a migration never changes what a statement yields.
func TestNoStatementReadsStar(t *testing.T) {
	for _, f := range parse(t) {
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == gotoken.STRING {
				if strings.Contains(lit.Value, "SELECT *") || strings.Contains(lit.Value, ".*") {
					t.Errorf("%s", lit.Value)
				}
			}
			return true
		})
	}
}

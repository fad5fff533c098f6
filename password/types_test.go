package password

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSecretsPrintAsStars holds LOG-1 for every verb, since fmt passes by the
// String method for those that don't fit.
func TestSecretsPrintAsStars(t *testing.T) {
	const canary = "canary-in-the-mine-01234567890ab"
	var sum TokenHash
	copy(sum[:], canary)
	keys := Keys{Current: []byte(canary), Previous: []byte(canary)}
	for _, v := range []any{Hash(canary), sum, Secret(canary), keys, &keys} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%f", "%z", "%20s"} {
			fmt.Fprintf(&out, verb+" ", v)
			fmt.Fprintf(&out, verb+" ", struct{ Field any }{v})
			fmt.Fprintf(&out, verb+" ", []any{v})
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("log", "value", v, "group", []any{v})
		slog.New(slog.NewJSONHandler(&out, nil)).Info("log", "value", v)
		if _, isHash := v.(TokenHash); !isHash {
			text, err := json.Marshal(map[string]any{"value": v})
			if err != nil || !strings.Contains(string(text), redacted) {
				t.Errorf("%T in JSON: %s, %v", v, text, err)
			}
			out.Write(text)
		}
		if !strings.Contains(out.String(), redacted) {
			t.Errorf("%T doesn't show that something is hidden", v)
		}
		for _, piece := range []string{canary[:8], hex.EncodeToString([]byte(canary[:4])), fmt.Sprintf("%d", []byte(canary[:4]))[1:12]} {
			if strings.Contains(strings.ToLower(out.String()), piece) {
				t.Errorf("%T shows %q", v, piece)
			}
		}
	}
}

func TestSecretKeepsItsValue(t *testing.T) {
	var s Secret
	if err := s.UnmarshalText([]byte(" pass\x00word ")); err != nil || s.Reveal() != " pass\x00word " {
		t.Errorf("Reveal() = %q, %v", s.Reveal(), err)
	}
	if got := fmt.Sprintf("%v|%s", Secret(""), s); got != "|***" {
		t.Errorf("empty and set secrets print as %q", got)
	}
}

var secretName = regexp.MustCompile(`(?i)token|hash|key|secret|password|sum|digest|mac`)

// TestSecretsAreComparedInConstantTime holds TOK-14 and TOK-1 in the source: no
// == between secrets, no random numbers that can be foretold.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d files found, %v", len(names), err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "gen_") {
			continue
		}
		files := gotoken.NewFileSet()
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			named := secretNames(d)
			ast.Inspect(d, func(n ast.Node) bool {
				if fault := named.fault(n); fault != "" {
					t.Errorf("%s: %s", files.Position(n.Pos()), fault)
				}
				return true
			})
		}
		for _, i := range file.Imports {
			if strings.HasPrefix(i.Path.Value, `"math/rand`) {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}

func TestSecretFaultsAreFound(t *testing.T) {
	for source, want := range map[string]bool{
		"a.Token == token": true, "other == token": true, "key == nil": false, "hash != other": true, "bytes.Equal(a, b)": true, "reflect.DeepEqual(a, b)": true,
		`password == ""`: false, "len(key) == 0": false, "a == b": false, "keySize != len(k)": false, "len(key) != keySize": false,
		"string(h.key(a, b)) == string(a.key)": true, "HashToken(t) == want": true, "string(a) == string(b)": false,
		"func(x, y TokenHash) bool { return x == y }": true, "func(x *Hash, y Hash) bool { return *x != y }": true,
		"func(x [32]byte, y string) bool { return string(x[:]) == y }": false,
	} {
		e, err := parser.ParseExpr(source)
		if err != nil {
			t.Fatal(err)
		}
		named, got := secretNames(e), false
		ast.Inspect(e, func(n ast.Node) bool {
			got = got || named.fault(n) != ""
			return true
		})
		if got != want {
			t.Errorf("%s: fault is %v, want %v", source, got, want)
		}
	}
}

// secrets are the names in a piece of source whose types are secret.
type secrets map[string]bool

// secretNames returns the receivers and parameters that are secret by type.
func secretNames(source ast.Node) secrets {
	named := secrets{}
	ast.Inspect(source, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if !ok {
			return true
		}
		kind := field.Type
		if star, ok := kind.(*ast.StarExpr); ok {
			kind = star.X
		}
		if id, ok := kind.(*ast.Ident); ok && slices.Contains([]string{"TokenHash", "Hash", "Secret"}, id.Name) {
			for _, name := range field.Names {
				named[name.Name] = true
			}
		}
		return true
	})
	return named
}

func (s secrets) fault(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if (n.Op == gotoken.EQL || n.Op == gotoken.NEQ) && (s.hold(n.X) && isVariable(n.Y) || s.hold(n.Y) && isVariable(n.X)) {
			return "a secret is compared with " + n.Op.String()
		}
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && (x.Name == "bytes" && n.Sel.Name == "Equal" || x.Name == "reflect") {
			return "compares with an early exit"
		}
	}
	return ""
}

// hold reports whether an expression is a secret, or a conversion of one.
func (s secrets) hold(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return s[e.Name] || secretName.MatchString(e.Name) && !strings.HasSuffix(e.Name, "Size")
	case *ast.SelectorExpr:
		return s.hold(e.Sel)
	case *ast.StarExpr:
		return s.hold(e.X)
	case *ast.SliceExpr:
		return s.hold(e.X)
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && id.Name == "string" {
			return s.hold(e.Args[0])
		}
		return s.hold(e.Fun)
	default:
		return false
	}
}

// isVariable reports whether a value is not written out.
func isVariable(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name != "nil"
	case *ast.SelectorExpr, *ast.SliceExpr, *ast.CallExpr, *ast.StarExpr:
		return true
	default:
		return false
	}
}

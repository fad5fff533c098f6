package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// There is nothing to rewrite here, but go test ./... -update tells every package.
var _ = flag.Bool("update", false, "ignored")

// TestNotices holds that every module that is linked is named in both files,
// and has a licence.
func TestNotices(t *testing.T) {
	t.Chdir("../..")
	dir := t.TempDir()
	if err := run(dir, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "THIRD-PARTY-NOTICES.txt"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "sbom.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BOMFormat  string
		Components []component
	}
	if err := json.Unmarshal(raw, &bill); err != nil || bill.BOMFormat != "CycloneDX" {
		t.Fatalf("%q, %v", bill.BOMFormat, err)
	}
	seen := map[string]bool{}
	for _, c := range bill.Components {
		seen[c.Name] = true
		if !strings.Contains(string(text), "\n"+c.Name+" "+c.Version+"\n") || c.Version == "" {
			t.Errorf("%s %s has no notice", c.Name, c.Version)
		}
	}
	for _, name := range []string{"std", "github.com/gorilla/mux", "golang.org/x/crypto", "modernc.org/sqlite"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestModuleWithoutLicence(t *testing.T) {
	if _, err := notices([]module{{"example.org/x", "v1", t.TempDir()}}); err == nil {
		t.Error("a module without a licence is accepted")
	}
}

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reseed/errcodes"
)

// The README's tables are made from the code, between two marks; -update rewrites them.
func TestReadmeTables(t *testing.T) {
	config, err := configTable()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"config": config, "codes": codeTable()} {
		t.Run(name, func(t *testing.T) {
			readme, err := os.ReadFile("README.md")
			if err != nil {
				t.Fatal(err)
			}
			begin, end := "<!-- "+name+":begin -->\n", "<!-- "+name+":end -->"
			before, rest, found := strings.Cut(string(readme), begin)
			got, after, closed := strings.Cut(rest, end)
			if !found || !closed {
				t.Fatalf("README.md lacks %q or %q", begin, end)
			}
			if *update {
				if err := os.WriteFile("README.md", []byte(before+begin+want+end+after), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("README.md differs from the code; -update mends it (-want +got):\n%s", diff)
			}
		})
	}
}

// codeTable is the catalogue as Markdown.
func codeTable() string {
	var b strings.Builder
	b.WriteString("| code | HTTP | message | when | who sees it |\n| --- | --- | --- | --- | --- |\n")
	for _, e := range errcodes.Catalogue() {
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s | %s |\n", e.Code, e.Status, e.Message, e.When, e.Audience)
	}
	return b.String()
}

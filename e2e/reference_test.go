package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/cli"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/errcodes"
)

// The reference pages are made from the code, between two marks; -update rewrites them.
func TestReferencePages(t *testing.T) {
	t.Parallel()
	for name, generate := range map[string]func() (string, error){
		"settings": config.Table,
		"commands": cli.Reference,
		"codes":    func() (string, error) { return codeTable(), nil },
	} {
		t.Run(name, func(t *testing.T) {
			want, err := generate()
			if err != nil {
				t.Fatal(err)
			}
			page := "docs/reference-" + name + ".md"
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			const begin, end = "<!-- generated:begin -->\n", "<!-- generated:end -->"
			before, rest, found := strings.Cut(string(text), begin)
			got, after, closed := strings.Cut(rest, end)
			if !found || !closed {
				t.Fatalf("%s lacks %q or %q", page, begin, end)
			}
			if *update {
				if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s differs from the code; go test ./e2e -run TestReferencePages -update mends it (-want +got):\n%s", page, diff)
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

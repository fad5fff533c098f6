package cli

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/reseed-project/reseed/config"
)

func TestEveryCommandShowsAnExample(t *testing.T) {
	var line commandLine
	parser, err := newParser(&line, config.NewLoader(), &Console{})
	if err != nil {
		t.Fatal(err)
	}
	leaves := parser.Model.Leaves(false)
	if len(leaves) < 16 {
		t.Errorf("only %d commands", len(leaves))
	}
	for _, node := range leaves {
		for ; node.Type == kong.CommandNode; node = node.Parent {
			if node.Help == "" || !strings.Contains(node.Detail, "\treseed "+strings.TrimPrefix(node.FullPath(), "reseed ")) {
				t.Errorf("%s: help %q, detail %q", node.FullPath(), node.Help, node.Detail)
			}
		}
	}
}

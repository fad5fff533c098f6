package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/reseed-project/reseed/config"
)

// Reference returns all commands with their arguments, flags and examples as
// Markdown, made from the grammar. The settings, which every command takes, are
// left out.
func Reference() (string, error) {
	var line commandLine
	parser, err := newParser(&line, config.NewLoader(), &Console{Out: io.Discard, Err: io.Discard, Now: time.Now})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, node := range parser.Model.Leaves(true) {
		describe(&b, node)
	}
	return strings.TrimPrefix(b.String(), "\n"), nil
}

func describe(b *strings.Builder, node *kong.Node) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", strings.TrimPrefix(node.FullPath(), "reseed "), node.Help)
	var rows []string
	for _, a := range node.Positional {
		rows = append(rows, tableRow(a.Summary(), a.Help, a.Default))
	}
	for _, f := range node.Flags {
		if !f.Hidden {
			rows = append(rows, tableRow(f.String(), f.Help, f.Default))
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "\n| argument or flag | meaning |\n| --- | --- |\n%s", strings.Join(rows, ""))
	}
	if _, examples, ok := strings.Cut(node.Detail, ":\n\n"); ok {
		fmt.Fprintf(b, "\n```\n%s\n```\n", strings.ReplaceAll(strings.TrimSpace(examples), "\n\t", "\n"))
	}
}

func tableRow(name, help, fallback string) string {
	if fallback != "" {
		help += " Default: `" + fallback + "`."
	}
	return fmt.Sprintf("| `%s` | %s |\n", name, strings.ReplaceAll(help, "|", `\|`))
}

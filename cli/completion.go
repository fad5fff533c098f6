package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/willabides/kongplete"

	"github.com/reseed-project/reseed/config"
)

// CompletionCmd is reseed completion.
type CompletionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help shows examples.
func (CompletionCmd) Help() string {
	return example("reseed completion bash > /etc/bash_completion.d/reseed", "reseed completion fish > ~/.config/fish/completions/reseed.fish")
}

// Run prints what makes the shell ask this program how a line may go on.
func (c CompletionCmd) Run(std *Console) error {
	fmt.Fprintln(std.Out, map[string]string{
		"bash": "complete -C reseed reseed",
		"zsh":  "autoload -U +X bashcompinit && bashcompinit\ncomplete -o nospace -C reseed reseed",
		"fish": "complete -c reseed -f -a '(env COMP_LINE=(commandline -cp) reseed)'",
	}[c.Shell])
	return nil
}

// completed answers a shell that asks how a line may go on, and reports whether
// one did: then COMP_LINE holds the line.
func completed(parser *kong.Kong) bool {
	if os.Getenv("COMP_LINE") == "" {
		return false
	}
	kongplete.Complete(parser, kongplete.WithExitFunc(func(int) {}))
	return true
}

// ManCmd is reseed man.
type ManCmd struct{}

// Help shows an example.
func (ManCmd) Help() string { return example("reseed man > /usr/local/share/man/man1/reseed.1") }

// Run prints a manual page of all commands and settings, made from the grammar.
func (ManCmd) Run(std *Console) error {
	var line commandLine
	parser, err := newParser(&line, config.NewLoader(), std)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(".TH RESEED 1\n.SH NAME\nreseed \\- account recovery for PageSeeder and Wix clients\n.SH SYNOPSIS\n.B reseed\nCOMMAND [FLAGS]\n.SH COMMANDS\n")
	for _, node := range parser.Model.Leaves(true) {
		usage := node.FullPath()
		for _, p := range node.Positional {
			usage += " " + p.Summary()
		}
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(usage), roff(node.Help))
		for _, f := range node.Flags {
			if !f.Hidden {
				fmt.Fprintf(&b, ".RS\n.TP\n.B %s\n%s\n.RE\n", roff(f.String()), roff(f.Help))
			}
		}
	}
	b.WriteString(".SH SETTINGS\nEach is a flag, an environment variable and a key of the file that --config names.\n")
	settings, err := config.Settings()
	if err != nil {
		return err
	}
	for _, s := range settings {
		fmt.Fprintf(&b, ".TP\n.B \\-\\-%s, %s\n%s", roff(s.Name), roff(s.Env), roff(s.Help))
		if s.Default != "" {
			fmt.Fprintf(&b, " Default: %s.", roff(s.Default))
		}
		b.WriteString("\n")
	}
	b.WriteString(".SH EXIT STATUS\n0: done. 1: not done. 2: wrong usage or configuration.\n")
	fmt.Fprint(std.Out, b.String())
	return nil
}

// roff escapes a text for a manual page.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/reseed-project/reseed/config"
)

// Exit codes of the command line.
const (
	exitFailure = 1 // what was asked for could not be done
	exitUsage   = 2 // the command line or the configuration is wrong
)

// Run runs a command line and returns the exit code.
func Run(ctx context.Context, args []string, std *Console) int {
	err := command(ctx, args, std)
	if err == nil {
		return 0
	}
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	fmt.Fprintln(std.Err, "reseed: "+err.Error())
	var usage *kong.ParseError
	var faulty config.Error
	if errors.As(err, &usage) || errors.As(err, &faulty) {
		fmt.Fprintln(std.Err, `Run "reseed --help" or "reseed COMMAND --help" for what there is, with examples.`)
		return exitUsage
	}
	return exitFailure
}

// exitStatus ends the program with a status when everything has been said.
type exitStatus int

// Error is not shown.
func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// plainWords reads what people type first: nothing, help, or --version.
func plainWords(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(args[1:len(args):len(args)], "--help")
	case args[0] == "--version":
		return []string{"version"}
	}
	return args
}

func command(ctx context.Context, args []string, std *Console) error {
	var line commandLine
	l := config.NewLoader()
	parser, err := newParser(&line, l, std)
	if err != nil {
		return err
	}
	if completed(parser) {
		return nil
	}
	parsed, err := parser.Parse(plainWords(args))
	if err != nil {
		return err
	}
	line.KeepFlags(parsed)
	serving := parsed.Selected() != nil && parsed.Selected().Name == "serve"
	if parsed.Command() != "version" && parsed.Command() != "doctor" && !strings.HasPrefix(parsed.Command(), "config ") {
		// A test mail is sent as a server would, with its secrets.
		if err := l.Finish(&line.Config, serving || parsed.Command() == "mail test"); err != nil {
			return err
		}
	}
	if line.Database != "" && onCommandLine(parsed, "database") {
		l.Warnings = append(l.Warnings, "database: a password on the command line is visible to other users of the machine; RESEED_DATABASE or the file keeps it to yourself")
	}
	for _, w := range l.Warnings {
		fmt.Fprintln(std.Err, "warning: "+w)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(l)
	out := &output{Writer: std.Out}
	err = parsed.Run(&Console{In: std.In, Out: out, Err: std.Err, Now: std.Now, Cases: std.Cases}, &line.Config)
	if err != nil || serving {
		return err // a server goes on when nobody reads what it said at the start
	}
	return out.err
}

// output remembers that it could not be written, so that no script takes half
// a list for the whole.
type output struct {
	io.Writer
	err error
}

// Write writes, and keeps the first error.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("print the result: %w", err)
	}
	return n, err
}

// onCommandLine reports whether a setting was given as a flag.
func onCommandLine(parsed *kong.Context, setting string) bool {
	for _, p := range parsed.Path {
		if p.Flag != nil && p.Flag.Name == setting && !p.Resolved {
			return true
		}
	}
	return false
}

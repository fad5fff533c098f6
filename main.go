// Reseed answers the reset-password services of PageSeeder and Wix, mails the
// tokens and sets the new passwords.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit codes of the command line.
const (
	exitFailure = 1 // what was asked for could not be done
	exitUsage   = 2 // the command line or the configuration is wrong
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], &console{in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now}))
}

// run runs a command line and returns the exit code.
func run(ctx context.Context, args []string, std *console) int {
	err := command(ctx, args, std)
	if err == nil {
		return 0
	}
	fmt.Fprintln(std.err, "reseed: "+err.Error())
	var usage *kong.ParseError
	var faulty configError
	if errors.As(err, &usage) || errors.As(err, &faulty) {
		fmt.Fprintln(std.err, `Run "reseed --help" or "reseed COMMAND --help" for what there is, with examples.`)
		return exitUsage
	}
	return exitFailure
}

func command(ctx context.Context, args []string, std *console) error {
	var line commandLine
	l := newLoader()
	parser, err := newParser(&line, l, std)
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	serving := parsed.Selected() != nil && parsed.Selected().Name == "serve"
	if parsed.Command() != "version" {
		if err := l.finish(&line.Config, serving); err != nil {
			return err
		}
	}
	if line.Database != "" && onCommandLine(parsed, "database") {
		l.warnings = append(l.warnings, "database: a password on the command line is visible to other users of the machine; RESEED_DATABASE or the file keeps it to yourself")
	}
	for _, w := range l.warnings {
		fmt.Fprintln(std.err, "warning: "+w)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	out := &output{Writer: std.out}
	err = parsed.Run(&console{in: std.in, out: out, err: std.err, now: std.now}, &line.Config)
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

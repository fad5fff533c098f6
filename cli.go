package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// console is what a command talks to. out carries what a script wants and
// nothing else; err the rest.
type console struct {
	in  io.Reader
	out io.Writer
	err io.Writer
	now func() time.Time
}

// commandLine is the grammar of the command line. The settings are understood
// by every command.
type commandLine struct {
	Config  `embed:""`
	Serve   ServeCmd   `cmd:"" help:"Run the server until it is interrupted."`
	Demo    DemoCmd    `cmd:"" help:"Tour both services with sample data in a temporary folder, then keep serving."`
	Member  MemberCmd  `cmd:"" help:"Add, show, import, lock and unlock members, and set their passwords."`
	Group   GroupCmd   `cmd:"" help:"Add and show groups, and say who belongs to them."`
	Client  ClientCmd  `cmd:"" help:"Add, show and remove OAuth clients."`
	Site    SiteCmd    `cmd:"" help:"Map Wix sites to groups."`
	APIKey  APIKeyCmd  `cmd:"" name:"apikey" help:"Make and remove the API keys of Wix sites."`
	Mail    MailCmd    `cmd:"" help:"Show the queue of mails, and put back what failed."`
	Events  EventsCmd  `cmd:"" help:"Show what happened: requests, changes, refusals, administrators' acts."`
	Key     KeyCmd     `cmd:"" help:"Rotate the key that tokens are made with."`
	Migrate MigrateCmd `cmd:"" help:"Bring the database's schema up to date, or check that it is."`
	Check   CheckCmd   `cmd:"" help:"Say what about the database's settings endangers requests and mails."`
	Version VersionCmd `cmd:"" help:"Print the version."`
}

// ServeCmd is reseed serve.
type ServeCmd struct{}

// Help shows examples.
func (ServeCmd) Help() string {
	return example(
		"reseed serve",
		"reseed serve --listen :8080 --host-url https://example.org/ps --smtp smtp://mailer@mail.example.org:587",
		"RESEED_DATABASE=mysql://reseed:PASSWORD@db:3306/reseed reseed serve --config /etc/reseed.toml",
	)
}

// DemoCmd is reseed demo.
type DemoCmd struct {
	Once bool `help:"Leave after the tour instead of serving on."`
}

// Help shows examples.
func (DemoCmd) Help() string { return example("reseed demo", "reseed demo --once") }

// VersionCmd is reseed version.
type VersionCmd struct{}

// Help shows an example.
func (VersionCmd) Help() string { return example("reseed version") }

// Run prints the version.
func (VersionCmd) Run(std *console) error {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintf(std.out, "reseed %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// example returns a help text with command lines to copy.
func example(lines ...string) string {
	title := "Example:"
	if len(lines) > 1 {
		title = "Examples:"
	}
	return title + "\n\n\t" + strings.Join(lines, "\n\t")
}

func newParser(line *commandLine, l *loader, std *console) (*kong.Kong, error) {
	options := append(l.options(),
		kong.Name("reseed"),
		kong.Description("A server for the reset-password services of PageSeeder and Wix.\n\n"+
			example("reseed demo", "reseed serve --help", "reseed member add --username vvega --email vvega@example.org")),
		kong.Writers(std.out, std.err),
		kong.Help(printHelp),
		kong.ValueFormatter(helpText), // not in HelpOptions, where it is overwritten
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoAppDescFormat: true}),
	)
	parser, err := kong.New(line, options...)
	if err != nil {
		return nil, fmt.Errorf("read the command line's grammar: %w", err)
	}
	return parser, nil
}

// printHelp shows all settings with serve alone: elsewhere they would bury the
// command's own flags.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	selected := ctx.Selected()
	all := selected != nil && selected.Name == "serve"
	for _, f := range ctx.Model.Flags {
		if len(f.Envs) > 0 && !all {
			f.Hidden = !slices.Contains([]string{"config", "data", "database"}, f.Name)
		}
	}
	return kong.DefaultHelpPrinter(options, ctx)
}

// helpText returns a flag's help with its default and environment variable.
func helpText(v *kong.Value) string {
	text := kong.DefaultHelpValueFormatter(v)
	if v.HasDefault && v.Default != "" {
		text += " Default: " + v.Default + "."
	}
	return text
}

// Package cli is the command line: its grammar, one file a noun, and what the
// commands print.
package cli

import (
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/templates"
)

// Console is what a command talks to. out carries what a script wants and
// nothing else; err the rest.
type Console struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	Now func() time.Time
	// Cases holds the built-in contract cases below testdata/contract.
	Cases fs.FS
}

// commandLine is the grammar of the command line. The settings are understood
// by every command.
type commandLine struct {
	config.Config `embed:""`
	Serve         ServeCmd      `cmd:"" help:"Run the server until it is interrupted."`
	Demo          DemoCmd       `cmd:"" help:"Tour both services with sample data in a temporary folder, then keep serving."`
	Member        MemberCmd     `cmd:"" help:"Add, show, import, lock and unlock members, and set their passwords."`
	Group         GroupCmd      `cmd:"" help:"Add, change and show groups and their members."`
	Client        ClientCmd     `cmd:"" help:"Add, show and remove OAuth clients."`
	Site          SiteCmd       `cmd:"" help:"Map Wix sites to groups."`
	APIKey        APIKeyCmd     `cmd:"" name:"apikey" help:"Make and remove the API keys of Wix sites."`
	Mail          MailCmd       `cmd:"" help:"Show the queue of mails, and put back what failed."`
	Webhook       WebhookCmd    `cmd:"" help:"Tell other systems what happened to members, by signed HTTP requests."`
	Templates     TemplatesCmd  `cmd:"" help:"Check, preview and export mail templates, and say which one serves a group."`
	Events        EventsCmd     `cmd:"" help:"Show what happened: requests, changes, refusals, administrators' acts."`
	DKIM          DKIMCmd       `cmd:"" name:"dkim" help:"Make the keys that mails are signed with."`
	Key           KeyCmd        `cmd:"" help:"Rotate the key that tokens are made with."`
	Migrate       MigrateCmd    `cmd:"" help:"Bring the database's schema up to date, or check that it is."`
	Check         CheckCmd      `cmd:"" help:"Say what about the database's settings endangers requests and mails."`
	Test          TestCmd       `cmd:"" help:"Start a test server, run a command against it, and end with its exit status."`
	Contract      ContractCmd   `cmd:"" help:"Play the contract cases against any server, or record new ones."`
	Doctor        DoctorCmd     `cmd:"" help:"Look for what keeps this installation from working, and say what to do."`
	Settings      ConfigCmd     `cmd:"" name:"config" help:"Show the settings in effect, check a file, or print one to start with."`
	Reload        ReloadCmd     `cmd:"" help:"Make the running server reload its templates and log level, as SIGHUP does."`
	Backup        BackupCmd     `cmd:"" help:"Copy the SQLite database into a file while the server runs."`
	Restore       RestoreCmd    `cmd:"" help:"Replace the SQLite database with a backup."`
	Health        HealthCmd     `cmd:"" help:"Ask the server on this machine whether it is ready; for containers and scripts."`
	Completion    CompletionCmd `cmd:"" help:"Print what completes command lines in bash, zsh or fish."`
	Man           ManCmd        `cmd:"" help:"Print the manual page."`
	Version       VersionCmd    `cmd:"" help:"Print the version."`
}

// ServeCmd is reseed serve.
type ServeCmd struct {
	Test  bool   `group:"Test server" help:"Serve other programs' tests: everything is forgotten at the end, no limits, cheap passwords, no mail leaves, and a control API below /dev. Prints one line of JSON when it is ready."`
	Seed  string `group:"Test server" type:"existingfile" placeholder:"FILE" help:"Who exists on the test server: groups, members, sites, clients, in YAML or JSON."`
	Force bool   `group:"Test server" help:"Let the test server listen on an address that other machines reach. Anyone who reaches it can do anything with it."`
}

// Help shows examples.
func (ServeCmd) Help() string {
	return example(
		"reseed serve",
		"reseed serve --listen :8080 --host-url https://example.org/ps --smtp smtp://mailer@mail.example.org:587",
		"RESEED_DATABASE=mysql://reseed:PASSWORD@db:3306/reseed reseed serve --config /etc/reseed.toml",
		"reseed serve --test --seed accounts.yaml",
	)
}

// DemoCmd is reseed demo.
type DemoCmd struct {
	Once bool `help:"Exit after the tour instead of serving on."`
}

// Help shows examples.
func (DemoCmd) Help() string { return example("reseed demo", "reseed demo --once") }

// VersionCmd is reseed version.
type VersionCmd struct{}

// Help shows an example.
func (VersionCmd) Help() string { return example("reseed version") }

// Run prints the version.
func (VersionCmd) Run(std *Console) error {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintf(std.Out, "reseed %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
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

func newParser(line *commandLine, l *config.Loader, std *Console) (*kong.Kong, error) {
	options := append(l.Options(),
		kong.Name("reseed"),
		kong.Description("A server for the reset-password services of PageSeeder and Wix.\n\n"+
			example("reseed demo", "reseed serve --help", "reseed member add --username vvega --email vvega@example.org")),
		kong.Vars{"templates": strings.Join(templates.Names(), ",")},
		kong.Writers(std.Out, std.Err),
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
	if all {
		mainFirst(ctx.Model.Node)
	}
	for _, f := range ctx.Model.Flags {
		if len(f.Envs) > 0 && !all {
			f.Hidden = !slices.Contains([]string{"config", "data", "database"}, f.Name)
		}
	}
	return kong.DefaultHelpPrinter(options, ctx)
}

// mainSettings are the ten that most installations set.
func mainSettings() []string {
	return []string{
		"config", "data", "database", "listen", "host-url", "trusted-proxies",
		"smtp", "smtp-password-file", "mail-from-address", "site-name",
	}
}

// mainFirst puts the main settings, in a group of their own, before the others.
func mainFirst(n *kong.Node) {
	group := &kong.Group{Key: "Main settings", Title: "The settings that matter most"}
	rank := func(f *kong.Flag) int {
		if i := slices.Index(mainSettings(), f.Name); i >= 0 {
			return i
		}
		return len(mainSettings())
	}
	slices.SortStableFunc(n.Flags, func(a, b *kong.Flag) int { return rank(a) - rank(b) })
	for _, f := range n.Flags {
		if rank(f) < len(mainSettings()) {
			f.Group = group
		}
	}
}

// helpText returns a flag's help with its default and environment variable.
func helpText(v *kong.Value) string {
	text := kong.DefaultHelpValueFormatter(v)
	if v.HasDefault && v.Default != "" {
		text += " Default: " + v.Default + "."
	}
	return text
}

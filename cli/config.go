package cli

import (
	"encoding/json"
	"fmt"

	"github.com/reseed-project/reseed/config"
)

// ConfigCmd is reseed config.
type ConfigCmd struct {
	Show  ConfigShowCmd  `cmd:"" help:"Print every setting in effect and where it comes from. Secrets are masked."`
	Check ConfigCheckCmd `cmd:"" help:"Check a configuration file as a server would read it, without starting one."`
	Init  ConfigInitCmd  `cmd:"" help:"Print a configuration file with every setting, its meaning and its default."`
}

// Help shows examples.
func (ConfigCmd) Help() string {
	return example("reseed config init > reseed.toml", "reseed config check reseed.toml")
}

// ConfigShowCmd is reseed config show.
type ConfigShowCmd struct {
	JSON bool `name:"json" help:"Print a JSON object a line."`
}

// Help shows an example.
func (ConfigShowCmd) Help() string { return example("reseed config show --config reseed.toml") }

// Run prints the settings, separated by tabs; the titles go to standard error.
func (c ConfigShowCmd) Run(std *Console, cfg *config.Config, l *config.Loader) error {
	err := finish(std, cfg, l)
	if !c.JSON {
		row(std.Err, "setting", "value", "from")
	}
	for _, v := range l.Values() {
		if !c.JSON {
			row(std.Out, v.Name, v.Text, v.Source)
			continue
		}
		line, err := json.Marshal(struct {
			Setting string `json:"setting"`
			Value   string `json:"value"`
			From    string `json:"from"`
		}{v.Name, v.Text, v.Source})
		if err != nil {
			return err
		}
		fmt.Fprintf(std.Out, "%s\n", line)
	}
	return err
}

// finish completes the settings as a server would, and prints the warnings.
func finish(std *Console, cfg *config.Config, l *config.Loader) error {
	err := l.Finish(cfg, true)
	for _, w := range l.Warnings {
		fmt.Fprintln(std.Err, "warning: "+w)
	}
	return err
}

// ConfigCheckCmd is reseed config check.
type ConfigCheckCmd struct {
	File string `arg:"" optional:"" help:"File to check. Default: the one that --config or RESEED_CONFIG names."`
}

// Help shows an example.
func (ConfigCheckCmd) Help() string { return example("reseed config check /etc/reseed/reseed.toml") }

// Run names every fault with its line, and says a sentence if there is none.
func (c ConfigCheckCmd) Run(std *Console, cfg *config.Config, l *config.Loader) error {
	err := error(nil)
	if c.File == "" {
		err = finish(std, cfg, l)
	} else {
		var warnings []string
		_, warnings, err = config.Load([]string{"--config", c.File}, true)
		for _, w := range warnings {
			fmt.Fprintln(std.Err, "warning: "+w)
		}
	}
	if err == nil {
		fmt.Fprintln(std.Out, "the configuration is in order")
	}
	return err
}

// ConfigInitCmd is reseed config init.
type ConfigInitCmd struct{}

// Help shows an example.
func (ConfigInitCmd) Help() string { return example("reseed config init > reseed.toml") }

// Run prints the file.
func (ConfigInitCmd) Run(std *Console) error {
	text, err := config.Example()
	if err == nil {
		fmt.Fprint(std.Out, text)
	}
	return err
}

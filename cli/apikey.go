package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/members"
)

// APIKeyCmd is reseed apikey.
type APIKeyCmd struct {
	Add    APIKeyAddCmd    `cmd:"" help:"Make an API key for a Wix site and print it, once."`
	List   APIKeyListCmd   `cmd:"" help:"Print what is known about all API keys, one a line."`
	Remove APIKeyRemoveCmd `cmd:"" help:"Remove an API key: it is refused from now on."`
}

// Help shows examples.
func (APIKeyCmd) Help() string {
	return example(
		"reseed apikey add --site 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1",
		"reseed apikey list",
	)
}

// APIKeyAddCmd is reseed apikey add.
type APIKeyAddCmd struct {
	Site     string   `required:"" placeholder:"UUID" help:"Id of the site."`
	Scope    []string `enum:"manage-members" default:"manage-members" placeholder:"SCOPE" help:"What the key may do; manage-members is all there is, and the default."`
	KeyStdin bool     `help:"Read the key that clients have from standard input instead of making one."`
}

// Help shows an example.
func (APIKeyAddCmd) Help() string {
	return example(
		"reseed apikey add --site 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1",
		"reseed apikey add --site 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1 --key-stdin < wix-key.txt",
	)
}

// Run makes the key, stores its hash and prints it.
func (c *APIKeyAddCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return withSite(ctx, std, cfg, c.Site, func(d *administration, site members.WixSite) error {
		key, err := c.key(std)
		if err != nil {
			return err
		}
		id, err := d.uses.AddKey(ctx, d.caller, members.APIKey{Site: site, Scopes: c.scopes()}, key)
		if err != nil {
			return fmt.Errorf("add API key: %w", refusal(err))
		}
		if c.KeyStdin {
			fmt.Fprintf(std.Err, "API key %d is added\n", id)
			return nil
		}
		fmt.Fprintf(std.Err, "API key %d; only its hash is kept, so it is shown this once\n", id)
		fmt.Fprintln(std.Out, key)
		return nil
	})
}

// key returns the key that was given, or a fresh one.
func (c *APIKeyAddCmd) key(std *Console) (string, error) {
	if !c.KeyStdin {
		return members.NewAPIKey(nil)
	}
	raw, err := io.ReadAll(io.LimitReader(std.In, members.MaxAPIKey+2))
	if err != nil {
		return "", fmt.Errorf("read the key: %w", err)
	}
	key := strings.TrimSpace(string(raw))
	return key, members.CheckAPIKey(key)
}

func (c *APIKeyAddCmd) scopes() []members.Scope {
	var scopes []members.Scope
	for _, s := range c.Scope {
		scopes = append(scopes, members.Scope(s))
	}
	return scopes
}

// APIKeyListCmd is reseed apikey list.
type APIKeyListCmd struct {
	JSON bool `name:"json" help:"Print a JSON object a line."`
}

// Help shows an example.
func (APIKeyListCmd) Help() string { return example("reseed apikey list") }

// Run prints the keys, separated by tabs; the titles go to standard error.
func (c *APIKeyListCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("list API keys: %w", err)
	}
	t := newTable(std, c.JSON, "id", "site", "scopes", "created")
	defer t.end()
	for _, k := range list {
		t.row(strconv.FormatInt(k.ID, 10), k.Site.UUID, scopeText(k.Scopes), date(k.Created))
	}
	return nil
}

func scopeText(scopes []members.Scope) string {
	var words []string
	for _, s := range scopes {
		words = append(words, string(s))
	}
	return strings.Join(words, " ")
}

// APIKeyRemoveCmd is reseed apikey remove.
type APIKeyRemoveCmd struct {
	Key int64 `arg:"" help:"Number of the key, as list prints it."`
}

// Help shows an example.
func (APIKeyRemoveCmd) Help() string { return example("reseed apikey remove 3") }

// Run removes the key.
func (c *APIKeyRemoveCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return administer(ctx, std, cfg, func(d *administration) error {
		removed, err := d.uses.RemoveKey(ctx, d.caller, c.Key)
		if err != nil {
			return fmt.Errorf("remove API key: %w", err)
		}
		if !removed {
			return fmt.Errorf("there is no API key %d", c.Key)
		}
		fmt.Fprintf(std.Err, "API key %d is removed\n", c.Key)
		return nil
	})
}

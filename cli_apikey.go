package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"reseed/members"
	"reseed/password"
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
		"reseed apikey add --site 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1 --scope manage-members",
		"reseed apikey list",
	)
}

// APIKeyAddCmd is reseed apikey add.
type APIKeyAddCmd struct {
	Site  string   `required:"" placeholder:"UUID" help:"Id of the site."`
	Scope []string `enum:"manage-members" placeholder:"SCOPE" help:"What the key may do: manage-members; may be repeated. Without any it may do nothing."`
}

// Help shows an example.
func (APIKeyAddCmd) Help() string {
	return example("reseed apikey add --site 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1 --scope manage-members")
}

// Run makes the key, stores its hash and prints it.
func (c *APIKeyAddCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	return withSite(ctx, cfg, c.Site, func(d *directory, site members.WixSite) error {
		key, err := members.NewAPIKey(nil)
		if err != nil {
			return err
		}
		id, err := d.AddKey(ctx, members.APIKey{Site: site, Scopes: c.scopes()}, password.HashToken(key))
		if err != nil {
			return fmt.Errorf("add API key: %w", err)
		}
		d.record(ctx, std, keyEvent(id, "added for site "+site.UUID, site.GroupID))
		fmt.Fprintf(std.err, "API key %d; only its hash is kept, so it is shown this once\n", id)
		fmt.Fprintln(std.out, key)
		return nil
	})
}

func (c *APIKeyAddCmd) scopes() []members.Scope {
	var scopes []members.Scope
	for _, s := range c.Scope {
		scopes = append(scopes, members.Scope(s))
	}
	return scopes
}

// APIKeyListCmd is reseed apikey list.
type APIKeyListCmd struct{}

// Help shows an example.
func (APIKeyListCmd) Help() string { return example("reseed apikey list") }

// Run prints the keys, separated by tabs; the titles go to standard error.
func (c *APIKeyListCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("list API keys: %w", err)
	}
	row(std.err, "id", "site", "scopes", "created")
	for _, k := range list {
		row(std.out, strconv.FormatInt(k.ID, 10), k.Site.UUID, scopeText(k.Scopes), date(k.Created))
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
func (c *APIKeyRemoveCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	removed, err := d.RemoveKey(ctx, c.Key)
	if err != nil {
		return fmt.Errorf("remove API key: %w", err)
	}
	if !removed {
		return fmt.Errorf("there is no API key %d", c.Key)
	}
	d.record(ctx, std, keyEvent(c.Key, "removed", 0))
	fmt.Fprintf(std.err, "API key %d is removed\n", c.Key)
	return nil
}

func keyEvent(id int64, done string, group int64) members.Event {
	return members.Event{Kind: members.KeyChanged, GroupID: group, Detail: fmt.Sprintf("API key %d %s", id, done)}
}

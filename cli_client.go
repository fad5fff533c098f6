package main

import (
	"context"
	"fmt"
	"strconv"

	"reseed/members"
)

// ClientCmd is reseed client.
type ClientCmd struct {
	Add    ClientAddCmd    `cmd:"" help:"Add an OAuth client and print its id and its secret, which is shown this once."`
	List   ClientListCmd   `cmd:"" help:"Print all OAuth clients, one a line."`
	Remove ClientRemoveCmd `cmd:"" help:"Remove an OAuth client; its access tokens end."`
}

// Help shows examples.
func (ClientCmd) Help() string {
	return example("reseed client add --name nightly-import --member root", "reseed client list")
}

// ClientAddCmd is reseed client add.
type ClientAddCmd struct {
	Name   string `required:"" placeholder:"NAME" help:"What people know the client as, up to 100 characters."`
	Member string `placeholder:"MEMBER" help:"Id, username or email of the member that the client acts as. Without one it may do what anybody may."`
}

// Help shows examples.
func (ClientAddCmd) Help() string {
	return example(
		"reseed client add --name nightly-import --member root",
		`read -r id secret < <(reseed client add --name "Web site")`,
	)
}

// Run adds the client and prints its id and secret.
func (c *ClientAddCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	var m members.Member
	if c.Member != "" {
		if m, err = d.member(ctx, c.Member); err != nil {
			return err
		}
	}
	client, secret, err := members.NewClient(c.Name, m, nil)
	if err != nil {
		return fmt.Errorf("the client is faulty: %w", err)
	}
	if err := d.AddClient(ctx, client); err != nil {
		return fmt.Errorf("add client: %w", err)
	}
	d.record(ctx, std, members.Event{Kind: members.KeyChanged, MemberID: m.ID, Detail: "client " + client.ID + " added"})
	fmt.Fprintln(std.out, client.ID, secret)
	return nil
}

// ClientListCmd is reseed client list.
type ClientListCmd struct{}

// Help shows an example.
func (ClientListCmd) Help() string { return example("reseed client list") }

// Run prints the clients, separated by tabs; the titles go to standard error.
func (c *ClientListCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.ListClients(ctx)
	if err != nil {
		return fmt.Errorf("list clients: %w", err)
	}
	row(std.err, "id", "name", "member", "created")
	for _, found := range list {
		member := ""
		if !found.Member.Zero() {
			member = strconv.FormatInt(found.Member.ID, 10)
		}
		row(std.out, found.ID, found.Name, member, date(found.Created))
	}
	return nil
}

// ClientRemoveCmd is reseed client remove.
type ClientRemoveCmd struct {
	ID string `arg:"" help:"Id of the client."`
}

// Help shows an example.
func (ClientRemoveCmd) Help() string { return example("reseed client remove 0123456789abcdef") }

// Run removes the client.
func (c *ClientRemoveCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	removed, err := d.RemoveClient(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("remove client: %w", err)
	}
	if !removed {
		return fmt.Errorf("there is no client %q", c.ID)
	}
	d.record(ctx, std, members.Event{Kind: members.KeyChanged, Detail: "client " + c.ID + " removed"})
	fmt.Fprintf(std.err, "client %s is removed\n", c.ID)
	return nil
}

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
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
	Name        string   `required:"" placeholder:"NAME" help:"Name of the client, up to 100 characters."`
	Member      string   `placeholder:"MEMBER" help:"Id, username or email of the member that the client acts as. Without one it may do only what anyone may."`
	Grant       []string `enum:"password,refresh_token" placeholder:"GRANT" help:"What the client may ask tokens for beside its own credentials: ${enum}. May be given more than once."`
	ID          string   `name:"id" placeholder:"ID" help:"Id that the client has already, of 16 to 100 of the characters A-Z, a-z, 0-9 and =.+/_-; needs --secret-stdin."`
	SecretStdin bool     `help:"Read the secret that the client has already from standard input; needs --id."`
}

// Help shows examples.
func (ClientAddCmd) Help() string {
	return example(
		"reseed client add --name nightly-import --member root",
		`read -r id secret < <(reseed client add --name "Web site")`,
	)
}

// Run adds the client and prints its id and secret.
func (c *ClientAddCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return administer(ctx, std, cfg, func(d *administration) (err error) {
		var m members.Member
		if c.Member != "" {
			if m, err = d.member(ctx, c.Member); err != nil {
				return err
			}
		}
		client, secret, err := c.client(std, m)
		if err != nil {
			return fmt.Errorf("the client is faulty: %w", err)
		}
		for _, g := range c.Grant {
			client.Grants = append(client.Grants, members.Grant(g))
		}
		if err := d.uses.AddClient(ctx, d.caller, client); err != nil {
			return fmt.Errorf("add client: %w", err)
		}
		if c.ID != "" {
			fmt.Fprintln(std.Out, client.ID)
			return nil
		}
		fmt.Fprintln(std.Out, client.ID, secret)
		return nil
	})
}

// client makes a client, or one with the id and secret that it has already.
func (c *ClientAddCmd) client(std *Console, m members.Member) (members.Client, string, error) {
	if (c.ID != "") != c.SecretStdin {
		return members.Client{}, "", errors.New("--id and --secret-stdin go together")
	}
	if c.ID == "" {
		return members.NewClient(c.Name, m, nil)
	}
	line, err := bufio.NewReader(io.LimitReader(std.In, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return members.Client{}, "", fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimRight(line, "\r\n")
	client := members.Client{ID: c.ID, Name: c.Name, Member: m, Secret: password.HashToken(secret)}
	return client, secret, members.ValidateClient(client, secret)
}

// ClientListCmd is reseed client list.
type ClientListCmd struct {
	JSON bool `name:"json" help:"Print a JSON object a line."`
}

// Help shows an example.
func (ClientListCmd) Help() string { return example("reseed client list") }

// Run prints the clients, separated by tabs; the titles go to standard error.
func (c *ClientListCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.ListClients(ctx)
	if err != nil {
		return fmt.Errorf("list clients: %w", err)
	}
	t := newTable(std, c.JSON, "id", "name", "member", "created")
	defer t.end()
	for _, found := range list {
		member := ""
		if !found.Member.Zero() {
			member = strconv.FormatInt(found.Member.ID, 10)
		}
		t.row(found.ID, found.Name, member, date(found.Created))
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
func (c *ClientRemoveCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return administer(ctx, std, cfg, func(d *administration) error {
		removed, err := d.uses.RemoveClient(ctx, d.caller, c.ID)
		if err != nil {
			return fmt.Errorf("remove client: %w", err)
		}
		if !removed {
			return fmt.Errorf("there is no client %q", c.ID)
		}
		fmt.Fprintf(std.Err, "client %s is removed\n", c.ID)
		return nil
	})
}

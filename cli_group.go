package main

import (
	"context"
	"fmt"
	"strconv"

	"reseed/groups"
	"reseed/members"
)

// GroupCmd is reseed group.
type GroupCmd struct {
	Add   GroupAddCmd   `cmd:"" help:"Add a group and print its id."`
	Show  GroupShowCmd  `cmd:"" help:"Print what is known about a group."`
	List  GroupListCmd  `cmd:"" help:"Print all groups, one a line."`
	Join  GroupJoinCmd  `cmd:"" help:"Make a member belong to a group."`
	Leave GroupLeaveCmd `cmd:"" help:"Make a member belong to a group no longer."`
}

// Help shows examples.
func (GroupCmd) Help() string {
	return example("reseed group add acme-specs", "reseed group join acme-specs vvega")
}

// GroupAddCmd is reseed group add.
type GroupAddCmd struct {
	Name        string `arg:"" help:"Full name; - nests, so that acme-specs belongs to the project acme."`
	Title       string `placeholder:"TEXT" help:"Title for readers."`
	Description string `placeholder:"TEXT" help:"What the group is about."`
}

// Help shows an example.
func (GroupAddCmd) Help() string {
	return example(`reseed group add acme-specs --title "Specifications" --description "All that Acme builds"`)
}

// Run adds the group and prints its id.
func (c *GroupAddCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	g := groups.Group{Name: c.Name, Title: c.Title, Description: c.Description}
	if err := groups.Validate(g); err != nil {
		return fmt.Errorf("group %q: %w", c.Name, err)
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	id, err := d.AddGroup(ctx, g)
	if err != nil {
		return fmt.Errorf("add group: %w", err)
	}
	fmt.Fprintln(std.out, id)
	d.record(ctx, std, members.Event{Kind: members.GroupAdded, GroupID: id, Detail: g.Name})
	return nil
}

// GroupShowCmd is reseed group show.
type GroupShowCmd struct {
	Group string `arg:"" help:"Id or full name."`
}

// Help shows an example.
func (GroupShowCmd) Help() string { return example("reseed group show acme-specs") }

// Run prints the group, one field a line.
func (c *GroupShowCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	g, err := d.group(ctx, c.Group)
	if err != nil {
		return err
	}
	fields(std.out, "id", strconv.FormatInt(g.ID, 10), "name", g.Name, "project", g.Project(),
		"title", g.Title, "description", g.Description)
	return nil
}

// GroupListCmd is reseed group list.
type GroupListCmd struct{}

// Help shows an example.
func (GroupListCmd) Help() string { return example("reseed group list") }

// Run prints the groups, separated by tabs; the titles go to standard error.
func (c *GroupListCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	row(std.err, "id", "name", "title", "description")
	for _, g := range list {
		row(std.out, strconv.FormatInt(g.ID, 10), g.Name, g.Title, g.Description)
	}
	return nil
}

// GroupJoinCmd is reseed group join.
type GroupJoinCmd struct {
	Group  string `arg:"" help:"Id or full name of the group."`
	Member string `arg:"" help:"Id, username or email of the member."`
}

// Help shows an example.
func (GroupJoinCmd) Help() string { return example("reseed group join acme-specs vvega") }

// Run makes the member belong to the group.
func (c *GroupJoinCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	return setMembership(ctx, std, cfg, c.Group, c.Member, true)
}

// GroupLeaveCmd is reseed group leave.
type GroupLeaveCmd struct {
	Group  string `arg:"" help:"Id or full name of the group."`
	Member string `arg:"" help:"Id, username or email of the member."`
}

// Help shows an example.
func (GroupLeaveCmd) Help() string { return example("reseed group leave acme-specs vvega") }

// Run ends the membership.
func (c *GroupLeaveCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	return setMembership(ctx, std, cfg, c.Group, c.Member, false)
}

func setMembership(ctx context.Context, std *console, cfg *Config, group, member string, in bool) error {
	return withMember(ctx, cfg, member, func(d *directory, m members.Member) error {
		g, err := d.group(ctx, group)
		if err != nil {
			return err
		}
		changed, err := d.SetMembership(ctx, g.ID, m.ID, in)
		if err != nil {
			return fmt.Errorf("change the membership: %w", err)
		}
		words := membershipWords(in, changed)
		fmt.Fprintf(std.err, "member %d %s group %s\n", m.ID, words, g.Name)
		if changed {
			d.record(ctx, std, members.Event{Kind: members.MembershipChanged, MemberID: m.ID, GroupID: g.ID, Detail: words})
		}
		return nil
	})
}

func membershipWords(in, changed bool) string {
	switch {
	case in && changed:
		return "joined"
	case in:
		return "belongs already to"
	case changed:
		return "left"
	}
	return "did not belong to"
}

package cli

import (
	"context"
	"fmt"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/groups"
)

// GroupSetCmd is reseed group set. What is not named stays as it is.
type GroupSetCmd struct {
	Group       string  `arg:"" help:"Id or full name."`
	Title       *string `placeholder:"TEXT" help:"New title for readers."`
	Description *string `placeholder:"TEXT" help:"New description."`
}

// Help shows an example.
func (GroupSetCmd) Help() string {
	return example(`reseed group set acme-specs --title "Specifications"`)
}

// Run changes the group. Its name stays: templates and links have it.
func (c *GroupSetCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if c.Title == nil && c.Description == nil {
		return errNothingToSet
	}
	return withGroup(ctx, std, cfg, c.Group, func(d *administration, g groups.Group) error {
		if c.Title != nil {
			g.Title = *c.Title
		}
		if c.Description != nil {
			g.Description = *c.Description
		}
		if err := d.uses.SetGroup(ctx, d.caller, g); err != nil {
			return fmt.Errorf("change the group: %w", refusal(err))
		}
		fmt.Fprintf(std.Err, "group %s is changed\n", g.Name)
		return nil
	})
}

// GroupRemoveCmd is reseed group remove.
type GroupRemoveCmd struct {
	Group string `arg:"" help:"Id or full name."`
}

// Help shows an example.
func (GroupRemoveCmd) Help() string { return example("reseed group remove acme-specs") }

// Run removes the group and its memberships. The members stay.
func (c *GroupRemoveCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return withGroup(ctx, std, cfg, c.Group, func(d *administration, g groups.Group) error {
		if err := d.uses.RemoveGroup(ctx, d.caller, g); err != nil {
			return fmt.Errorf("remove the group: %w", err)
		}
		fmt.Fprintf(std.Err, "group %s is removed; its members stay\n", g.Name)
		return nil
	})
}

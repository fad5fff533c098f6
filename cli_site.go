package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"reseed/members"
)

// SiteCmd is reseed site.
type SiteCmd struct {
	Add    SiteAddCmd    `cmd:"" help:"Add a Wix site and print its id."`
	List   SiteListCmd   `cmd:"" help:"Print all Wix sites, one a line."`
	Remove SiteRemoveCmd `cmd:"" help:"Remove a Wix site and its API keys."`
}

// Help shows examples.
func (SiteCmd) Help() string {
	return example("reseed site add --group acme-specs", "reseed site list")
}

// SiteAddCmd is reseed site add.
type SiteAddCmd struct {
	Group         string   `required:"" placeholder:"GROUP" help:"Group that the site's members belong to and whose mail templates it uses, by id or name."`
	ID            string   `name:"id" placeholder:"UUID" help:"What clients send as wix-site-id, or as clientId. Default: a fresh one."`
	AllowRedirect []string `placeholder:"ORIGIN" help:"Where the set-password page may lead back to, such as https://app.example.org; may be repeated."`
}

// Help shows examples.
func (SiteAddCmd) Help() string {
	return example(
		"reseed site add --group acme-specs",
		"reseed site add --group acme-specs --id 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1 --allow-redirect https://app.example.org",
	)
}

// Run adds the site and prints its id.
func (c *SiteAddCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	site, err := c.site()
	if err != nil {
		return err
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	g, err := d.group(ctx, c.Group)
	if err != nil {
		return err
	}
	site.GroupID = g.ID
	if err := d.AddSite(ctx, site); err != nil {
		return fmt.Errorf("add site: %w", err)
	}
	d.record(ctx, std, members.Event{Kind: members.SiteChanged, GroupID: g.ID, Detail: "added " + site.UUID})
	fmt.Fprintln(std.out, site.UUID)
	return nil
}

// site returns what the command line says, and all that is wrong with it.
func (c *SiteAddCmd) site() (site members.WixSite, err error) {
	if c.ID == "" {
		site.UUID, err = members.NewSiteID(nil)
	} else if site.UUID, err = members.ParseSiteID(c.ID); err != nil {
		err = fmt.Errorf("site id %q: %w", c.ID, err)
	}
	for _, s := range c.AllowRedirect {
		origin, fault := members.ParseOrigin(s)
		if fault != nil {
			err = errors.Join(err, fmt.Errorf("redirect %q: %w", s, fault))
		}
		site.Redirects = append(site.Redirects, origin)
	}
	return site, err
}

// SiteListCmd is reseed site list.
type SiteListCmd struct{}

// Help shows an example.
func (SiteListCmd) Help() string { return example("reseed site list") }

// Run prints the sites, separated by tabs; the titles go to standard error.
func (c *SiteListCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.ListSites(ctx)
	if err != nil {
		return fmt.Errorf("list sites: %w", err)
	}
	row(std.err, "id", "group", "redirects")
	for _, s := range list {
		g, err := d.FindGroupID(ctx, s.GroupID)
		if err != nil {
			return fmt.Errorf("find group: %w", err)
		}
		row(std.out, s.UUID, g.Name, strings.Join(s.Redirects, " "))
	}
	return nil
}

// SiteRemoveCmd is reseed site remove.
type SiteRemoveCmd struct {
	Site string `arg:"" help:"Id of the site."`
}

// Help shows an example.
func (SiteRemoveCmd) Help() string {
	return example("reseed site remove 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1")
}

// Run removes the site.
func (c *SiteRemoveCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	return withSite(ctx, cfg, c.Site, func(d *directory, site members.WixSite) error {
		if _, err := d.RemoveSite(ctx, site.UUID); err != nil {
			return fmt.Errorf("remove site: %w", err)
		}
		d.record(ctx, std, members.Event{Kind: members.SiteChanged, GroupID: site.GroupID, Detail: "removed " + site.UUID})
		fmt.Fprintf(std.err, "site %s is removed, and its keys\n", site.UUID)
		return nil
	})
}

// withSite opens the database for work on the site of that id.
func withSite(ctx context.Context, cfg *Config, id string, work func(*directory, members.WixSite) error) error {
	uuid, err := members.ParseSiteID(id)
	if err != nil {
		return fmt.Errorf("site id %q: %w", id, err)
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	site, err := d.FindSite(ctx, uuid)
	if err != nil {
		return fmt.Errorf("find site: %w", err)
	}
	if site.Zero() {
		return fmt.Errorf("there is no site %q", id)
	}
	return work(d, site)
}

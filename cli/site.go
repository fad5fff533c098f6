package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
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
	ID            string   `name:"id" placeholder:"UUID" help:"What clients send as wix-site-id. Default: a fresh one."`
	ClientID      string   `name:"client-id" placeholder:"UUID" help:"What OAuth clients send as clientId. Default: the site's id."`
	AllowRedirect []string `placeholder:"ORIGIN" help:"Origin that the set-password page and sign-ins may lead back to, and whose pages may call from a browser, such as https://app.example.org; may be repeated."`
	AllowRegister bool     `help:"Let anyone become a member of the group with an email address and a password."`
}

// Help shows examples.
func (SiteAddCmd) Help() string {
	return example(
		"reseed site add --group acme-specs",
		"reseed site add --group acme-specs --id 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1 --client-id 7c9e6679-7425-40de-944b-e07fc1f90ae7 --allow-redirect https://app.example.org",
	)
}

// Run adds the site and prints its id.
func (c *SiteAddCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	site, err := c.site()
	if err != nil {
		return err
	}
	return withGroup(ctx, std, cfg, c.Group, func(d *administration, g groups.Group) error {
		site.GroupID = g.ID
		if err := d.uses.AddSite(ctx, d.caller, site); err != nil {
			return fmt.Errorf("add site: %w", refusal(err))
		}
		fmt.Fprintln(std.Out, site.UUID)
		return nil
	})
}

// site returns what the command line says, and all that is wrong with it.
func (c *SiteAddCmd) site() (site members.WixSite, err error) {
	if c.ID == "" {
		site.UUID, err = members.NewSiteID(nil)
	} else if site.UUID, err = members.ParseSiteID(c.ID); err != nil {
		err = fmt.Errorf("site id %q: %w", c.ID, err)
	}
	site.AllowRegister = c.AllowRegister
	if c.ClientID != "" {
		var fault error
		if site.ClientID, fault = members.ParseSiteID(c.ClientID); fault != nil {
			err = errors.Join(err, fmt.Errorf("client id %q: %w", c.ClientID, fault))
		}
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
type SiteListCmd struct {
	JSON bool `name:"json" help:"Print a JSON object a line."`
}

// Help shows an example.
func (SiteListCmd) Help() string { return example("reseed site list") }

// Run prints the sites, separated by tabs; the titles go to standard error.
func (c *SiteListCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.ListSites(ctx)
	if err != nil {
		return fmt.Errorf("list sites: %w", err)
	}
	t := newTable(std, c.JSON, "id", "client id", "group", "redirects", "register")
	defer t.end()
	for _, s := range list {
		g, err := d.FindGroupID(ctx, s.GroupID)
		if err != nil {
			return fmt.Errorf("find group: %w", err)
		}
		t.row(s.UUID, s.ClientID, g.Name, strings.Join(s.Redirects, " "), strconv.FormatBool(s.AllowRegister))
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
func (c *SiteRemoveCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return withSite(ctx, std, cfg, c.Site, func(d *administration, site members.WixSite) error {
		if err := d.uses.RemoveSite(ctx, d.caller, site); err != nil {
			return fmt.Errorf("remove site: %w", err)
		}
		fmt.Fprintf(std.Err, "site %s is removed, and its keys\n", site.UUID)
		return nil
	})
}

// withSite opens the database for work on the site of that id.
func withSite(ctx context.Context, std *Console, cfg *config.Config, id string, work func(*administration, members.WixSite) error) error {
	uuid, err := members.ParseSiteID(id)
	if err != nil {
		return fmt.Errorf("site id %q: %w", id, err)
	}
	return administer(ctx, std, cfg, func(d *administration) error {
		site, err := d.FindSite(ctx, uuid)
		if err != nil {
			return fmt.Errorf("find site: %w", err)
		}
		if site.Zero() {
			return fmt.Errorf("there is no site %q", id)
		}
		return work(d, site)
	})
}

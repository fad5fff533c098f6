package cli

import (
	"context"
	"fmt"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

// SendLinkCmd is reseed member send-link.
type SendLinkCmd struct {
	Member string `arg:"" help:"Id, username or email."`
	Group  string `placeholder:"GROUP" help:"Send as mails of this group are sent, and let the link live as long as its links do; by id or name."`
	Print  bool   `help:"Print the link, to hand it over in another way, and mail nothing. Who has it can set the password."`
}

// Help shows examples.
func (SendLinkCmd) Help() string {
	return example("reseed member send-link vvega --group acme-specs", "reseed member send-link vvega --print")
}

// Run queues the mail, which the servers send, or prints the link.
func (c *SendLinkCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return withMember(ctx, std, cfg, c.Member, func(d *administration, m members.Member) (err error) {
		var g groups.Group
		if c.Group != "" {
			if g, err = d.group(ctx, c.Group); err != nil {
				return err
			}
		}
		library, err := openTemplates(std, cfg)
		if err != nil {
			return err
		}
		defer library.Close()
		if d.uses, err = app.Links(ctx, cfg, d.Store, library, recorder{d.directory, std}, std.Now); err != nil {
			return err
		}
		return c.give(ctx, std, d, m, g)
	})
}

func (c *SendLinkCmd) give(ctx context.Context, std *Console, d *administration, m members.Member, g groups.Group) error {
	if !c.Print {
		id, err := d.uses.QueueLink(ctx, d.caller, m, g)
		if err != nil {
			return fmt.Errorf("send member %d a link: %w", m.ID, err)
		}
		fmt.Fprintf(std.Err, "mail %s to member %d is queued\n", id, m.ID)
		return nil
	}
	link, until, err := d.uses.HandOver(ctx, d.caller, m, g)
	if err != nil {
		return fmt.Errorf("make member %d a link: %w", m.ID, err)
	}
	fmt.Fprintln(std.Out, link)
	fmt.Fprintf(std.Err, "the link sets the password of member %d until %s\n", m.ID, date(until))
	return nil
}

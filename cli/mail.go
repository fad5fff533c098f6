package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

// MailCmd is reseed mail.
type MailCmd struct {
	List  MailListCmd  `cmd:"" help:"Print mails, newest first, one a line."`
	Show  MailShowCmd  `cmd:"" help:"Print what is known about a mail."`
	Retry MailRetryCmd `cmd:"" help:"Put mails that failed for good back into the queue."`
	Count MailCountCmd `cmd:"" help:"Print how many mails are in each state."`
	Test  MailTestCmd  `cmd:"" help:"Send a test mail now, and print what the mail server answered at each stage."`
}

// Help shows examples.
func (MailCmd) Help() string {
	return example("reseed mail list --state dead", "reseed mail retry --all")
}

// MailListCmd is reseed mail list.
type MailListCmd struct {
	State  string `placeholder:"STATE" help:"Only new, pending, sending, sent, dead or dropped ones."`
	Member string `placeholder:"MEMBER" help:"Only those to this member, by id, username or email."`
	Limit  int    `default:"100" placeholder:"N" help:"Print at most this many, 0 for all."`
	JSON   bool   `name:"json" help:"Print a JSON object a line."`
}

// Help shows examples.
func (MailListCmd) Help() string {
	return example("reseed mail list", "reseed mail list --state dead --limit 0 | cut -f1")
}

// Run prints the mails, separated by tabs; the titles go to standard error.
func (c *MailListCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	state := mail.State(c.State)
	if c.State != "" && !slices.Contains(mail.States(), state) {
		return fmt.Errorf("--state %q: want new, pending, sending, sent, dead or dropped", c.State)
	}
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	filter := members.MailFilter{State: state}
	if c.Member != "" {
		m, err := d.member(ctx, c.Member)
		if err != nil {
			return err
		}
		filter.MemberID = m.ID
	}
	t := newTable(std, c.JSON, "id", "state", "template", "to", "created", "attempts", "due", "outcome")
	defer t.end()
	return d.eachMail(ctx, filter, c.Limit, func(m members.OrderStatus) error {
		t.row(m.ID.String(), string(m.State), m.Template, m.Email, date(m.Created),
			strconv.Itoa(m.Attempts), date(m.Due), m.Outcome)
		return nil
	})
}

// eachMail calls work for up to limit mails; 0: all there are.
func (d *directory) eachMail(ctx context.Context, filter members.MailFilter, limit int, work func(members.OrderStatus) error) error {
	return eachOf(limit, func(most int) ([]members.OrderStatus, error) {
		filter.Limit = most
		page, err := d.Mails(ctx, filter)
		if len(page) > 0 {
			filter.Before = page[len(page)-1].ID
		}
		return page, err
	}, work)
}

// MailShowCmd is reseed mail show.
type MailShowCmd struct {
	ID   string `arg:"" help:"Id of the mail, as mail list prints it."`
	JSON bool   `name:"json" help:"Print a JSON object."`
}

// Help shows an example.
func (MailShowCmd) Help() string { return example("reseed mail show 0199c0ffee00a1b2c3d4e5f60718293a") }

// Run prints the mail's state and history, one field a line; its text is made
// when it is sent and its token is never stored.
func (c *MailShowCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	id, err := mail.ParseID(c.ID)
	if err != nil {
		return err
	}
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	m, found, err := d.Mail(ctx, id)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("there is no mail %s", id)
	}
	showMail(std, c.JSON, m)
	return nil
}

func showMail(std *Console, asJSON bool, m members.OrderStatus) {
	show(std.Out, asJSON,
		"id", m.ID.String(),
		"state", string(m.State),
		"outcome", m.Outcome,
		"template", m.Template,
		"reason", m.Reason,
		"member", strconv.FormatInt(m.MemberID, 10),
		"username", m.Username,
		"to", m.Email,
		"group", number(m.GroupID),
		"created", date(m.Created),
		"expires", date(m.Expires),
		"used", date(m.Used),
		"attempts", strconv.Itoa(m.Attempts),
		"due", date(m.Due),
		"worker", m.ClaimedBy,
		"lease", date(m.LeaseUntil),
		"sent", date(m.SentAt),
		"settled", date(m.Settled),
	)
}

// number returns an id, "" for none.
func number(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// MailRetryCmd is reseed mail retry.
type MailRetryCmd struct {
	ID  []string `arg:"" optional:"" help:"Ids of mails that are dead, or pending and to be tried now."`
	All bool     `help:"All dead mails whose links have not expired."`
}

// Help shows examples.
func (MailRetryCmd) Help() string {
	return example("reseed mail retry 0199c0ffee00a1b2c3d4e5f60718293a", "reseed mail retry --all")
}

// Run makes the mails due and prints their ids. A running server sends them.
func (c *MailRetryCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if c.All == (len(c.ID) > 0) {
		return errors.New("name the mails to retry, or say --all")
	}
	return administer(ctx, std, cfg, func(d *administration) error {
		if c.All {
			return d.eachMail(ctx, members.MailFilter{State: mail.Dead}, 0, func(m members.OrderStatus) error {
				_, err := d.retry(ctx, std, m.ID)
				return err
			})
		}
		var faults []error
		for _, text := range c.ID {
			id, err := mail.ParseID(text)
			if err != nil {
				return err
			}
			done, err := d.retry(ctx, std, id)
			if err == nil && !done {
				err = fmt.Errorf("mail %s is neither dead nor pending, or its link has expired, or there is none", id)
			}
			faults = append(faults, err)
		}
		return errors.Join(faults...)
	})
}

func (d *administration) retry(ctx context.Context, std *Console, id mail.ID) (bool, error) {
	done, err := d.uses.RetryMail(ctx, d.caller, id.String())
	if done {
		fmt.Fprintln(std.Out, id)
	}
	return done, err
}

// MailCountCmd is reseed mail count.
type MailCountCmd struct{}

// Help shows an example.
func (MailCountCmd) Help() string { return example("reseed mail count") }

// Run prints each state and how many mails are in it.
func (MailCountCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	counts, err := d.Counts(ctx)
	if err != nil {
		return err
	}
	for _, s := range mail.States() {
		row(std.Out, string(s), strconv.Itoa(counts[s]))
	}
	return nil
}

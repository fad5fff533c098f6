package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"reseed/mail"
	"reseed/members"
	"reseed/store"
)

// mailStates are the states in the order of a mail's life.
var mailStates = []mail.State{mail.Pending, mail.Sending, mail.Sent, mail.Dead, mail.Dropped}

// MailCmd is reseed mail.
type MailCmd struct {
	List  MailListCmd  `cmd:"" help:"Print mails, newest first, one a line."`
	Show  MailShowCmd  `cmd:"" help:"Print what is known about a mail."`
	Retry MailRetryCmd `cmd:"" help:"Put mails back into the queue that failed for good."`
	Count MailCountCmd `cmd:"" help:"Print how many mails are in each state."`
}

// Help shows examples.
func (MailCmd) Help() string {
	return example("reseed mail list --state dead", "reseed mail retry --all")
}

// MailListCmd is reseed mail list.
type MailListCmd struct {
	State  string `placeholder:"STATE" help:"Only pending, sending, sent, dead or dropped ones."`
	Member string `placeholder:"MEMBER" help:"Only those to this member, by id, username or email."`
	Limit  int    `default:"100" placeholder:"N" help:"Print at most so many, 0 for all."`
}

// Help shows examples.
func (MailListCmd) Help() string {
	return example("reseed mail list", "reseed mail list --state dead --limit 0 | cut -f1")
}

// Run prints the mails, separated by tabs; the titles go to standard error.
func (c *MailListCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	state := mail.State(c.State)
	if c.State != "" && !slices.Contains(mailStates, state) {
		return fmt.Errorf("--state %q: want pending, sending, sent, dead or dropped", c.State)
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	filter := store.Filter{State: state}
	if c.Member != "" {
		m, err := d.member(ctx, c.Member)
		if err != nil {
			return err
		}
		filter.MemberID = m.ID
	}
	row(std.err, "id", "state", "template", "to", "created", "attempts", "due", "outcome")
	return d.eachMail(ctx, filter, c.Limit, func(m store.MailRow) error {
		row(std.out, m.ID.String(), string(m.State), m.Template, m.Email, date(m.Created),
			strconv.Itoa(m.Attempts), date(m.Due), m.Outcome)
		return nil
	})
}

// eachMail calls work for up to limit mails; 0: all there are.
func (d *directory) eachMail(ctx context.Context, filter store.Filter, limit int, work func(store.MailRow) error) error {
	return eachOf(limit, func(most int) ([]store.MailRow, error) {
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
	ID string `arg:"" help:"Id of the mail, as mail list prints it."`
}

// Help shows an example.
func (MailShowCmd) Help() string { return example("reseed mail show 0199c0ffee00a1b2c3d4e5f60718293a") }

// Run prints the mail's state and history, one field a line; its text is made
// when it is sent and its token is never stored.
func (c *MailShowCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	id, err := mail.ParseID(c.ID)
	if err != nil {
		return err
	}
	d, err := openDirectory(ctx, cfg)
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
	showMail(std, m)
	return nil
}

func showMail(std *console, m store.MailRow) {
	fields(std.out,
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
func (c *MailRetryCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	if c.All == (len(c.ID) > 0) {
		return errors.New("name the mails to retry, or say --all")
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	if c.All {
		return d.eachMail(ctx, store.Filter{State: mail.Dead}, 0, func(m store.MailRow) error {
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
}

func (d *directory) retry(ctx context.Context, std *console, id mail.ID) (bool, error) {
	done, err := d.RetryMail(ctx, id, std.now())
	if done {
		fmt.Fprintln(std.out, id)
		d.record(ctx, std, members.Event{Kind: members.MailRetried, Detail: id.String()})
	}
	return done, err
}

// MailCountCmd is reseed mail count.
type MailCountCmd struct{}

// Help shows an example.
func (MailCountCmd) Help() string { return example("reseed mail count") }

// Run prints each state and how many mails are in it.
func (MailCountCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	counts, err := d.Counts(ctx)
	if err != nil {
		return err
	}
	for _, s := range mailStates {
		row(std.out, string(s), strconv.Itoa(counts[s]))
	}
	return nil
}

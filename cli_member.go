package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"reseed/members"
)

// MemberCmd is reseed member.
type MemberCmd struct {
	Add         MemberAddCmd    `cmd:"" help:"Add a member and print its id."`
	Show        MemberShowCmd   `cmd:"" help:"Print what is known about a member."`
	List        MemberListCmd   `cmd:"" help:"Print all members, one a line."`
	SetPassword SetPasswordCmd  `cmd:"" help:"Set a member's password; its sessions and tokens end."`
	Lock        MemberLockCmd   `cmd:"" help:"Lock a member's account until it is unlocked."`
	Unlock      MemberUnlockCmd `cmd:"" help:"Lift the locks of a member's account."`
	Import      ImportCmd       `cmd:"" help:"Add members from a CSV file."`
}

// Help shows examples.
func (MemberCmd) Help() string {
	return example("reseed member list", "reseed member lock vvega@example.org")
}

// MemberAddCmd is reseed member add.
type MemberAddCmd struct {
	Username      string   `placeholder:"NAME" help:"Username, under 100 characters, without @ and comma."`
	Email         string   `placeholder:"EMAIL" help:"Email address, under 100 characters."`
	Firstname     string   `placeholder:"NAME" help:"First name, up to 50 characters."`
	Surname       string   `placeholder:"NAME" help:"Surname, up to 50 characters."`
	Admin         bool     `help:"Make the member an administrator."`
	APIAccount    bool     `name:"api-account" help:"Make the member an API account, which can't reset its password."`
	Status        string   `placeholder:"STATUS" help:"activated, unactivated, set-password or disabled. Default: activated with a password, set-password without."`
	Language      string   `placeholder:"TAG" help:"Language of the member's mails, such as en or pt-BR."`
	Group         []string `placeholder:"GROUP" help:"Group to join, by id or name; may be repeated."`
	PasswordStdin bool     `help:"Read the password from standard input."`
}

// Help shows examples.
func (MemberAddCmd) Help() string {
	return example(
		"reseed member add --username vvega --email vvega@example.org --firstname Vincent --surname Vega --group acme-specs",
		"reseed member add --username root --admin --password-stdin < password.txt",
	)
}

// Run adds the member and prints its id.
func (c *MemberAddCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	m := members.NewMember{Member: members.Member{
		Username: c.Username, Email: c.Email, Firstname: c.Firstname, Surname: c.Surname, Language: c.Language,
		Admin: c.Admin, APIAccount: c.APIAccount, Status: members.Status(c.Status), Created: std.now().UTC(),
	}}
	if m.Status == "" {
		m.Status = defaultStatus(c.PasswordStdin)
	}
	if err := members.Validate(m); err != nil {
		return fmt.Errorf("the member is faulty:\n%w", err)
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	if m.Groups, err = d.groupIDs(ctx, c.Group); err != nil {
		return err
	}
	if c.PasswordStdin {
		if m.Password, err = newPassword(ctx, std, cfg, m.Member); err != nil {
			return err
		}
		m.LastPasswordChange = m.Created
	}
	if m.Status == members.Activated {
		m.Activated = m.Created
	}
	ids, err := d.AddMembers(ctx, []members.NewMember{m})
	if err != nil {
		return fmt.Errorf("add member: %w", err)
	}
	fmt.Fprintln(std.out, ids[0])
	d.record(ctx, std, members.Event{Kind: members.MemberAdded, MemberID: ids[0]})
	return nil
}

// defaultStatus is the status of a new member that names none.
func defaultStatus(hasPassword bool) members.Status {
	if hasPassword {
		return members.Activated
	}
	return members.SetPassword
}

// MemberShowCmd is reseed member show.
type MemberShowCmd struct {
	Member string `arg:"" help:"Id, username or email."`
}

// Help shows an example.
func (MemberShowCmd) Help() string { return example("reseed member show vvega@example.org") }

// Run prints the member, one field a line.
func (c *MemberShowCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	return withMember(ctx, cfg, c.Member, func(d *directory, m members.Member) error {
		list, err := d.GroupsOf(ctx, m.ID)
		if err != nil {
			return err
		}
		var names []string
		for _, g := range list {
			names = append(names, g.Name)
		}
		fields(std.out,
			"id", strconv.FormatInt(m.ID, 10),
			"username", m.Username,
			"email", m.Email,
			"firstname", m.Firstname,
			"surname", m.Surname,
			"status", string(m.Status),
			"language", m.Language,
			"admin", strconv.FormatBool(m.Admin),
			"api-account", strconv.FormatBool(m.APIAccount),
			"locked", strconv.FormatBool(m.Locked),
			"locked-until", date(m.LockedUntil),
			"password", strconv.FormatBool(m.Password != ""),
			"groups", strings.Join(names, " "),
			"created", date(m.Created),
			"activated", date(m.Activated),
			"lastlogin", date(m.LastLogin),
			"lastpasswordchange", date(m.LastPasswordChange),
		)
		return nil
	})
}

// MemberListCmd is reseed member list.
type MemberListCmd struct {
	After int64 `placeholder:"ID" help:"Leave out members up to this id."`
	Limit int   `placeholder:"N" help:"Print at most so many. Default: all."`
}

// Help shows examples.
func (MemberListCmd) Help() string {
	return example("reseed member list", "reseed member list --after 1000 --limit 100 | cut -f3")
}

// listPage is how many members are read at once.
const listPage = 500

// Run prints the members, separated by tabs; the titles go to standard error.
func (c *MemberListCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	if c.Limit < 0 || c.After < 0 {
		return errors.New("--after and --limit must not be negative")
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	row(std.err, "id", "username", "email", "firstname", "surname", "status", "marks")
	for after, left := c.After, c.Limit; ; {
		page := listPage
		if c.Limit > 0 {
			page = min(page, left)
		}
		if page == 0 {
			return nil
		}
		found, err := d.ListMembers(ctx, after, page)
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		for _, m := range found {
			row(std.out, strconv.FormatInt(m.ID, 10), m.Username, m.Email, m.Firstname, m.Surname, string(m.Status), marks(m, std.now()))
			after = m.ID
		}
		if len(found) < page {
			return nil
		}
		left -= len(found)
	}
}

// marks names what is special about a member.
func marks(m members.Member, now time.Time) string {
	var s []string
	if m.Admin {
		s = append(s, "admin")
	}
	if m.APIAccount {
		s = append(s, "api-account")
	}
	if m.Locked || m.LockedUntil.After(now) {
		s = append(s, "locked")
	}
	return strings.Join(s, ",")
}

// MemberLockCmd is reseed member lock.
type MemberLockCmd struct {
	Member string `arg:"" help:"Id, username or email."`
}

// Help shows an example.
func (MemberLockCmd) Help() string { return example("reseed member lock vvega") }

// Run locks the account.
func (c *MemberLockCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	return setLocked(ctx, std, cfg, c.Member, true)
}

// MemberUnlockCmd is reseed member unlock.
type MemberUnlockCmd struct {
	Member string `arg:"" help:"Id, username or email."`
}

// Help shows an example.
func (MemberUnlockCmd) Help() string { return example("reseed member unlock vvega") }

// Run lifts the locks.
func (c *MemberUnlockCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	return setLocked(ctx, std, cfg, c.Member, false)
}

func setLocked(ctx context.Context, std *console, cfg *Config, name string, locked bool) error {
	return withMember(ctx, cfg, name, func(d *directory, m members.Member) error {
		if err := d.SetLocked(ctx, m.ID, locked); err != nil {
			return fmt.Errorf("change the lock: %w", err)
		}
		word, kind := "unlocked", members.MemberUnlocked
		if locked {
			word, kind = "locked", members.MemberLocked
		}
		fmt.Fprintf(std.err, "member %d is %s\n", m.ID, word)
		d.record(ctx, std, members.Event{Kind: kind, MemberID: m.ID})
		return nil
	})
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/members"
)

// MemberCmd is reseed member.
type MemberCmd struct {
	Add         MemberAddCmd    `cmd:"" help:"Add a member and print its id."`
	Show        MemberShowCmd   `cmd:"" help:"Print what is known about a member."`
	List        MemberListCmd   `cmd:"" help:"Print all members, one a line."`
	Set         MemberSetCmd    `cmd:"" help:"Change a member's names, identifiers, status or privileges."`
	Remove      MemberRemoveCmd `cmd:"" help:"Erase a member and everything about it."`
	SetPassword SetPasswordCmd  `cmd:"" help:"Set a member's password; its sessions and tokens end."`
	SendLink    SendLinkCmd     `cmd:"" help:"Mail a member a link to set a password by, or print it."`
	Lock        MemberLockCmd   `cmd:"" help:"Lock a member's account until it is unlocked."`
	Unlock      MemberUnlockCmd `cmd:"" help:"Lift the locks of a member's account."`
	Import      ImportCmd       `cmd:"" help:"Add members from a CSV or XML file."`
	Export      ExportCmd       `cmd:"" help:"Write all members as CSV or XML."`
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
func (c *MemberAddCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	m := members.NewMember{Member: members.Member{
		Username: c.Username, Email: c.Email, Firstname: c.Firstname, Surname: c.Surname, Language: c.Language,
		Admin: c.Admin, APIAccount: c.APIAccount, Status: members.Status(c.Status),
	}}
	return administer(ctx, std, cfg, func(d *administration) (err error) {
		if m.Groups, err = d.groupIDs(ctx, c.Group); err != nil {
			return err
		}
		pw := ""
		if c.PasswordStdin {
			if pw, err = readPassword(ctx, std); err != nil {
				return err
			}
		}
		id, err := d.uses.AddMember(ctx, d.caller, m, pw)
		if err != nil {
			return fmt.Errorf("the member is refused: %w", refusal(err))
		}
		fmt.Fprintln(std.Out, id)
		return nil
	})
}

// MemberShowCmd is reseed member show.
type MemberShowCmd struct {
	Member string `arg:"" help:"Id, username or email."`
	JSON   bool   `name:"json" help:"Print a JSON object."`
}

// Help shows an example.
func (MemberShowCmd) Help() string { return example("reseed member show vvega@example.org") }

// Run prints the member, one field a line.
func (c *MemberShowCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	m, err := d.member(ctx, c.Member)
	if err != nil {
		return err
	}
	list, err := d.GroupsOf(ctx, m.ID)
	if err != nil {
		return err
	}
	var names []string
	for _, g := range list {
		names = append(names, g.Name)
	}
	show(std.Out, c.JSON,
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
		"locked-until", lockEnd(m),
		"password", strconv.FormatBool(m.Password != ""),
		"groups", strings.Join(names, " "),
		"created", date(m.Created),
		"activated", date(m.Activated),
		"lastlogin", date(m.LastLogin),
		"lastpasswordchange", date(m.LastPasswordChange),
	)
	return nil
}

// lockEnd returns when a lock after failed sign-ins ends, "" if there is none.
func lockEnd(m members.Member) string {
	if m.LockedForGood() {
		return "until unlocked"
	}
	return date(m.LockedUntil)
}

// MemberListCmd is reseed member list.
type MemberListCmd struct {
	After  int64  `placeholder:"ID" help:"Leave out members up to this id."`
	Limit  int    `placeholder:"N" help:"Print at most this many. Default: all."`
	Status string `placeholder:"STATUS" help:"Only activated, unactivated, set-password or disabled ones."`
	Group  string `placeholder:"GROUP" help:"Only those of this group, by id or name."`
	Find   string `placeholder:"TEXT" help:"Only those whose username, address, first name or surname starts with this; A-Z in any case."`
	Admin  bool   `help:"Only administrators."`
	Locked bool   `help:"Only locked ones."`
	JSON   bool   `name:"json" help:"Print a JSON object a line."`
}

// Help shows examples.
func (MemberListCmd) Help() string {
	return example("reseed member list", "reseed member list --after 1000 --limit 100 | cut -f3", "reseed member list --group acme-specs --status set-password")
}

// Run prints the members, separated by tabs; the titles go to standard error.
func (c *MemberListCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if c.Limit < 0 || c.After < 0 {
		return errors.New("--after and --limit must not be negative")
	}
	if c.Status != "" && !members.Status(c.Status).Valid() {
		return fmt.Errorf("--status %q: want activated, unactivated, set-password or disabled", c.Status)
	}
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	f := members.ListFilter{After: c.After, Status: members.Status(c.Status), Start: members.ASCIIAddress(c.Find), Admin: c.Admin, Locked: c.Locked, Now: std.Now().UTC()}
	if c.Group != "" {
		g, err := d.group(ctx, c.Group)
		if err != nil {
			return err
		}
		f.Group = g.ID
	}
	t := newTable(std, c.JSON, "id", "username", "email", "firstname", "surname", "status", "marks")
	defer t.end()
	return d.eachMember(ctx, f, c.Limit, func(m members.Member) error {
		t.row(strconv.FormatInt(m.ID, 10), m.Username, m.Email, m.Firstname, m.Surname, string(m.Status), marks(m, std.Now()))
		return nil
	})
}

// eachMember calls work for up to limit members that a filter picks; 0: all there are.
func (d *directory) eachMember(ctx context.Context, f members.ListFilter, limit int, work func(members.Member) error) error {
	return eachOf(limit, func(most int) ([]members.Member, error) {
		f.Limit = most
		page, err := d.ListMembers(ctx, f)
		if len(page) > 0 {
			f.After = page[len(page)-1].ID
		}
		return page, err
	}, work)
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
func (c *MemberLockCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return withMember(ctx, std, cfg, c.Member, func(d *administration, m members.Member) error {
		if err := d.uses.Lock(ctx, d.caller, m.ID); err != nil {
			return fmt.Errorf("lock the account: %w", err)
		}
		fmt.Fprintf(std.Err, "member %d is locked\n", m.ID)
		return nil
	})
}

// MemberUnlockCmd is reseed member unlock.
type MemberUnlockCmd struct {
	Member string `arg:"" help:"Id, username or email."`
}

// Help shows an example.
func (MemberUnlockCmd) Help() string { return example("reseed member unlock vvega") }

// Run lifts the locks.
func (c *MemberUnlockCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return withMember(ctx, std, cfg, c.Member, func(d *administration, m members.Member) error {
		if _, err := d.uses.Unlock(ctx, d.caller, strconv.FormatInt(m.ID, 10)); err != nil {
			return fmt.Errorf("unlock the account: %w", err)
		}
		fmt.Fprintf(std.Err, "member %d is unlocked\n", m.ID)
		return nil
	})
}

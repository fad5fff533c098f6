package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/members"
)

// MemberSetCmd is reseed member set. What is not named stays as it is.
type MemberSetCmd struct {
	Member     string  `arg:"" help:"Id, username or email."`
	Username   *string `placeholder:"NAME" help:"New username."`
	Email      *string `placeholder:"EMAIL" help:"New email address, without a confirmation by mail."`
	Firstname  *string `placeholder:"NAME" help:"New first name."`
	Surname    *string `placeholder:"NAME" help:"New surname."`
	Status     *string `placeholder:"STATUS" help:"activated, unactivated, set-password or disabled."`
	Language   *string `placeholder:"TAG" help:"Language of the member's mails, such as en or pt-BR."`
	Admin      *bool   `negatable:"" help:"Make the member an administrator, or no longer one."`
	APIAccount *bool   `name:"api-account" negatable:"" help:"Make the member an API account, or no longer one."`
}

// Help shows examples.
func (MemberSetCmd) Help() string {
	return example("reseed member set vvega --email vincent@example.org", "reseed member set vvega --status disabled --no-admin")
}

// Run changes the member.
func (c *MemberSetCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return withMember(ctx, std, cfg, c.Member, func(d *administration, m members.Member) error {
		if err := d.uses.SetMember(ctx, d.caller, m, c.edit()); err != nil {
			return fmt.Errorf("the change is refused: %w", refusal(err))
		}
		fmt.Fprintf(std.Err, "member %d is changed\n", m.ID)
		return nil
	})
}

func (c *MemberSetCmd) edit() members.Edit {
	return members.Edit{
		Username: c.Username, Email: c.Email, Firstname: c.Firstname, Surname: c.Surname, Language: c.Language,
		Status: (*members.Status)(c.Status), Admin: c.Admin, APIAccount: c.APIAccount,
	}
}

// MemberRemoveCmd is reseed member remove.
type MemberRemoveCmd struct {
	Member string `arg:"" help:"Id, username or email."`
	Yes    bool   `help:"Remove without asking. Without it the command says what it would remove, and fails."`
}

// Help shows an example.
func (MemberRemoveCmd) Help() string { return example("reseed member remove vvega --yes") }

// Run erases the member and everything about it.
func (c *MemberRemoveCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return withMember(ctx, std, cfg, c.Member, func(d *administration, m members.Member) error {
		if !c.Yes {
			return fmt.Errorf("member %d (%s) would be removed with its memberships, mails, sessions and events; --yes does it", m.ID, m.ShownUsername())
		}
		var identifiers []string
		for _, name := range []string{m.Username, m.Email} {
			if name == "" {
				continue
			}
			shown, err := maskIdentifier(cfg, name)
			switch {
			case err == nil:
				identifiers = append(identifiers, shown)
			case !errors.Is(err, fs.ErrNotExist): // without a key no event has a hashed name
				return err
			}
			identifiers = append(identifiers, fold.ASCII(name))
		}
		if err := d.uses.RemoveMember(ctx, d.caller, m.ID, identifiers); err != nil {
			return fmt.Errorf("remove the member: %w", err)
		}
		fmt.Fprintf(std.Err, "member %d is removed, and everything about it\n", m.ID)
		return nil
	})
}

// errNothingToSet is what a set command says that changes nothing.
var errNothingToSet = errors.New("nothing to change: name a flag")

package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

// GroupCmd is reseed group.
type GroupCmd struct {
	Add     GroupAddCmd     `cmd:"" help:"Add a group and print its id."`
	Show    GroupShowCmd    `cmd:"" help:"Print what is known about a group."`
	List    GroupListCmd    `cmd:"" help:"Print all groups, one a line."`
	Members GroupMembersCmd `cmd:"" help:"Print the members of a group, one a line."`
	Set     GroupSetCmd     `cmd:"" help:"Change a group's title or description."`
	Remove  GroupRemoveCmd  `cmd:"" help:"Remove a group; its members stay."`
	Join    GroupJoinCmd    `cmd:"" help:"Add a member to a group."`
	Leave   GroupLeaveCmd   `cmd:"" help:"Take a member out of a group."`
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
	ID          int64  `name:"id" placeholder:"N" help:"Id that clients know the group by already. Default: the next free one."`
}

// Help shows an example.
func (GroupAddCmd) Help() string {
	return example(`reseed group add acme-specs --title "Specifications" --description "All that Acme builds"`)
}

// Run adds the group and prints its id.
func (c *GroupAddCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return administer(ctx, std, cfg, func(d *administration) error {
		id, err := d.uses.AddGroup(ctx, d.caller, groups.Group{ID: c.ID, Name: c.Name, Title: c.Title, Description: c.Description})
		if err != nil {
			return fmt.Errorf("add group: %w", refusal(err))
		}
		fmt.Fprintln(std.Out, id)
		return nil
	})
}

// GroupShowCmd is reseed group show.
type GroupShowCmd struct {
	Group string `arg:"" help:"Id or full name."`
	JSON  bool   `name:"json" help:"Print a JSON object; group members --json prints the members."`
}

// Help shows an example.
func (GroupShowCmd) Help() string { return example("reseed group show acme-specs") }

// Run prints the group, one field a line, and its members.
func (c *GroupShowCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, g, err := viewGroup(ctx, cfg, c.Group)
	if err != nil {
		return err
	}
	defer d.Close()
	show(std.Out, c.JSON, "id", strconv.FormatInt(g.ID, 10), "name", g.Name, "project", g.Project(),
		"title", g.Title, "description", g.Description)
	if c.JSON {
		return nil
	}
	return d.eachMembership(ctx, g, members.MembershipSearch{}, 0, func(m members.Membership) error {
		row(std.Out, "member", strconv.FormatInt(m.Member.ID, 10), m.Member.ShownUsername(), string(m.Role), string(m.Notification), emailListed(m))
		return nil
	})
}

// emailListed says that a membership shows the address to others.
func emailListed(m members.Membership) string {
	if m.EmailListed {
		return "email listed"
	}
	return ""
}

// eachMembership calls work for up to limit memberships of a group that a search
// finds, by the members' ids; 0: all there are.
func (d *directory) eachMembership(ctx context.Context, g groups.Group, q members.MembershipSearch, limit int, work func(members.Membership) error) error {
	q.Page = 1
	return eachOf(limit, func(most int) ([]members.Membership, error) {
		q.PageSize = most
		page, err := d.SearchMemberships(ctx, g.ID, q)
		if len(page) > 0 {
			q.After = page[len(page)-1].Member.ID
		}
		return page, err
	}, work)
}

// GroupMembersCmd is reseed group members.
type GroupMembersCmd struct {
	Group string `arg:"" help:"Id or full name."`
	Role  string `placeholder:"ROLE" help:"Only those of this role: guest, contributor, reviewer, approver, manager or moderator."`
	After int64  `placeholder:"ID" help:"Leave out members up to this id."`
	Limit int    `placeholder:"N" help:"Print at most this many. Default: all."`
	JSON  bool   `name:"json" help:"Print a JSON object a line."`
}

// Help shows examples.
func (GroupMembersCmd) Help() string {
	return example("reseed group members acme-specs", "reseed group members acme-specs --role manager --json")
}

// Run prints the members, separated by tabs; the titles go to standard error.
func (c *GroupMembersCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if c.Limit < 0 || c.After < 0 {
		return errors.New("--after and --limit must not be negative")
	}
	if c.Role != "" && !groups.Role(c.Role).Valid() {
		return fmt.Errorf("--role %q: want guest, contributor, reviewer, approver, manager or moderator", c.Role)
	}
	d, g, err := viewGroup(ctx, cfg, c.Group)
	if err != nil {
		return err
	}
	defer d.Close()
	t := newTable(std, c.JSON, "id", "username", "email", "firstname", "surname", "status", "role", "notification", "listed")
	defer t.end()
	q := members.MembershipSearch{Role: groups.Role(c.Role), After: c.After}
	return d.eachMembership(ctx, g, q, c.Limit, func(s members.Membership) error {
		m := s.Member
		t.row(strconv.FormatInt(m.ID, 10), m.Username, m.Email, m.Firstname, m.Surname, string(m.Status),
			string(s.Role), string(s.Notification), emailListed(s))
		return nil
	})
}

// GroupListCmd is reseed group list.
type GroupListCmd struct {
	Project string `placeholder:"NAME" help:"Only this project and the groups below it."`
	Find    string `placeholder:"TEXT" help:"Only groups whose name or title has this; A-Z in any case."`
	After   string `placeholder:"NAME" help:"Leave out groups up to this name."`
	Limit   int    `placeholder:"N" help:"Print at most this many. Default: all."`
	JSON    bool   `name:"json" help:"Print a JSON object a line."`
}

// Help shows examples.
func (GroupListCmd) Help() string {
	return example("reseed group list", "reseed group list --project acme --limit 20")
}

// Run prints the groups by name, separated by tabs; the titles go to standard error.
func (c *GroupListCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if c.Limit < 0 {
		return errors.New("--limit must not be negative")
	}
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	t := newTable(std, c.JSON, "id", "name", "title", "description")
	defer t.end()
	printed := 0
	for _, g := range list {
		if !c.picks(g) {
			continue
		}
		if printed++; c.Limit > 0 && printed > c.Limit {
			break
		}
		t.row(strconv.FormatInt(g.ID, 10), g.Name, g.Title, g.Description)
	}
	return nil
}

// picks reports whether a group is asked for.
func (c *GroupListCmd) picks(g groups.Group) bool {
	name, project, text := fold.ASCII(g.Name), fold.ASCII(c.Project), fold.ASCII(c.Find)
	return (c.After == "" || name > fold.ASCII(c.After)) &&
		(project == "" || name == project || strings.HasPrefix(name, project+"-")) &&
		(strings.Contains(name, text) || strings.Contains(fold.ASCII(g.Title), text))
}

// GroupJoinCmd is reseed group join.
type GroupJoinCmd struct {
	Group        string `arg:"" help:"Id or full name of the group."`
	Member       string `arg:"" help:"Id, username or email of the member."`
	Role         string `default:"contributor" enum:"guest,contributor,reviewer,approver,manager,moderator" help:"What the member may do in the group: ${enum}."`
	Notification string `default:"immediate" enum:"none,immediate,daily,weekly" help:"How often the member is notified: ${enum}."`
	ListEmail    bool   `help:"Show the address to other members of the group."`
}

// Help shows an example.
func (GroupJoinCmd) Help() string {
	return example("reseed group join acme-specs vvega --role manager")
}

// Run makes the member belong to the group, or changes the membership.
func (c *GroupJoinCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	s := members.Membership{Role: groups.Role(c.Role), Notification: groups.Notification(c.Notification), EmailListed: c.ListEmail}
	return changeMembership(ctx, std, cfg, c.Group, c.Member, func(d *administration, g groups.Group, m members.Member) (string, error) {
		s.Group, s.Member = g, m
		changed, err := d.uses.Join(ctx, d.caller, s)
		return words(changed, "joined", "belongs already to"), err
	})
}

// GroupLeaveCmd is reseed group leave.
type GroupLeaveCmd struct {
	Group  string `arg:"" help:"Id or full name of the group."`
	Member string `arg:"" help:"Id, username or email of the member."`
}

// Help shows an example.
func (GroupLeaveCmd) Help() string { return example("reseed group leave acme-specs vvega") }

// Run ends the membership.
func (c *GroupLeaveCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return changeMembership(ctx, std, cfg, c.Group, c.Member, func(d *administration, g groups.Group, m members.Member) (string, error) {
		changed, err := d.uses.Leave(ctx, d.caller, members.Membership{Group: g, Member: m})
		return words(changed, "left", "did not belong to"), err
	})
}

// changeMembership runs a change and prints how it went.
func changeMembership(ctx context.Context, std *Console, cfg *config.Config, group, member string,
	change func(*administration, groups.Group, members.Member) (done string, err error)) error {
	return withMember(ctx, std, cfg, member, func(d *administration, m members.Member) error {
		g, err := d.group(ctx, group)
		if err != nil {
			return err
		}
		done, err := change(d, g, m)
		if err != nil {
			return fmt.Errorf("change the membership: %w", err)
		}
		fmt.Fprintf(std.Err, "member %d %s group %s\n", m.ID, done, g.Name)
		return nil
	})
}

// words returns one text or the other.
func words(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

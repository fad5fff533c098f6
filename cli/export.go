package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/xmlresp"
)

// ExportCmd is reseed member export.
type ExportCmd struct {
	Format         string `default:"csv" enum:"csv,xml" help:"What to write: ${enum}. XML is the vendor's, with memberships and without password hashes."`
	PasswordHashes bool   `help:"Write the password hashes too (CSV only); keep the file as safe as the database."`
}

// Help shows examples.
func (ExportCmd) Help() string {
	return "Either format can be imported again.\n\n" +
		example("reseed member export > members.csv", "reseed member export --format xml > members.xml")
}

// Run writes all members, by id.
func (c *ExportCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	begin, write, end := c.csvWriter(std)
	if c.Format == "xml" {
		begin, write, end = xmlWriter(std)
	}
	if err := begin(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	err = d.eachMember(ctx, members.ListFilter{}, 0, func(m members.Member) error {
		joined, err := d.MembershipsOf(ctx, m.ID)
		if err != nil {
			return fmt.Errorf("list memberships: %w", err)
		}
		if err := write(m, joined); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return end()
}

func (c *ExportCmd) csvWriter(std *Console) (begin func() error, write func(members.Member, []members.Membership) error, end func() error) {
	w := csv.NewWriter(std.Out)
	begin = func() error { return w.Write(columnNames()) }
	write = func(m members.Member, joined []members.Membership) error {
		var names []string
		for _, s := range joined {
			names = append(names, s.Group.Name)
		}
		hash := ""
		if c.PasswordHashes {
			hash = string(m.Password)
		}
		return w.Write([]string{
			strconv.FormatInt(m.ID, 10), m.Username, m.Email, m.Firstname, m.Surname, string(m.Status),
			strconv.FormatBool(m.Admin), strconv.FormatBool(m.APIAccount), hash, strings.Join(names, ";"), m.Language,
		})
	}
	end = func() error {
		w.Flush()
		return w.Error()
	}
	return begin, write, end
}

func xmlWriter(std *Console) (begin func() error, write func(members.Member, []members.Membership) error, end func() error) {
	line := func(text string) error {
		_, err := fmt.Fprintln(std.Out, text)
		return err
	}
	begin = func() error { return line("<members>") }
	write = func(m members.Member, joined []members.Membership) error {
		doc := xmlresp.MembershipsDoc{
			Member: xmlresp.MemberDoc{Member: m, Locked: m.Locked, Admin: m.Admin}, Memberships: joined,
		}
		return line(string(xmlresp.Encode(xmlresp.XML, doc)))
	}
	end = func() error { return line("</members>") }
	return begin, write, end
}

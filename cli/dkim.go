package cli

import (
	"crypto/rand"
	"fmt"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
)

// DKIMCmd is reseed dkim.
type DKIMCmd struct {
	Add DKIMAddCmd `cmd:"" help:"Make the key of a domain, unless there is one, and print the DNS record that publishes it."`
}

// Help shows an example.
func (DKIMCmd) Help() string { return example("reseed dkim add example.org") }

// DKIMAddCmd is reseed dkim add.
type DKIMAddCmd struct {
	Domain string `arg:"" help:"Domain of the address that mails come from."`
}

// Help shows an example.
func (DKIMAddCmd) Help() string { return example("reseed dkim add example.org") }

// Run prints the record as a line of a zone file; its text is cut into the
// strings of 255 characters at most that DNS has.
func (c DKIMAddCmd) Run(std *Console, cfg *config.Config) error {
	name, record, err := mail.NewDKIMKey(cfg.DKIMKeys, c.Domain, rand.Reader)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.Out, "%s. IN TXT (", name)
	for len(record) > 0 {
		n := min(len(record), 255)
		fmt.Fprintf(std.Out, " %q", record[:n])
		record = record[n:]
	}
	fmt.Fprintln(std.Out, " )")
	fmt.Fprintf(std.Err, "the key is in %s; publish the record, then restart the servers that are to sign with it\n", cfg.DKIMKeys)
	return nil
}

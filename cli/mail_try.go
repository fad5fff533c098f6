package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/templates"
)

// MailTestCmd is reseed mail test.
type MailTestCmd struct {
	To    string `required:"" placeholder:"ADDRESS" help:"Where the test mail goes."`
	Group string `placeholder:"NAME" help:"Send as mails of this group are sent, such as acme-specs: its sender, headers and mail server."`
}

// Help shows examples.
func (MailTestCmd) Help() string {
	return example("reseed mail test --to ann@example.org", "reseed mail test --to ann@example.org --group acme-specs")
}

// testTime is what a test mail may take altogether.
const testTime = 2 * time.Minute

// Run sends a mail at once, past the queue, and prints what the mail server
// answered at each stage.
func (c MailTestCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if cfg.SMTP == "" {
		return errors.New("no smtp server is set: mails are captured, and none would leave")
	}
	c.To = mail.ASCIIAddress(c.To)
	if !mail.ValidAddress(c.To) && (!cfg.SMTPUTF8 || !mail.ValidUTF8Address(c.To)) {
		return fmt.Errorf("--to %q: not an address that mail is sent to", c.To)
	}
	own, err := c.settings(std, cfg)
	if err != nil {
		return err
	}
	m, err := c.message(cfg, own)
	if err != nil {
		return err
	}
	smtp, err := smtpConfigOf(cfg, m.Server)
	if err != nil {
		return err
	}
	smtp.Trace = func(stage mail.Stage, said string) { fields(std.Out, string(stage), said) }
	sender, err := mail.NewSMTP(smtp)
	if err != nil {
		return err
	}
	defer sender.Close()
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	fields(std.Out, "server", sender.String(), "from", m.From.String())
	err = sender.Send(ctx, m)
	var failure *mail.Error
	if errors.As(err, &failure) {
		return fmt.Errorf("not sent (%s): %w", failure.Class, err)
	}
	return err
}

// settings are the group's, or those of mails without a group.
func (c MailTestCmd) settings(std *Console, cfg *config.Config) (templates.MailSettings, error) {
	l, err := openTemplates(std, cfg)
	if err != nil {
		return templates.MailSettings{}, err
	}
	defer l.Close()
	return l.Settings(groups.Group{Name: c.Group}.Chain()), nil
}

func (c MailTestCmd) message(cfg *config.Config, own templates.MailSettings) (*mail.Message, error) {
	now := time.Now()
	id, err := mail.NewID(now, nil)
	if err != nil {
		return nil, err
	}
	return &mail.Message{
		ID: id, Date: now, Domain: cfg.EmailDomain,
		From: netmail.Address{
			Name:    cmp.Or(own.FromName, cfg.MailFromName),
			Address: mail.ASCIIAddress(cmp.Or(own.FromAddress, cfg.MailFromAddress)),
		},
		To:         netmail.Address{Address: c.To},
		ReplyTo:    netmail.Address{Address: mail.ASCIIAddress(own.ReplyTo)},
		ReturnPath: mail.ASCIIAddress(own.ReturnPath),
		Headers:    own.Headers,
		Server:     mail.Server{URL: own.SMTP, PasswordFile: own.SMTPPasswordFile, TokenFile: own.SMTPTokenFile},
		Subject:    "Test mail from " + cfg.SiteName,
		Text:       "This mail was sent by reseed mail test. Mails from " + cmp.Or(own.HostURL, cfg.HostURL) + " arrive.\r\n",
	}, nil
}

// smtpConfigOf is how a message's server is talked to.
func smtpConfigOf(cfg *config.Config, s mail.Server) (mail.SMTPConfig, error) {
	if s == (mail.Server{}) {
		return app.SMTPConfig(cfg)
	}
	return app.GroupSMTPConfig(cfg, s)
}

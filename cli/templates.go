package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"os"
	"path/filepath"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/templates"
)

// TemplatesCmd is reseed templates.
type TemplatesCmd struct {
	Check   TemplatesCheckCmd   `cmd:"" help:"Render every mail in every folder and language with awkward data, and report all faults."`
	Preview TemplatesPreviewCmd `cmd:"" help:"Write a mail of a group as files: HTML, text, and the message as it is sent."`
	Export  TemplatesExportCmd  `cmd:"" help:"Write the built-in templates and page texts, to start from."`
	Which   TemplatesWhichCmd   `cmd:"" help:"Show which files serve a group, and in which order they are looked for."`
}

// Help shows examples.
func (TemplatesCmd) Help() string {
	return example("reseed templates check", "reseed templates preview --group acme-specs --out preview")
}

func openTemplates(std *Console, cfg *config.Config) (*templates.Library, error) {
	return app.LoadTemplates(cfg, app.Deps{Now: std.Now})
}

// TemplatesCheckCmd is reseed templates check.
type TemplatesCheckCmd struct{}

// Help shows examples.
func (TemplatesCheckCmd) Help() string {
	return example("reseed templates check", "reseed templates check --templates ./templates --xslt saxon")
}

// Run checks the templates folder as a start of the server does.
func (TemplatesCheckCmd) Run(std *Console, cfg *config.Config) error {
	if cfg.Templates == "" {
		return errors.New("templates: name the folder; there is none in the data folder")
	}
	l, err := openTemplates(std, cfg)
	if err != nil {
		return err
	}
	defer l.Close()
	for _, name := range l.Mails().Names() {
		row(std.Out, "mails", name)
	}
	for _, name := range l.Pages().Names() {
		row(std.Out, "pages", name)
	}
	_, err = fmt.Fprintf(std.Err, "%s: no fault found\n", cfg.Templates)
	return err
}

// mailFlags choose a mail.
type mailFlags struct {
	Group    string `placeholder:"NAME" help:"Full name of the group, such as acme-specs; without it the mail of the services without a group."`
	Template string `placeholder:"TEMPLATE" enum:"${templates}" default:"reset-password-confirm" help:"The mail, one of ${enum}."`
	Lang     string `placeholder:"TAG" help:"Language of the member, such as de or pt-BR."`
}

func (f mailFlags) chain() []string { return groups.Group{Name: f.Group}.Chain() }

// TemplatesPreviewCmd is reseed templates preview.
type TemplatesPreviewCmd struct {
	mailFlags
	Reason string `enum:"member,admin,forced" default:"member" placeholder:"REASON" help:"Why the password is reset: member, admin or forced."`
	Out    string `required:"" placeholder:"DIR" help:"Folder to write to; it is made if need be."`
}

// Help shows an example.
func (TemplatesPreviewCmd) Help() string {
	return example("reseed templates preview --group acme-specs --template change-password --lang de --out preview")
}

// Run renders a sample mail.
func (c TemplatesPreviewCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	l, err := openTemplates(std, cfg)
	if err != nil {
		return err
	}
	defer l.Close()
	n := templates.SampleNotification(c.Template, c.Reason, c.Group)
	own := l.Settings(c.chain())
	n = templates.SampleOn(n, cmp.Or(own.HostURL, cfg.HostURL), own.LinkPrefix)
	n.SiteName, n.EmailDomain, n.Language = cfg.SiteName, cfg.EmailDomain, cmp.Or(c.Lang, own.Language)
	r, err := l.Render(ctx, c.chain(), n)
	if err != nil {
		return err
	}
	message := mail.Message{
		Date: n.At, Domain: cfg.EmailDomain, Subject: r.Subject, Text: r.Text, HTML: r.HTML,
		From:    netmail.Address{Name: cmp.Or(r.Settings.FromName, cfg.MailFromName), Address: cmp.Or(r.Settings.FromAddress, cfg.MailFromAddress)},
		To:      netmail.Address{Name: n.Member.Fullname, Address: n.Member.Email},
		ReplyTo: netmail.Address{Address: r.Settings.ReplyTo}, Headers: r.Settings.Headers,
	}
	raw, err := message.Bytes()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil { //nolint:gosec // a preview is for others to see
		return err
	}
	base := filepath.Join(c.Out, c.Template)
	for ext, content := range map[string]string{".html": r.HTML, ".txt": r.Text, ".eml": string(raw)} {
		if err := os.WriteFile(base+ext, []byte(content), 0o644); err != nil { //nolint:gosec // the token is a sample
			return err
		}
	}
	fields(std.Out, "from", message.From.String(), "subject", r.Subject, "html", base+".html", "text", base+".txt", "message", base+".eml")
	return nil
}

// TemplatesExportCmd is reseed templates export.
type TemplatesExportCmd struct {
	Out string `required:"" placeholder:"DIR" help:"Folder to write to; no file in it is replaced."`
}

// Help shows an example.
func (TemplatesExportCmd) Help() string { return example("reseed templates export --out templates") }

// Run copies the built-in folder.
func (c TemplatesExportCmd) Run(std *Console) error {
	if err := os.CopyFS(c.Out, templates.Defaults()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(std.Out, filepath.Join(c.Out, templates.DefaultGlobalTemplate))
	return err
}

// TemplatesWhichCmd is reseed templates which.
type TemplatesWhichCmd struct{ mailFlags }

// Help shows examples.
func (TemplatesWhichCmd) Help() string {
	return example("reseed templates which --group acme-specs", "reseed templates which --group acme-specs --template change-password --lang fr")
}

// Run names the files, and the folders in the order in which they are looked into.
func (c TemplatesWhichCmd) Run(std *Console, cfg *config.Config) error {
	l, err := openTemplates(std, cfg)
	if err != nil {
		return err
	}
	defer l.Close()
	f, err := l.Mails().Resolve(c.chain(), c.Template, cmp.Or(c.Lang, l.Settings(c.chain()).Language))
	if err != nil {
		return err
	}
	made := func(file, from string) string { return cmp.Or(file, "made from "+from) }
	fields(std.Out, "html", made(f.HTML, f.Text), "text", made(f.Text, f.HTML), "layout", f.Layout)
	for _, folder := range l.Mails().Path(c.chain()) {
		row(std.Out, "folder", folder)
	}
	return nil
}

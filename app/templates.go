package app

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/templates"
	"github.com/reseed-project/reseed/templates/xslt"
)

// LoadTemplates reads the templates folder, with a renderer of stylesheets if
// one is set. Its errors name every fault of the folder.
func LoadTemplates(cfg *config.Config, o Deps) (*templates.Library, error) {
	library, err := templates.NewLibrary(templatesFolder(cfg), templatesOptions(cfg, o))
	if err != nil {
		return nil, fmt.Errorf("templates in %s: %w", cfg.Templates, err)
	}
	return library, nil
}

func templatesOptions(cfg *config.Config, o Deps) templates.Options {
	opts := templates.Options{
		GlobalTemplate: cfg.GlobalTemplate, Zone: cfg.Zone(), InstallXSLT: xslt.Install,
		CheckSettings: func(m templates.MailSettings) error { return checkMailSettings(cfg, m) },
	}
	if cfg.XSLT == "" {
		return opts
	}
	now, log := o.Now, cmp.Or(o.Log, slog.Default())
	if now == nil {
		now = time.Now
	}
	opts.XSLT = func(files map[string][]byte) (templates.Transformer, error) {
		return xslt.New(xslt.Config{Setting: cfg.XSLT, Files: files, Log: log, Now: now})
	}
	return opts
}

// checkMailSettings refuses what a folder's settings name and this machine can't use.
func checkMailSettings(cfg *config.Config, m templates.MailSettings) error {
	return errors.Join(checkAddresses(m), checkSender(cfg, m), checkServer(m))
}

// checkAddresses wants addresses that every mail server takes.
func checkAddresses(m templates.MailSettings) error {
	var faults []error
	for _, a := range []struct{ setting, address string }{{"from-address", m.FromAddress}, {"reply-to", m.ReplyTo}, {"return-path", m.ReturnPath}} {
		if a.address != "" && !mail.ValidSender(mail.ASCIIAddress(a.address)) {
			faults = append(faults, fmt.Errorf("%s: %q is no address of a sender: want plain letters before the @ and a domain after it", a.setting, a.address))
		}
	}
	return errors.Join(faults...)
}

// checkSender wants a key for the sender's domain if mails are signed at all: those
// of one domain that aren't would be taken for forged. A server of the folder's own
// may sign them itself.
func checkSender(cfg *config.Config, m templates.MailSettings) error {
	from := mail.ASCIIAddress(m.FromAddress)
	if from == "" || m.SMTP != "" {
		return nil
	}
	keys, err := mail.LoadDKIM(cfg.DKIMKeys)
	if err != nil {
		return err
	}
	if !keys.Unsigned(from) {
		return nil
	}
	_, domain, _ := strings.Cut(from, "@")
	return fmt.Errorf("the sender %s has no DKIM key in %s, which has some of other domains: make it with reseed dkim add %s, or name an smtp server that signs, beside the sender", m.FromAddress, cfg.DKIMKeys, domain)
}

func checkServer(m templates.MailSettings) error {
	if m.SMTP == "" {
		return nil
	}
	server, err := mail.ParseURL(m.SMTP)
	if err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	if server.User != "" && m.SMTPPasswordFile == "" && m.SMTPTokenFile == "" {
		return fmt.Errorf("smtp: the user %s needs smtp-password-file or smtp-token-file", server.User)
	}
	if server.User == "" && m.SMTPTokenFile != "" {
		return errors.New("smtp-token-file: smtp names no user")
	}
	for setting, file := range map[string]string{"smtp-password-file": m.SMTPPasswordFile, "smtp-token-file": m.SMTPTokenFile} {
		if file == "" {
			continue
		}
		if _, err := config.ReadSecretFile(file); err != nil {
			return fmt.Errorf("%s: %w", setting, err)
		}
	}
	return nil
}

// ReloadTemplates reads the templates folder again. If anything is wrong with
// it, what was read before goes on serving, and the error names every fault.
func (a *App) ReloadTemplates() error {
	if err := a.templates.Reload(); err != nil {
		return fmt.Errorf("templates in %s: %w", a.Config.Templates, err)
	}
	a.Log.Info("the templates folder was read again", "folder", a.Config.Templates)
	return nil
}

func templatesFolder(cfg *config.Config) fs.FS {
	if cfg.Templates == "" {
		return nil
	}
	return os.DirFS(cfg.Templates)
}

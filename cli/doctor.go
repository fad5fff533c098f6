package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
)

// probeTime is how long each check of another machine may take.
const probeTime = 10 * time.Second

// DoctorCmd is reseed doctor.
type DoctorCmd struct {
	JSON    bool `name:"json" help:"Print a JSON object a line."`
	Offline bool `help:"Leave out what asks other machines: mail server, host URL and DNS."`

	findings []finding
}

// Help shows examples.
func (DoctorCmd) Help() string {
	return example("reseed doctor --config /etc/reseed/reseed.toml", "reseed doctor --offline --json")
}

// State of what was looked at.
const (
	isOK      = "ok"
	isWarning = "warning"
	isFault   = "fault"
)

type finding struct {
	About string `json:"about"`
	State string `json:"state"`
	Found string `json:"found"`
	Cure  string `json:"cure,omitempty"`
}

// errUnwell is the outcome if there is a fault.
var errUnwell = errors.New("there are faults")

// Run looks at everything, prints what it found with a cure for each fault, and
// fails if there is a fault. It changes nothing and mails nothing.
func (c *DoctorCmd) Run(ctx context.Context, std *Console, cfg *config.Config, l *config.Loader) error {
	c.settings(cfg, l)
	c.key(cfg)
	c.database(ctx, std, cfg)
	c.templates(cfg)
	if !c.Offline {
		c.relay(ctx, cfg)
		c.hostURL(ctx, cfg)
		c.senderDomain(ctx, cfg)
	}
	faulty := false
	for _, f := range c.findings {
		faulty = faulty || f.State == isFault
		if !c.JSON {
			row(std.Out, f.State, f.About, f.Found, f.Cure)
			continue
		}
		line, err := json.Marshal(f)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.Out, "%s\n", line)
	}
	if faulty {
		return errUnwell
	}
	return nil
}

func (c *DoctorCmd) add(about, state, found, cure string) {
	c.findings = append(c.findings, finding{about, state, found, cure})
}

// settings names each fault and warning of the configuration.
func (c *DoctorCmd) settings(cfg *config.Config, l *config.Loader) {
	var faults config.Error
	if err := l.Finish(cfg, true); errors.As(err, &faults) {
		for _, f := range faults {
			c.add("configuration", isFault, f.Error(), "change the setting; docs/reference-settings.md has all of them")
		}
	}
	for _, w := range l.Warnings {
		c.add("configuration", isWarning, w, "")
	}
	if len(c.findings) == 0 {
		c.add("configuration", isOK, "in order", "")
	}
}

func (c *DoctorCmd) key(cfg *config.Config) {
	switch _, err := app.ReadKeys(cfg); {
	case err == nil:
		c.add("token key", isOK, "can be read", "")
	case errors.Is(err, fs.ErrNotExist) && !cfg.MySQL() && cfg.KeyFile != "":
		c.add("token key", isWarning, "there is none yet", "the first start makes it; after a restore, put the old one back")
	default:
		c.add("token key", isFault, err.Error(), "name a readable key file with key-file; reseed key rotate --fresh makes a new key")
	}
}

func (c *DoctorCmd) database(ctx context.Context, std *Console, cfg *config.Config) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	s, err := app.ViewStore(ctx, cfg, std.Now)
	if err != nil {
		c.add("database", isFault, err.Error(), "check data or database, that the server runs and takes this user, and run reseed migrate")
		return
	}
	defer s.Close()
	warnings, err := s.Check(ctx)
	if err != nil {
		c.add("database", isWarning, "its settings can't be read: "+err.Error(), "")
	}
	for _, w := range warnings {
		c.add("database", isWarning, w, "change the database's settings")
	}
	if len(warnings) == 0 && err == nil {
		c.add("database", isOK, "answers, with the schema of this program", "")
	}
}

func (c *DoctorCmd) templates(cfg *config.Config) {
	library, err := app.LoadTemplates(cfg, app.Deps{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.add("templates", isFault, err.Error(), "mend the files; reseed templates check names all faults")
		return
	}
	_ = library.Close() // it was only read
	c.add("templates", isOK, "can be read", "")
}

func (c *DoctorCmd) relay(ctx context.Context, cfg *config.Config) {
	if cfg.SMTP == "" {
		c.add("mail server", isWarning, "none is set: mails are captured in the data folder", "set smtp to mail for real")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	relay, err := mail.ParseURL(cfg.SMTP)
	if err != nil {
		return // a fault of the configuration
	}
	relay.Password = mail.Secret(cfg.SMTPPassword.Reveal())
	sender, err := mail.NewSMTP(relay)
	if err == nil {
		err = errors.Join(sender.Probe(ctx), sender.Close())
	}
	if err != nil {
		c.add("mail server", isFault, err.Error(), "check smtp, the user and its password, the port and its certificate; smtps:// is for port 465, ?starttls=never for servers without TLS")
		return
	}
	c.add("mail server", isOK, "takes this server's connection and sign-in", "")
}

func (c *DoctorCmd) hostURL(ctx context.Context, cfg *config.Config) {
	const cure = "start the server, point the proxy's path at it, and check host-url"
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.HostURL+"/api/version.xml", nil)
	if err != nil {
		c.add("host URL", isFault, err.Error(), cure)
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.add("host URL", isFault, err.Error(), cure)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.add("host URL", isFault, fmt.Sprintf("%s answers %s", cfg.HostURL, resp.Status), cure)
		return
	}
	c.add("host URL", isOK, cfg.HostURL+" leads here", "")
}

// senderDomain looks for what receivers ask DNS about the sender.
func (c *DoctorCmd) senderDomain(ctx context.Context, cfg *config.Config) {
	if cfg.SMTP == "" {
		return
	}
	_, domain, _ := strings.Cut(cfg.MailFromAddress, "@")
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	if _, err := net.DefaultResolver.LookupMX(ctx, domain); err != nil {
		c.add("sender's domain", isWarning, domain+" has no MX record: "+err.Error(), "receivers distrust a domain that takes no mail: add an MX record")
	}
	for _, record := range []struct{ name, kind, prefix, cure string }{
		{domain, "SPF", "v=spf1", "add a TXT record that names the mail server, such as v=spf1 mx -all"},
		{"_dmarc." + domain, "DMARC", "v=DMARC1", "add a TXT record such as v=DMARC1; p=quarantine"},
	} {
		texts, err := net.DefaultResolver.LookupTXT(ctx, record.name)
		if !hasRecord(texts, record.prefix) {
			found := record.name + " has no " + record.kind + " record"
			if dns := (*net.DNSError)(nil); err != nil && (!errors.As(err, &dns) || !dns.IsNotFound) {
				found = record.kind + " can't be looked up: " + err.Error()
			}
			c.add("sender's domain", isWarning, found, record.cure)
		}
	}
}

func hasRecord(texts []string, prefix string) bool {
	for _, t := range texts {
		if strings.HasPrefix(t, prefix) {
			return true
		}
	}
	return false
}

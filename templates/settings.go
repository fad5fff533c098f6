package templates

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	netmail "net/mail"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/reseed-project/reseed/fold"
)

// settingsFile holds a folder's settings of mails, beside its notification folder.
const settingsFile = "mail.toml"

// MailSettings are a group's settings of mails: what NAME/mail.toml may hold,
// under the names of the program's own settings. All of it is optional; each
// is looked up for itself, as files are. The vendor's
// NAME/organization/organization-config.xml is read for what it says of them.
type MailSettings struct {
	FromName    string `toml:"from-name"`
	FromAddress string `toml:"from-address"`
	ReplyTo     string `toml:"reply-to"`    // an address
	ReturnPath  string `toml:"return-path"` // where the mail server sends what it can't deliver
	// SMTP is the URL of a mail server of its own, SMTPPasswordFile the file
	// with its user's password, SMTPTokenFile one with an access token instead.
	SMTP             string `toml:"smtp"`
	SMTPPasswordFile string `toml:"smtp-password-file"`
	SMTPTokenFile    string `toml:"smtp-token-file"`
	HostURL          string `toml:"host-url"`   // scheme, host and site prefix of links
	TokenLife        Life   `toml:"token-life"` // of PageSeeder's links, 0: the program's
	Language         string `toml:"language"`   // of members without one of their own
	// Headers are further fields: X-..., Feedback-ID, List-Help, List-Id,
	// List-Owner, Organization, Importance, Precedence.
	Headers map[string]string `toml:"headers"`

	LinkPrefix string `toml:"-"` // what links start with, without HostURL's: organization-config.xml has it
	Brand      Brand  `toml:"-"` // how the mails look
}

// Brand is how built-in mails look like a group's pages.
type Brand struct {
	Name       string
	Accent     string // of buttons and links
	DarkAccent string // of links in dark mode
	OrganizationLook
}

// Life is a duration as a setting: 90m, 12h, or ISO 8601 such as PT12H or P1D.
type Life time.Duration

const maxLife = 7 * 24 * time.Hour // contract 1.8

var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// UnmarshalText reads a duration of a minute to seven days.
func (l *Life) UnmarshalText(b []byte) error {
	text := string(b)
	if m := isoDuration.FindStringSubmatch(text); m != nil {
		text = ""
		for i, unit := range []string{"", "h", "m", "s"} {
			if n := m[i+1]; n != "" && unit != "" {
				text += n + unit
			} else if n != "" {
				text += n + "d"
			}
		}
	}
	var days time.Duration
	if n, rest, found := strings.Cut(text, "d"); found {
		if _, err := fmt.Sscanf(n, "%d", &days); err != nil || days > 7 {
			return errors.New("want a duration of 1 minute to 7 days, such as 12h or PT12H")
		}
		text = rest
	}
	d, err := time.ParseDuration(text)
	if text == "" {
		d, err = 0, nil
	}
	d += days * 24 * time.Hour
	if err != nil || d < time.Minute || d > maxLife {
		return errors.New("want a duration of 1 minute to 7 days, such as 12h or PT12H")
	}
	*l = Life(d)
	return nil
}

var extraHeader = regexp.MustCompile(`^(?i:X-[a-z0-9-]{1,60}|Feedback-ID|List-Help|List-Id|List-Owner|Organization|Importance|Precedence)$`)

func mailSettingNames() []string {
	return []string{
		"from-name", "from-address", "reply-to", "return-path", "smtp", "smtp-password-file",
		"smtp-token-file", "host-url", "token-life", "language", "headers",
	}
}

// parseMailSettings reads mail.toml.
func parseMailSettings(text string) (MailSettings, error) {
	var m MailSettings
	if err := decodeTOML(text, &m, mailSettingNames()); err != nil {
		return m, err
	}
	var faults []error
	fault := func(key string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s%s: %w", lineOf(text, "", key), key, err))
		}
	}
	fault("from-name", lineFault(m.FromName))
	for key, address := range map[string]string{"from-address": m.FromAddress, "reply-to": m.ReplyTo, "return-path": m.ReturnPath} {
		fault(key, addressFault(address))
	}
	fault("host-url", hostURLFault(m.HostURL))
	if m.Language != "" && !languageTag.MatchString(fold.ASCII(m.Language)) {
		fault("language", fmt.Errorf("%q is no language tag such as en or pt-BR", m.Language))
	}
	if m.SMTPPasswordFile != "" && m.SMTP == "" {
		fault("smtp-password-file", errors.New("set smtp too"))
	}
	if m.SMTPTokenFile != "" && (m.SMTP == "" || m.SMTPPasswordFile != "") {
		fault("smtp-token-file", errors.New("set smtp too, and no smtp-password-file"))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		if !extraHeader.MatchString(name) {
			fault(name, errors.New("this header can't be set here; X-... and a few others can"))
		} else {
			fault(name, lineFault(m.Headers[name]))
		}
	}
	m.HostURL = strings.TrimRight(m.HostURL, "/")
	return m, errors.Join(faults...)
}

func lineFault(s string) error {
	if line(s, maxName) != s {
		return fmt.Errorf("want one line of at most %d characters", maxName)
	}
	return nil
}

// addressFault accepts a bare address and nothing around it.
func addressFault(s string) error {
	if s == "" {
		return nil
	}
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Address != s || line(s, maxName) != s {
		return fmt.Errorf("%q is no email address such as help@example.org", s)
	}
	return nil
}

func hostURLFault(s string) error {
	if s == "" {
		return nil
	}
	u, err := parseWebURL(s)
	if err != nil {
		return err
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return errors.New("want scheme, host and site prefix alone, such as https://example.org/ps")
	}
	return nil
}

// readSettings reads mail.toml and organization-config.xml of a folder.
func (s *Set) readSettings(fsys fs.FS, name string) error {
	var m MailSettings
	var faults []error
	found := false
	for file, parse := range map[string]func(string) (MailSettings, error){
		settingsFile:     parseMailSettings,
		organizationFile: parseOrganization,
	} {
		file = path.Join(name, file)
		if _, err := fs.Stat(fsys, file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		found = true
		text, err := readSource(fsys, file)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file, err))
			continue
		}
		read, err := parse(text)
		if err == nil && s.check != nil {
			err = s.check(read)
		}
		faults = append(faults, inFile(file, err)...)
		if path.Base(file) == settingsFile {
			m = merge(read, m)
		} else {
			m = merge(m, read)
		}
	}
	if found {
		s.settings[fold.ASCII(name)] = m
	}
	return errors.Join(faults...)
}

// inFile names the file of each of joined faults.
func inFile(file string, err error) []error {
	if err == nil {
		return nil
	}
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for i := range all {
		all[i] = fmt.Errorf("%s: %w", file, all[i])
	}
	return all
}

// merge returns the first settings, completed by the second.
func merge(a, b MailSettings) MailSettings {
	first := func(into *string, otherwise string) {
		if *into == "" {
			*into = otherwise
		}
	}
	first(&a.FromName, b.FromName)
	first(&a.FromAddress, b.FromAddress)
	first(&a.ReplyTo, b.ReplyTo)
	first(&a.ReturnPath, b.ReturnPath)
	first(&a.Language, b.Language)
	if a.HostURL == "" && a.LinkPrefix == "" { // one address of links, from one place
		a.HostURL, a.LinkPrefix = b.HostURL, b.LinkPrefix
	}
	if a.SMTP == "" {
		a.SMTP, a.SMTPPasswordFile, a.SMTPTokenFile = b.SMTP, b.SMTPPasswordFile, b.SMTPTokenFile
	}
	if a.TokenLife == 0 {
		a.TokenLife = b.TokenLife
	}
	headers := maps.Clone(b.Headers)
	if headers == nil {
		headers = map[string]string{}
	}
	maps.Copy(headers, a.Headers)
	a.Headers = headers
	first(&a.Brand.Name, b.Brand.Name)
	if a.Brand.Accent == "" {
		a.Brand.Accent, a.Brand.DarkAccent = b.Brand.Accent, b.Brand.DarkAccent
	}
	if a.Brand.OrganizationLook == (OrganizationLook{}) {
		a.Brand.OrganizationLook = b.Brand.OrganizationLook
	}
	return a
}

// OwnSettings returns what the settings of a chain of names say, most specific
// first, without the look that mails take from pages.
func (s *Set) OwnSettings(chain []string) MailSettings {
	var m MailSettings
	if len(s.settings) == 0 {
		return m
	}
	for _, name := range append(slices.Clone(chain), s.global) {
		m = merge(m, s.settings[fold.ASCII(name)])
	}
	return m
}

// Settings returns what serves a chain of names, most specific first.
func (s *Set) Settings(chain []string) MailSettings {
	m := s.OwnSettings(chain)
	if s.pages != nil {
		m.Brand = m.Brand.like(s.pages.Look(chain))
	}
	return m
}

// like takes name and colours from the pages of the same group.
func (b Brand) like(l *Look) Brand {
	b.Name = cmp.Or(l.Name, b.Name)
	b.Accent, b.DarkAccent = l.Accent, l.DarkAccent
	return b
}

// AllSettings returns the settings of every folder that has some, by name.
func (s *Set) AllSettings() map[string]MailSettings { return maps.Clone(s.settings) }

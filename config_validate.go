package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"reseed/groups"
	"reseed/mail"
	"reseed/store"
)

var (
	sitePrefix = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)
	hostName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`) // of test networks, too
	domain     = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// fault is what is wrong with a setting. It repeats no secret.
type fault struct {
	setting string
	err     error
}

// Error names the setting and what is wrong.
func (f fault) Error() string { return f.setting + ": " + f.err.Error() }

// Unwrap returns what is wrong.
func (f fault) Unwrap() error { return f.err }

// validate returns all that is wrong with the settings; with serving, what
// only a server needs as well.
func (c *Config) validate(serving bool) []fault {
	var faults []fault
	check := func(name string, err error) {
		if err != nil {
			faults = append(faults, fault{name, err})
		}
	}
	check("data", notEmpty(c.Data))
	check("database", c.databaseFault())
	check("listen", listenFault(c.Listen))
	check("site-prefix", matches(sitePrefix, c.SitePrefix, "want a path such as /ps"))
	check("host-url", hostURLFault(c.HostURL))
	check("compat", oneOf(strconv.Itoa(c.Compat), "5", "6"))
	check("disclosure", oneOf(c.Disclosure, "documented", "concealed"))
	check("sync-delivery", oneOf(c.SyncDelivery, "administrators", "everyone"))
	check("mails-per-hour", between(c.MailsPerHour, 1, 1000))
	check("site-mails-per-day", between(c.SiteMailsPerDay, 1, 1_000_000))
	check("site-name", textFault(c.SiteName))
	check("min-password", between(c.MinPassword, 8, 64))
	check("max-body", between(c.MaxBody, 1024, 16<<20))
	check("token-life", between(c.TokenLife, time.Minute, 24*time.Hour))
	c.checkAccess(check)
	check("read-timeout", between(c.ReadTimeout, time.Millisecond, time.Hour))
	check("write-timeout", between(c.WriteTimeout, time.Millisecond, time.Hour))
	check("idle-timeout", between(c.IdleTimeout, time.Millisecond, time.Hour))
	check("stop-timeout", between(c.StopTimeout, 0, time.Hour))
	check("smtp", c.smtpFault())
	check("dev-inbox", oneOf(c.DevInbox, "loopback", "everywhere", "off"))
	check("email-domain", c.domainFault())
	check("mail-from-name", textFault(c.MailFromName))
	check("mail-from-address", c.fromAddressFault())
	if c.GlobalTemplate != "" {
		check("global-template", groups.ValidName(c.GlobalTemplate))
	}
	faults = append(faults, c.operationFaults()...)
	if serving {
		c.checkServing(check)
	}
	return faults
}

// checkServing asks for what a server needs and other commands get along
// without: they send no mail, and their user may not know the secrets, nor the
// server's folder.
func (c *Config) checkServing(check func(setting string, err error)) {
	check("templates", c.templatesFault())
	if c.KeyFile == "" {
		check("key-file", errors.New("required with MySQL or MariaDB, so that all servers share the key"))
	}
	if c.EmailDomain == "" {
		check("email-domain", errors.New("required with smtp where the host URL's host is no domain name"))
	}
	if server, err := mail.ParseURL(c.SMTP); err == nil && server.User != "" && c.SMTPPassword == "" {
		check("smtp", errors.New("names a user, but there is no password in RESEED_SMTP_PASSWORD or smtp-password-file"))
	}
}

// warnings are settings that work and are worth a word.
func (c *Config) warnings() []string {
	var w []string
	if server, err := mail.ParseURL(c.SMTP); c.SMTP != "" && err == nil {
		for _, text := range server.Warnings() {
			w = append(w, "smtp: "+text)
		}
	}
	if u, err := url.Parse(c.HostURL); err == nil && u.Path != c.SitePrefix {
		w = append(w, fmt.Sprintf("host-url: its path %q is not the site prefix %q; links work only if a proxy maps one to the other", u.Path, c.SitePrefix))
	}
	if c.DevInbox == "everywhere" && c.SMTP == "" {
		w = append(w, "dev-inbox: with everywhere, whoever reaches this server reads all captured mails and opens any account")
	}
	if c.SyncDelivery == "everyone" {
		w = append(w, "sync-delivery: with everyone, the time of an answer tells who has an account")
	}
	return append(w, c.operationWarnings()...)
}

func notEmpty(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	return nil
}

func matches(re *regexp.Regexp, s, want string) error {
	if !re.MatchString(s) {
		return fmt.Errorf("%q: %s", s, want)
	}
	return nil
}

func oneOf(s string, choices ...string) error {
	if !slices.Contains(choices, s) {
		return fmt.Errorf("%q: want %s", s, strings.Join(choices, " or "))
	}
	return nil
}

func between[T int | int64 | time.Duration](v, low, high T) error {
	if v < low || v > high {
		return fmt.Errorf("%v: want %v to %v", v, low, high)
	}
	return nil
}

func listenFault(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q: want host:port", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: want a port from 0 to 65535", addr)
	}
	return nil
}

func hostURLFault(raw string) error {
	const want = "want http or https, a host in ASCII and a path, such as https://example.org/ps"
	u, err := url.Parse(raw)
	web := strings.HasPrefix(raw, "http://") || strings.HasPrefix(raw, "https://") // in this case: others read it, too
	if err != nil || !web || u.User != nil || !validHost(u) || len(raw) > 1000 {
		return errors.New(want)
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(raw, "#") {
		return errors.New("must have no query and no fragment")
	}
	return matches(sitePrefix, u.Path, want)
}

// validHost reports whether a link in a mail may lead to the URL's host.
func validHost(u *url.URL) bool {
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
	}
	_, err := netip.ParseAddr(u.Hostname())
	return err == nil || hostName.MatchString(u.Hostname())
}

// validDomain reports whether s is a domain name, the last part of which holds
// a letter, so that no IP address passes.
func validDomain(s string) bool { return len(s) <= 253 && domain.MatchString(s) }

func (c *Config) domainFault() error {
	if c.EmailDomain != "" && !validDomain(c.EmailDomain) {
		return fmt.Errorf("%q: want a domain name such as example.org", c.EmailDomain)
	}
	return nil
}

func textFault(name string) error {
	if name == "" || len(name) > 200 || !mail.ValidName(name) {
		return errors.New("want 1 to 200 bytes of UTF-8 without control characters and marks that turn the direction of text")
	}
	return nil
}

func (c *Config) fromAddressFault() error {
	if c.domainFault() != nil && strings.HasSuffix(c.MailFromAddress, "@"+c.EmailDomain) || c.MailFromAddress == "" {
		return nil // reported there
	}
	if !mail.ValidAddress(c.MailFromAddress) {
		return fmt.Errorf("%q: want an address such as pageseeder@example.org", c.MailFromAddress)
	}
	return nil
}

func (c *Config) templatesFault() error {
	if c.Templates != "" && !isFolder(c.Templates) {
		return fmt.Errorf("%s: no such folder", c.Templates)
	}
	return nil
}

func (c *Config) databaseFault() error {
	if !c.MySQL() {
		return nil
	}
	if err := store.CheckDSN(c.Database.Reveal()); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "database address: "))
	}
	return nil
}

func (c *Config) smtpFault() error {
	if c.SMTP == "" {
		return nil
	}
	if _, err := mail.ParseURL(c.SMTP); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "SMTP server: "))
	}
	return nil
}

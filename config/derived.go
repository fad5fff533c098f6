package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store"
)

// MySQL reports whether the database is MySQL or MariaDB rather than SQLite.
func (c *Config) MySQL() bool { return c.Database != "" }

// Store returns where the data is, for store.Open.
func (c *Config) Store(now func() time.Time) store.Config {
	return store.Config{Path: filepath.Join(c.Data, "reseed.db"), DSN: c.Database.Reveal(), Now: now}
}

// Policy returns the rules for new passwords.
func (c *Config) Policy() (*password.Policy, error) {
	return password.NewPolicy(password.PolicyConfig{Min: c.MinPassword})
}

// Complete fills in the defaults that depend on other settings.
func (c *Config) Complete() {
	c.trim()
	if c.HostURL == "" {
		c.hostURLDerived = true
		c.HostURL = listenURL(c.Listen) + c.SitePrefix
	}
	if c.EmailDomain == "" {
		c.EmailDomain = c.defaultDomain()
	}
	if c.MailFromAddress == "" && c.EmailDomain != "" {
		c.MailFromAddress = "pageseeder@" + c.EmailDomain
	}
	if c.KeyFile == "" && c.Key == "" && !c.MySQL() {
		c.KeyFile = filepath.Join(c.Data, "token.key")
	}
	if c.DKIMKeys == "" {
		c.DKIMKeys = filepath.Join(c.Data, "dkim")
	}
	if folder := filepath.Join(c.Data, "templates"); c.Templates == "" && isFolder(folder) {
		c.Templates = folder
	}
}

// trim brings what may be written in two ways into one.
func (c *Config) trim() {
	c.SitePrefix = strings.TrimSuffix(c.SitePrefix, "/")
	c.HostURL = strings.TrimSuffix(c.HostURL, "/")
	c.MailFromAddress = mail.ASCIIAddress(c.MailFromAddress)
	c.EmailDomain, c.SMTPHello = mail.ASCIIDomain(c.EmailDomain), mail.ASCIIDomain(c.SMTPHello)
}

// Listening sets the host URL from the address that the server listens on,
// unless the configuration says what the host URL is. It matters for port 0.
func (c *Config) Listening(addr string) {
	if c.hostURLDerived {
		c.HostURL = listenURL(addr) + c.SitePrefix
	}
}

// listenURL is where a browser on this machine reaches the address.
func listenURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || strings.HasPrefix(addr, "unix:") {
		return "http://localhost" // a socket: a proxy is in front
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	if port == "80" && !strings.Contains(host, ":") {
		return "http://" + host
	}
	return "http://" + net.JoinHostPort(host, port)
}

// defaultDomain is the host URL's host if that is a domain with a dot. There
// is no safe guess when mails leave the machine.
func (c *Config) defaultDomain() string {
	if u, err := url.Parse(c.HostURL); err == nil {
		if host := u.Hostname(); validDomain(host) && strings.Contains(host, ".") {
			return host
		}
	}
	if c.SMTP != "" {
		return ""
	}
	return "example.org"
}

// UnixSocket returns the path of the socket to listen on, "" for an address.
func (c *Config) UnixSocket() string {
	path, found := strings.CutPrefix(c.Listen, "unix:")
	if !found {
		return ""
	}
	return path
}

// Origin is scheme and host of the host URL.
func (c *Config) Origin() string {
	u, err := url.Parse(c.HostURL)
	if err != nil {
		return c.HostURL
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

// Where says where the data is, without the secrets of a DSN.
func (c *Config) Where() string {
	if c.MySQL() {
		return "MySQL or MariaDB"
	}
	return c.Data
}

// Build returns the build number in the answer of GET /version: version-build, or
// one that fits what is served.
func (c *Config) Build() int64 {
	switch {
	case c.VersionBuild != 0:
		return c.VersionBuild
	case c.Compat == 5:
		return 9804
	}
	return 2007
}

// ServedByHTTPS reports whether members reach this server by HTTPS.
func (c *Config) ServedByHTTPS() bool { return strings.HasPrefix(c.HostURL, "https://") }

// Zone returns the time zone of dates in answers.
func (c *Config) Zone() *time.Location {
	zone, err := loadZone(c.TimeZone)
	if err != nil { // can't be: it was validated
		return time.UTC
	}
	return zone
}

// loadZone refuses "Local", which means something else on every machine.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("%q: want an IANA name such as Australia/Sydney", name)
	}
	return zone, nil
}

// Origins returns the origins of allow-origins.
func (c *Config) Origins() ([]string, error) {
	var list []string
	for text := range strings.SplitSeq(c.AllowOrigins, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Scheme+"://"+u.Host != text {
			return nil, fmt.Errorf("%q: want an origin such as https://app.example.org", text)
		}
		list = append(list, text)
	}
	return list, nil
}

// Proxies returns the networks of trusted-proxies.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	var list []netip.Prefix
	for text := range strings.SplitSeq(c.TrustedProxies, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if a, errAddr := netip.ParseAddr(text); errAddr == nil && a.Zone() == "" {
			prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q: want an address or a network such as 10.0.0.0/8", text)
		}
		if prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("%q: write it as IPv4", text)
		}
		list = append(list, prefix.Masked())
	}
	return list, nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// Breaches returns the service that knows passwords from breaches, nil for none.
func (c *Config) Breaches() *password.Breaches {
	if c.BreachedPasswords == "" {
		return nil
	}
	return &password.Breaches{URL: c.BreachedPasswords}
}

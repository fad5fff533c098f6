package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"reseed/password"
	"reseed/store"
)

// Config is everything that can be configured. A flag wins over its
// environment variable, that over the key of the TOML file, that over the
// default. The three names follow from each other: --host-url,
// RESEED_HOST_URL, host-url.
type Config struct {
	ConfigFile configFile      `name:"config" env:"RESEED_CONFIG" placeholder:"FILE" help:"TOML file with any of these settings."`
	Data       string          `env:"RESEED_DATA" default:"./data" placeholder:"DIR" help:"Folder of the SQLite database, the token key and captured mails."`
	Database   password.Secret `env:"RESEED_DATABASE" placeholder:"DSN" help:"MySQL or MariaDB, as mysql://user:password@host:port/name or as a go-sql-driver DSN. Without it: SQLite in the data folder. On the command line a password is visible to other users of the machine."`

	Listen       string        `env:"RESEED_LISTEN" default:"127.0.0.1:8080" placeholder:"ADDR" group:"HTTP" help:"Address and port to serve on."`
	HostURL      string        `name:"host-url" env:"RESEED_HOST_URL" placeholder:"URL" group:"HTTP" help:"Scheme, host and site prefix under which members reach this server; links in mails start with it. Default: http://LISTEN with the site prefix."`
	SitePrefix   string        `env:"RESEED_SITE_PREFIX" default:"/ps" placeholder:"PATH" group:"HTTP" help:"Path in front of all services, / for none."`
	MaxBody      int64         `type:"setting" env:"RESEED_MAX_BODY" default:"65536" placeholder:"BYTES" group:"HTTP" help:"Largest body of a request, in bytes."`
	ReadTimeout  time.Duration `type:"setting" env:"RESEED_READ_TIMEOUT" default:"10s" placeholder:"DURATION" group:"HTTP" help:"Time a client has to send a request."`
	WriteTimeout time.Duration `type:"setting" env:"RESEED_WRITE_TIMEOUT" default:"1m" placeholder:"DURATION" group:"HTTP" help:"Time from the end of a request's header to the end of its answer."`
	IdleTimeout  time.Duration `type:"setting" env:"RESEED_IDLE_TIMEOUT" default:"2m" placeholder:"DURATION" group:"HTTP" help:"Time a connection may stay open without a request."`
	StopTimeout  time.Duration `type:"setting" env:"RESEED_STOP_TIMEOUT" default:"15s" placeholder:"DURATION" group:"HTTP" help:"Time that running requests and deliveries get to finish when the server stops."`

	Compat       int           `type:"setting" env:"RESEED_COMPAT" default:"6" placeholder:"5|6" group:"Services" help:"Version of the PageSeeder services to be like."`
	Disclosure   string        `env:"RESEED_DISCLOSURE" default:"documented" placeholder:"documented|concealed" group:"Services" help:"Whether strangers see the documented codes of locked, API and mail-less accounts, or nothing."`
	TokenLife    time.Duration `type:"setting" env:"RESEED_TOKEN_LIFE" default:"12h" placeholder:"DURATION" group:"Services" help:"How long a reset token is valid, at most 24h."`
	KeyFile      string        `env:"RESEED_KEY_FILE" placeholder:"FILE" group:"Services" help:"File with the key that tokens are made with. Default: token.key in the data folder, made at the first start; with MySQL or MariaDB it must be named, so that all servers share it."`
	VersionBuild int64         `type:"setting" env:"RESEED_VERSION_BUILD" default:"2007" placeholder:"N" group:"Services" help:"Build number that GET /version tells; the major version is compat's."`
	TimeZone     string        `env:"RESEED_TIME_ZONE" default:"UTC" placeholder:"NAME" group:"Services" help:"IANA time zone of the dates in answers, such as Australia/Sydney."`
	MinPassword  int           `type:"setting" env:"RESEED_MIN_PASSWORD" default:"8" placeholder:"N" group:"Services" help:"Shortest password, in characters, 8 to 64."`

	MinBadLogins      int           `type:"setting" env:"RESEED_MIN_BAD_LOGINS" default:"5" placeholder:"N" group:"Signing in" help:"Fewest failed sign-ins in a row that lock an account for a while. The number is drawn at random between minimum and maximum."`
	MaxBadLogins      int           `type:"setting" env:"RESEED_MAX_BAD_LOGINS" default:"10" placeholder:"N" group:"Signing in" help:"Most failed sign-ins in a row before an account is locked for a while, at most 100."`
	MinAccountLockout time.Duration `type:"setting" env:"RESEED_MIN_ACCOUNT_LOCKOUT" default:"15m" placeholder:"DURATION" group:"Signing in" help:"Shortest lock after failed sign-ins. The time is drawn at random between minimum and maximum."`
	MaxAccountLockout time.Duration `type:"setting" env:"RESEED_MAX_ACCOUNT_LOCKOUT" default:"30m" placeholder:"DURATION" group:"Signing in" help:"Longest lock after failed sign-ins."`
	SessionTimeout    time.Duration `type:"setting" env:"RESEED_SESSION_TIMEOUT" default:"30m" placeholder:"DURATION" group:"Signing in" help:"How long a session lasts without use."`
	SessionLife       time.Duration `type:"setting" env:"RESEED_SESSION_LIFE" default:"12h" placeholder:"DURATION" group:"Signing in" help:"How long a session lasts whatever its use."`
	AccessTokenLife   time.Duration `type:"setting" env:"RESEED_ACCESS_TOKEN_LIFE" default:"1h" placeholder:"DURATION" group:"Signing in" help:"How long an OAuth access token is valid."`

	SiteName         string          `env:"RESEED_SITE_NAME" default:"PageSeeder" placeholder:"NAME" group:"Mail" help:"What readers of mails and pages know this site as."`
	SMTP             string          `name:"smtp" env:"RESEED_SMTP" placeholder:"URL" group:"Mail" help:"Server to send mails through: smtp://[user@]host:port (STARTTLS required; ?starttls=never turns that off) or smtps://[user@]host:port. Without it mails are captured as .eml files in the data folder."`
	DevInbox         string          `env:"RESEED_DEV_INBOX" default:"loopback" placeholder:"loopback|everywhere|off" group:"Mail" help:"Who sees captured mails at /dev/mail, and the start page at /: browsers on this machine, where both LISTEN and the host URL are of this machine alone, or everybody who reaches the server, or nobody. They hold live links. With an SMTP server there is neither."`
	SMTPPasswordFile string          `name:"smtp-password-file" env:"RESEED_SMTP_PASSWORD_FILE" placeholder:"FILE" group:"Mail" help:"File with the SMTP user's password. The environment variable RESEED_SMTP_PASSWORD may hold the password itself."`
	SMTPPassword     password.Secret `kong:"-"`
	EmailDomain      string          `env:"RESEED_EMAIL_DOMAIN" placeholder:"DOMAIN" group:"Mail" help:"Domain that mails come from. Default: the host of the host URL if that is a domain; else, while mails are captured, example.org."`
	MailFromName     string          `env:"RESEED_MAIL_FROM_NAME" default:"PageSeeder (DO NOT REPLY)" placeholder:"NAME" group:"Mail" help:"Name that mails come from."`
	MailFromAddress  string          `env:"RESEED_MAIL_FROM_ADDRESS" placeholder:"EMAIL" group:"Mail" help:"Address that mails come from. Default: pageseeder@ and the email domain."`
	SyncDelivery     string          `env:"RESEED_SYNC_DELIVERY" default:"administrators" placeholder:"administrators|everyone" group:"Mail" help:"Whose requests wait for the delivery attempt, within request-timeout, unless they say notify-async. With everyone, the time of an answer tells who has an account: for closed test networks."`
	MailsPerHour     int             `type:"setting" env:"RESEED_MAILS_PER_HOUR" default:"5" placeholder:"N" group:"Mail" help:"Mails with a token that a member may get in an hour. Requests beyond are answered alike and mail nothing."`
	SiteMailsPerDay  int             `type:"setting" env:"RESEED_SITE_MAILS_PER_DAY" default:"200" placeholder:"N" group:"Mail" help:"Set-password mails that a Wix site may order in a day of UTC; more are answered 429."`
	Templates        string          `env:"RESEED_TEMPLATES" placeholder:"DIR" group:"Mail" help:"Folder of mail templates, NAME/notification/TEMPLATE.html and .txt. Default: templates in the data folder, where there is such a folder."`
	GlobalTemplate   string          `env:"RESEED_GLOBAL_TEMPLATE" placeholder:"NAME" group:"Mail" help:"Project whose templates serve where neither the group nor its projects have any."`

	Operation `embed:""`

	hostURLDerived bool // HostURL comes from Listen
}

// MySQL reports whether the database is MySQL or MariaDB rather than SQLite.
func (c *Config) MySQL() bool { return c.Database != "" }

// Store returns where the data is, for store.Open, and makes the data folder
// where there is none.
func (c *Config) Store(now func() time.Time) (store.Config, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return store.Config{}, fmt.Errorf("make the data folder: %w", err)
	}
	return store.Config{Path: filepath.Join(c.Data, "reseed.db"), DSN: c.Database.Reveal(), Now: now}, nil
}

// Policy returns the rules for new passwords.
func (c *Config) Policy() (*password.Policy, error) {
	return password.NewPolicy(password.PolicyConfig{Min: c.MinPassword})
}

// complete fills in the defaults that depend on other settings.
func (c *Config) complete() {
	c.SitePrefix = strings.TrimSuffix(c.SitePrefix, "/")
	c.HostURL = strings.TrimSuffix(c.HostURL, "/")
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
	if c.KeyFile == "" && !c.MySQL() {
		c.KeyFile = filepath.Join(c.Data, "token.key")
	}
	if folder := filepath.Join(c.Data, "templates"); c.Templates == "" && isFolder(folder) {
		c.Templates = folder
	}
}

// Listening sets the host URL from the address that is listened on in fact,
// unless the configuration says what the host URL is. It matters for port 0.
func (c *Config) Listening(addr string) {
	if c.hostURLDerived {
		c.HostURL = listenURL(addr) + c.SitePrefix
	}
}

// listenURL is where a browser on this machine reaches the address.
func listenURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	if port == "80" && !strings.Contains(host, ":") {
		return "http://" + host
	}
	return "http://" + net.JoinHostPort(host, port)
}

// defaultDomain is the host URL's host where it is a domain with a dot. There
// is no safe guess where mails really leave.
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

// readSMTPPassword takes the password from the environment, or else the file.
func (c *Config) readSMTPPassword(lookup func(string) (string, bool)) error {
	if value, ok := lookup("RESEED_SMTP_PASSWORD"); ok && value != "" {
		c.SMTPPassword = password.Secret(value)
		return nil
	}
	if c.SMTPPasswordFile == "" {
		return nil
	}
	if err := privateFile(c.SMTPPasswordFile); err != nil {
		return fmt.Errorf("smtp-password-file: %w", err)
	}
	content, err := os.ReadFile(c.SMTPPasswordFile)
	if err != nil {
		return fmt.Errorf("smtp-password-file: %w", err)
	}
	c.SMTPPassword = password.Secret(strings.TrimRight(string(content), "\r\n"))
	return nil
}

// privateFile refuses a file that every user of the machine may read.
func privateFile(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return fmt.Errorf("%s is open to every user of the machine: chmod 600 it", name)
	}
	return nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// Package config holds the settings: one struct, where its values come from, and
// what is allowed. It knows no server.
package config

import (
	"time"
	_ "time/tzdata" // time-zone works on a machine without zones

	"github.com/reseed-project/reseed/password"
)

// Config is every setting, each declared once. A flag wins over its environment
// variable, that over the key of the TOML file, that over the default. The three
// names follow from the field's: --site-prefix, RESEED_SITE_PREFIX, site-prefix.
// From the tags follow the help, the reference page and the validation: range
// (LOW..HIGH, alternatives separated by |), choices, and check (see checks).
// A tag list says that the file may hold an array.
type Config struct {
	ConfigFile   configFile      `name:"config" placeholder:"FILE" group:"General" help:"TOML file with any of these settings."`
	Data         string          `default:"./data" placeholder:"DIR" check:"not-empty" group:"General" help:"Folder of the SQLite database, the token key and captured mails."`
	Database     password.Secret `placeholder:"DSN" check:"database" group:"General" help:"MySQL or MariaDB, as mysql://user:password@host:port/name or as a go-sql-driver DSN. Default: SQLite in the data folder. On the command line, a password is visible to other users of the machine."`
	DatabaseFile string          `placeholder:"FILE" group:"General" help:"File that holds the database setting, so that its password stays out of the environment."`
	LogFormat    string          `default:"text" choices:"text|json" group:"General" help:"How the log is written to standard error."`
	LogLevel     string          `default:"info" choices:"debug|info|warn|error" group:"General" help:"Least important lines that are logged. SIGHUP reads it again from the file."`

	Listen       string        `default:"127.0.0.1:8080" placeholder:"ADDR" check:"listen" group:"HTTP" help:"Address and port to serve on, or unix:/PATH for a socket. A socket that systemd passes wins."`
	HostURL      string        `name:"host-url" placeholder:"URL" check:"host-url" group:"HTTP" help:"Scheme, host and site prefix under which members reach this server; links in mails start with it. Default: http://LISTEN with the site prefix. Required with smtp, unless LISTEN is an address that others reach."`
	SitePrefix   string        `default:"/ps" placeholder:"PATH" check:"path" group:"HTTP" help:"Path in front of all services; / for none."`
	MaxBody      int64         `default:"65536" placeholder:"BYTES" range:"1024..16777216" group:"HTTP" help:"Largest request body, in bytes."`
	ReadTimeout  time.Duration `default:"10s" placeholder:"DURATION" range:"1ms..1h" group:"HTTP" help:"Time a client has to send a request."`
	WriteTimeout time.Duration `default:"1m" placeholder:"DURATION" range:"1ms..1h" group:"HTTP" help:"Time from the end of a request's header to the end of its answer."`
	IdleTimeout  time.Duration `default:"2m" placeholder:"DURATION" range:"1ms..1h" group:"HTTP" help:"Time a connection may stay open without a request."`
	StopTimeout  time.Duration `default:"15s" placeholder:"DURATION" range:"0s..1h" group:"HTTP" help:"Time that running requests and deliveries get to finish when the server stops."`

	Compat            int           `default:"6" choices:"5|6" group:"Services" help:"Version of the PageSeeder services to imitate."`
	Disclosure        string        `default:"documented" choices:"documented|concealed" group:"Services" help:"Whether anonymous callers get the documented codes for locked accounts, API accounts and accounts without an address, or cannot tell them from others."`
	TokenLife         time.Duration `default:"12h" placeholder:"DURATION" range:"1m..24h" group:"Services" help:"How long a reset token is valid, at most 24h."`
	KeyFile           string        `placeholder:"FILE" group:"Services" help:"File with the key that tokens are made with. Default: token.key in the data folder, made at the first start. With MySQL or MariaDB it is required, so that all servers share it."`
	VersionBuild      int64         `default:"0" placeholder:"N" range:"0..999999999" group:"Services" help:"Build number in the answer of GET /version; the major version follows from compat. 0: 2007, or 9804 with version 5."`
	QueryCredentials  bool          `default:"false" group:"Services" help:"Accept username and password in the query of GET /self, as the bridge client's login sends them. Addresses end up in the logs of proxies, and passwords with them."`
	SelfRegister      bool          `default:"false" group:"Services" help:"Let anyone register as a member (POST /members/register)."`
	AdminPages        bool          `default:"false" group:"Services" help:"Serve the help desk's pages at SITE-PREFIX/admin, for administrators who sign in there."`
	TimeZone          string        `default:"UTC" placeholder:"NAME" check:"time-zone" group:"Services" help:"IANA time zone of the dates in answers, such as Australia/Sydney."`
	BreachedPasswords string        `env:"RESEED_BREACHED_PASSWORDS" check:"breaches" placeholder:"URL" group:"Services" help:"Service that tells, from the first five digits of its SHA-1, whether a new password is known from a breach, such as https://api.pwnedpasswords.com/range/. It has two seconds to answer; without an answer the password is accepted. Off by default."`
	MinPassword       int           `default:"8" placeholder:"N" range:"8..64" group:"Services" help:"Shortest password, in characters, 8 to 64."`

	MinBadLogins      int           `default:"5" placeholder:"N" range:"1..100" group:"Signing in" help:"Fewest failed sign-ins in a row that lock an account for a while. The number is drawn at random between minimum and maximum."`
	MaxBadLogins      int           `default:"10" placeholder:"N" range:"1..100" group:"Signing in" help:"Most failed sign-ins in a row before an account is locked for a while, at most 100."`
	MinAccountLockout time.Duration `default:"15m" placeholder:"DURATION" range:"1s..720h" group:"Signing in" help:"Shortest lock after failed sign-ins. The time is drawn at random between minimum and maximum."`
	MaxAccountLockout time.Duration `default:"30m" placeholder:"DURATION" range:"1s..720h" group:"Signing in" help:"Longest lock after failed sign-ins."`
	SessionTimeout    time.Duration `default:"30m" placeholder:"DURATION" range:"1m..720h" group:"Signing in" help:"How long an unused session lasts."`
	SessionLife       time.Duration `default:"12h" placeholder:"DURATION" range:"1m..720h" group:"Signing in" help:"How long a session lasts, however much it is used."`
	AccessTokenLife   time.Duration `default:"1h" placeholder:"DURATION" range:"1m..720h" group:"Signing in" help:"How long an OAuth access token is valid."`

	SiteName         string          `default:"PageSeeder" placeholder:"NAME" check:"text" group:"Mail" help:"Name of this site in mails and pages."`
	SMTP             string          `name:"smtp" placeholder:"URL" check:"smtp" group:"Mail" help:"Server to send mails through: smtp://[user@]host:port (STARTTLS required; ?starttls=never turns that off) or smtps://[user@]host:port. Default: mails are captured as .eml files in the data folder."`
	DevInbox         string          `default:"loopback" choices:"loopback|everywhere|off" group:"Mail" help:"Who sees captured mails at /dev/mail, and the start page at /: loopback is browsers on this machine, if both LISTEN and the host URL are local to it; everywhere is anyone who reaches the server; off is nobody. The mails hold live links. With an SMTP server there is neither page."`
	InboxHosts       []string        `name:"inbox-host" placeholder:"NAME" list:"" group:"Mail" help:"Host names, beside localhost, under which the inbox answers, such as that of a container; may be repeated."`
	SMTPPasswordFile string          `name:"smtp-password-file" placeholder:"FILE" group:"Mail" help:"File with the SMTP user's password."`
	SMTPUTF8         bool            `name:"smtp-utf8" default:"false" group:"Mail" help:"Accept addresses with letters beyond ASCII before the @. The mail server must offer SMTPUTF8; mails to them are dead if it doesn't. International domains need no setting."`
	SMTPHello        string          `name:"smtp-hello" placeholder:"NAME" check:"domain" group:"Mail" help:"Name that this server greets the mail server with. Default: the host of the host URL if that is a domain name, else the full name of this machine, else its address."`
	SMTPTokenFile    string          `name:"smtp-token-file" placeholder:"FILE" group:"Mail" help:"File with an OAuth 2.0 access token, by which the SMTP user signs in (XOAUTH2) instead of by password. It is read before each sign-in; what renews the token writes it."`
	SMTPTokenCommand string          `name:"smtp-token-command" placeholder:"COMMAND" group:"Mail" help:"Command that prints such a token, run by the shell before each sign-in; it has 30 seconds."`
	DKIMKeys         string          `name:"dkim-keys" placeholder:"DIR" group:"Mail" help:"Folder of the keys that mails are signed with (DKIM), as reseed dkim add makes them. Default: dkim in the data folder."`
	SMTPPassword     password.Secret `kong:"-"` // see secrets
	Key              password.Secret `kong:"-"` // see secrets
	EmailDomain      string          `placeholder:"DOMAIN" check:"domain" group:"Mail" help:"Domain that mails come from. Default: the host of the host URL if that is a domain; otherwise, while mails are captured, example.org."`
	MailFromName     string          `default:"PageSeeder (DO NOT REPLY)" placeholder:"NAME" check:"text" group:"Mail" help:"Name that mails come from."`
	MailFromAddress  string          `placeholder:"EMAIL" check:"email" group:"Mail" help:"Address that mails come from. Default: pageseeder@ and the email domain."`
	SyncDelivery     string          `default:"administrators" choices:"administrators|everyone" group:"Mail" help:"Whose requests wait for the delivery attempt, within request-timeout, unless they say notify-async. With everyone, the time of an answer tells who has an account: for closed test networks."`
	NoticeAddresses  string          `default:"shortened" choices:"plain|shortened|none" group:"Mail" help:"How mails that tell of a change or of failed sign-ins say where the request came from: by its whole address, by its network (/24 of IPv4, /64 of IPv6), or not at all. Mails that wait are sent as they were ordered."`
	MailsPerHour     int             `default:"5" placeholder:"N" range:"1..1000" group:"Mail" help:"Mails with a token that a member may get in an hour. Further requests get the same answer and mail nothing."`
	SiteMailsPerDay  int             `default:"200" placeholder:"N" range:"1..1000000" group:"Mail" help:"Set-password mails that a Wix site may order in a day (UTC); further ones are answered 429."`
	Templates        string          `placeholder:"DIR" check:"folder" group:"Mail" help:"Folder of mail templates, NAME/notification/TEMPLATE.html and .txt. Default: the folder templates in the data folder, if it exists."`
	XSLT             string          `name:"xslt" placeholder:"RENDERER" group:"Mail" help:"What renders PageSeeder's own templates (.xsl): saxon, or the command line of another renderer. Without it a folder with such templates stops the start."`
	GlobalTemplate   string          `placeholder:"NAME" check:"name" group:"Mail" help:"Project whose templates serve a group if neither it nor its projects have any."`

	AdminListen          string        `placeholder:"ADDR" check:"admin-listen" group:"Operation" help:"Address and port for /metrics (Prometheus), /debug/pprof, /livez and /readyz. It has no access control: keep it on 127.0.0.1 or a private network. Off by default."`
	TrustedProxies       string        `placeholder:"CIDR,..." check:"networks" list:"" group:"Operation" help:"Addresses or networks of the proxies in front, separated by commas. Only they are believed about who the client is."`
	AllowOrigins         string        `placeholder:"ORIGIN,..." check:"origins" list:"" group:"Operation" help:"Origins whose pages may call the services from a browser (CORS), such as https://app.example.org, separated by commas; beside those of the Wix sites."`
	ForwardedHeader      string        `default:"x-forwarded-for" choices:"x-forwarded-for|forwarded" fold:"" group:"Operation" help:"Header in which the proxies name the client. The other one is not read."`
	ClientRate           *int          `placeholder:"N" range:"0..1000000" group:"Operation" help:"Requests a minute from one IPv4 address or IPv6 /64 (4 times as many from a /56, 16 times from a /48); further ones are answered 429. A wrong password or token counts as ten. 0: no limit. Default: 600, but while mails are captured this machine itself has no limit."`
	TotalRate            int           `default:"30000" placeholder:"N" range:"0..10000000" group:"Operation" help:"Requests a minute from all clients together; further ones are answered 429. 0: no limit."`
	MaxInFlight          int           `default:"256" placeholder:"N" range:"1..100000" group:"Operation" help:"Requests in progress at once; further ones are answered 503 at once."`
	MaxConnections       int           `default:"8192" placeholder:"N" range:"1..1000000" group:"Operation" help:"Open connections; further ones wait to be accepted."`
	MaxClientConnections int           `default:"512" placeholder:"N" range:"0..1000000" group:"Operation" help:"Open connections of one IPv4 address or IPv6 /64; further ones are closed at once. This machine and trusted proxies have no such limit. 0: no limit."`
	RequestTimeout       time.Duration `default:"10s" placeholder:"DURATION" range:"1s..1h" group:"Operation" help:"Time the work for a request may take, waiting for the database included; then it is answered 503."`
	StartTimeout         time.Duration `default:"10m" placeholder:"DURATION" range:"0s..240h" group:"Operation" help:"Time to wait for the database, and for its schema with --migrate=never, when the server starts. 0: forever."`
	StopDelay            time.Duration `default:"0s" placeholder:"DURATION" range:"0s..1h" group:"Operation" help:"Time to keep serving with /readyz at 503 after the signal to stop, so that load balancers notice."`
	Migrate              string        `default:"auto" choices:"auto|never" group:"Operation" help:"Whether a start brings an old schema up to date. With never, run reseed migrate beforehand; the server then needs no more than SELECT, INSERT, UPDATE and DELETE."`
	Keep                 time.Duration `default:"720h" placeholder:"DURATION" range:"0s|48h..876000h" group:"Operation" help:"How long sent, dead and dropped mails, used and expired tokens, and security events are kept, at least 48h. 0: forever. Dropped mails go with their tokens, refusals that name no member after 7 days."`

	AuditIdentifiers string `default:"hashed" choices:"plain|hashed" group:"Operation" help:"How security events store the usernames and email addresses that were asked for: as they are, or as a keyed hash. People sometimes type a password into the name field."`
	AuditAddresses   string `default:"plain" choices:"plain|hashed" group:"Operation" help:"How security events and the log hold the addresses of clients."`

	hostURLDerived bool     // HostURL comes from Listen
	flags          []string // of the command line, as KeepFlags has them
}

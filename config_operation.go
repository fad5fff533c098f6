package main

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"reseed/server"
)

// Operation are the settings of limits, start and stop, health, audit and
// housekeeping.
type Operation struct {
	AdminListen     string        `env:"RESEED_ADMIN_LISTEN" placeholder:"ADDR" group:"Operation" help:"Address and port for /metrics (Prometheus), /debug/pprof, /livez and /readyz. It has no access control: keep it on 127.0.0.1 or a network of your own. Off by default."`
	TrustedProxies  string        `env:"RESEED_TRUSTED_PROXIES" placeholder:"CIDR,..." group:"Operation" help:"Addresses or networks of the proxies in front, separated by commas. From them alone the header that names the client is believed."`
	ForwardedHeader string        `env:"RESEED_FORWARDED_HEADER" default:"x-forwarded-for" placeholder:"x-forwarded-for|forwarded" group:"Operation" help:"Header in which the proxies name the client. The other one is not read."`
	ClientRate      *int          `type:"setting" env:"RESEED_CLIENT_RATE" placeholder:"N" group:"Operation" help:"Requests a minute from one IPv4 address or IPv6 /64, beyond which it is answered 429; a wrong password or token counts as ten. 0: no limit. Default: 600, but while mails are captured none for this machine itself."`
	TotalRate       int           `type:"setting" env:"RESEED_TOTAL_RATE" default:"30000" placeholder:"N" group:"Operation" help:"Requests a minute from all clients together, beyond which they are answered 429. 0: no limit."`
	MaxInFlight     int           `type:"setting" env:"RESEED_MAX_IN_FLIGHT" default:"512" placeholder:"N" group:"Operation" help:"Requests answered at once; more are answered 503 at once."`
	MaxConnections  int           `type:"setting" env:"RESEED_MAX_CONNECTIONS" default:"8192" placeholder:"N" group:"Operation" help:"Open connections; more wait to be accepted."`
	RequestTimeout  time.Duration `type:"setting" env:"RESEED_REQUEST_TIMEOUT" default:"10s" placeholder:"DURATION" group:"Operation" help:"Time the work for a request may take, waiting for the database included, before it is answered 503."`
	StartTimeout    time.Duration `type:"setting" env:"RESEED_START_TIMEOUT" default:"10m" placeholder:"DURATION" group:"Operation" help:"Time to wait for the database, and for its schema with --migrate=never, when the server starts. 0: for ever."`
	StopDelay       time.Duration `type:"setting" env:"RESEED_STOP_DELAY" default:"0s" placeholder:"DURATION" group:"Operation" help:"Time to go on serving with /readyz at 503 after the signal to stop, for load balancers to notice."`
	Migrate         string        `env:"RESEED_MIGRATE" default:"auto" placeholder:"auto|never" group:"Operation" help:"Whether a start brings an old schema up to date. With never, run reseed migrate beforehand; the server then needs no more than SELECT, INSERT, UPDATE and DELETE."`
	Keep            time.Duration `type:"setting" env:"RESEED_KEEP" default:"720h" placeholder:"DURATION" group:"Operation" help:"How long mails that were sent, dead or dropped, used and expired tokens, and security events are kept, at least 48h. 0: for ever."`

	AuditIdentifiers string `env:"RESEED_AUDIT_IDENTIFIERS" default:"hashed" placeholder:"plain|hashed" group:"Operation" help:"How security events hold the names and addresses that were asked for: as they are, or as a keyed hash. People type passwords where names belong."`
	AuditAddresses   string `env:"RESEED_AUDIT_ADDRESSES" default:"plain" placeholder:"plain|hashed" group:"Operation" help:"How security events and the log hold the addresses of clients."`
}

// operationFaults returns all that is wrong with these settings.
func (c *Config) operationFaults() []fault {
	var faults []fault
	check := func(name string, err error) {
		if err != nil {
			faults = append(faults, fault{name, err})
		}
	}
	if c.AdminListen != "" {
		check("admin-listen", listenFault(c.AdminListen))
	}
	_, err := c.proxies()
	check("trusted-proxies", err)
	check("forwarded-header", oneOf(strings.ToLower(c.ForwardedHeader), "x-forwarded-for", "forwarded"))
	check("client-rate", between(c.rates().Client, 0, 1_000_000))
	check("total-rate", between(c.TotalRate, 0, 10_000_000))
	check("max-in-flight", between(c.MaxInFlight, 1, 100_000))
	check("max-connections", between(c.MaxConnections, 1, 1_000_000))
	check("request-timeout", between(c.RequestTimeout, time.Second, time.Hour))
	check("start-timeout", between(c.StartTimeout, 0, 240*time.Hour))
	check("stop-delay", between(c.StopDelay, 0, time.Hour))
	check("migrate", oneOf(c.Migrate, "auto", "never"))
	check("audit-identifiers", oneOf(c.AuditIdentifiers, "plain", "hashed"))
	check("audit-addresses", oneOf(c.AuditAddresses, "plain", "hashed"))
	if c.Keep != 0 {
		check("keep", between(c.Keep, 48*time.Hour, 100*365*24*time.Hour))
	}
	return faults
}

// defaultClientRate is client-rate where nothing is said.
const defaultClientRate = 600

// rates returns the limits of how much is asked. Nobody needs protection from a
// suite of tests on the machine of a server that mails nothing.
func (c *Config) rates() server.Rates {
	if c.ClientRate != nil {
		return server.Rates{Client: *c.ClientRate, Total: c.TotalRate}
	}
	return server.Rates{Client: defaultClientRate, Total: c.TotalRate, SpareHere: c.SMTP == ""}
}

// operationWarnings are settings that work and are worth a word.
func (c *Config) operationWarnings() []string {
	if c.AdminListen == "" {
		return nil
	}
	if a, err := netip.ParseAddrPort(c.AdminListen); err == nil && a.Addr().IsLoopback() {
		return nil
	}
	if strings.HasPrefix(c.AdminListen, "localhost:") {
		return nil
	}
	return []string{"admin-listen: it has no access control and is open to other machines than this one"}
}

// proxies returns the networks of trusted-proxies.
func (c *Config) proxies() ([]netip.Prefix, error) {
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

package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/store"
)

var (
	sitePrefix = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)
	hostName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`) // of test networks, too
	domain     = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// checks are what a setting's tag check names. Each gets the value as text, and
// says what is wrong with it without repeating a secret. An empty value is
// checked only by those of settings with a default.
var checks = map[string]func(string) error{
	"not-empty":    notEmpty,
	"listen":       checkListen,
	"admin-listen": checkAddress,
	"path":         func(s string) error { return matches(sitePrefix, s, "want a path such as /ps") },
	"host-url":     checkHostURL,
	"time-zone":    func(s string) error { _, err := loadZone(s); return err },
	"text":         checkText,
	"domain":       checkDomain,
	"email":        checkEmail,
	"smtp":         func(s string) error { _, err := mail.ParseURL(s); return withoutPrefix(err, "SMTP server: ") },
	"database":     func(s string) error { return withoutPrefix(store.CheckDSN(s), "database address: ") },
	"folder":       checkFolder,
	"breaches":     checkBreaches,
	"name":         groups.ValidName,
	"networks":     func(s string) error { _, err := (&Config{TrustedProxies: s}).Proxies(); return err },
	"origins":      func(s string) error { _, err := (&Config{AllowOrigins: s}).Origins(); return err },
}

// mayBeEmpty are the checks that an empty value passes, since it means the default.
var mayBeEmpty = []string{"admin-listen", "domain", "email", "smtp", "database", "folder", "name", "networks", "origins", "path", "host-url", "breaches"}

// checkBreaches wants HTTPS, but on this machine: what is asked must not be changed on its way.
func checkBreaches(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && !isLoopback(u.Hostname())) {
		return errors.New("want an https URL to which five digits are appended")
	}
	return nil
}

// check returns what is wrong with a value by its tags.
func (s Setting) check(value reflect.Value) error {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return nil
		}
		value = value.Elem()
	}
	if limits := s.flag.Tag.Get("range"); limits != "" {
		return inRange(value, limits)
	}
	text := fmt.Sprint(value.Interface())
	if value.Kind() == reflect.String {
		text = value.String()
	}
	if len(s.Choices) > 0 {
		if s.flag.Tag.Has("fold") {
			text = strings.ToLower(text)
		}
		return oneOf(text, s.Choices)
	}
	name := s.flag.Tag.Get("check")
	if name == "" || text == "" && slices.Contains(mayBeEmpty, name) {
		return nil
	}
	return checks[name](text)
}

// inRange holds a number or a duration against LOW..HIGH or VALUE, or several of them.
func inRange(value reflect.Value, limits string) error {
	number := func(text string) int64 {
		if value.Type() == reflect.TypeFor[time.Duration]() {
			d, _ := time.ParseDuration(text) // the tags are tested
			return int64(d)
		}
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	}
	for part := range strings.SplitSeq(limits, "|") {
		low, high, found := strings.Cut(part, "..")
		if !found {
			high = low
		}
		if n := value.Int(); n >= number(low) && n <= number(high) {
			return nil
		}
	}
	return fmt.Errorf("%v: want %s", value.Interface(), strings.NewReplacer("..", " to ", "|", " or ").Replace(limits))
}

// together returns what is wrong with settings in their combination; with
// serving, what a server needs and other commands do without.
func (c *Config) together(serving bool, fault func(setting string, err error)) {
	if c.MaxBadLogins < c.MinBadLogins {
		fault("max-bad-logins", errors.New("must not be less than min-bad-logins"))
	}
	if c.MaxAccountLockout < c.MinAccountLockout {
		fault("max-account-lockout", errors.New("must not be less than min-account-lockout"))
	}
	if !serving {
		return
	}
	if c.KeyFile == "" && c.Key == "" {
		fault("key-file", errors.New("required with MySQL or MariaDB, so that all servers share the key"))
	}
	if c.SMTP == "" {
		return
	}
	if host := hostOf(c.HostURL); c.hostURLDerived && (host == "localhost" || isLoopback(host)) {
		fault("host-url", fmt.Errorf("required with smtp: links in mails would lead to %s, which only this machine reaches", c.HostURL))
	}
	if c.EmailDomain == "" {
		fault("email-domain", errors.New("required with smtp, unless the host of host-url is a domain name"))
	}
	if relay, err := mail.ParseURL(c.SMTP); err == nil && relay.User != "" && c.SMTPPassword == "" && c.SMTPTokenFile == "" && c.SMTPTokenCommand == "" {
		fault("smtp", errors.New("names a user, but there is no password in RESEED_SMTP_PASSWORD or smtp-password-file, and no smtp-token-file or smtp-token-command"))
	}
}

// warnings are settings that work but deserve attention.
func (c *Config) warnings() []string {
	var w []string
	if relay, err := mail.ParseURL(c.SMTP); c.SMTP != "" && err == nil {
		for _, text := range relay.Warnings() {
			w = append(w, "smtp: "+text)
		}
	}
	if keys, err := mail.LoadDKIM(c.DKIMKeys); c.SMTP != "" && err == nil && keys.Unsigned(c.MailFromAddress) {
		_, domain, _ := strings.Cut(c.MailFromAddress, "@")
		w = append(w, fmt.Sprintf("mail-from-address: mails from %s go out unsigned: %s has DKIM keys of other domains alone; unless the mail server signs, make one with reseed dkim add %s", c.MailFromAddress, c.DKIMKeys, domain))
	}
	if host := hostOf(c.HostURL); c.SMTP == "" && host != "localhost" && !isLoopback(host) {
		w = append(w, "smtp: none is set, so NO MAIL IS SENT: mails to members of "+c.HostURL+" are only captured in "+filepath.Join(c.Data, "mail"))
	}
	if u, err := url.Parse(c.HostURL); err == nil && u.Path != c.SitePrefix {
		w = append(w, fmt.Sprintf("host-url: its path %q is not the site prefix %q; links work only if a proxy maps one to the other", u.Path, c.SitePrefix))
	}
	if c.DevInbox == "everywhere" && c.SMTP == "" {
		w = append(w, "dev-inbox: with everywhere, anyone who reaches this server can read all captured mails and open any account")
	}
	if c.SyncDelivery == "everyone" {
		w = append(w, "sync-delivery: with everyone, the time of an answer tells who has an account")
	}
	if c.MySQL() && store.Unprotected(c.Database.Reveal()) {
		w = append(w, "database: the link to another machine is not protected, and members' password hashes and addresses go over it; leave tls=... out of its address")
	}
	if host, _, err := net.SplitHostPort(c.AdminListen); err == nil && host != "localhost" && !isLoopback(host) {
		w = append(w, "admin-listen: it has no access control and other machines can reach it")
	}
	return w
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
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

func oneOf(text string, choices []string) error {
	if !slices.Contains(choices, text) {
		return fmt.Errorf("%q: want %s", text, strings.Join(choices, " or "))
	}
	return nil
}

func withoutPrefix(err error, prefix string) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(err.Error(), prefix))
}

func checkListen(addr string) error {
	if path, found := strings.CutPrefix(addr, "unix:"); found {
		if !filepath.IsAbs(path) || len(path) > 100 {
			return errors.New("want unix: and an absolute path of at most 100 bytes")
		}
		return nil
	}
	return checkAddress(addr)
}

func checkAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q: want host:port", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: want a port from 0 to 65535", addr)
	}
	return nil
}

func checkHostURL(raw string) error {
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

// validDomain reports whether s is a domain name. Its last part holds a letter,
// so that no IP address passes.
func validDomain(s string) bool { return len(s) <= 253 && domain.MatchString(s) }

func checkDomain(s string) error {
	if !validDomain(s) {
		return fmt.Errorf("%q: want a domain name such as example.org", s)
	}
	return nil
}

func checkText(s string) error {
	if s == "" || len(s) > 200 || !mail.ValidName(s) {
		return errors.New("want 1 to 200 bytes of UTF-8 without control characters and marks that turn the direction of text")
	}
	return nil
}

func checkEmail(s string) error {
	if !mail.ValidAddress(s) {
		return fmt.Errorf("%q: want an address such as pageseeder@example.org", s)
	}
	return nil
}

func checkFolder(s string) error {
	if !isFolder(s) {
		return fmt.Errorf("%s: no such folder", s)
	}
	return nil
}

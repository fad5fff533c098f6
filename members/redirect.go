package members

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/reseed-project/reseed/fold"
)

// MaxRedirect is the longest redirect URL, in bytes: what the vendor's client
// declares.
const MaxRedirect = 1000

// Allows reports whether a redirect URL leads to an origin of the site's list:
// the same scheme, host and port, written plainly (WEB-11).
func (s WixSite) Allows(target string) bool {
	origin, ok := originOf(target)
	return ok && slices.Contains(s.Redirects, origin)
}

// ParseOrigin reads an origin for a list: http or https, a host, perhaps a
// port, and nothing behind them. It returns it the way browsers write origins.
func ParseOrigin(s string) (string, error) {
	origin, ok := originOf(s)
	if !ok || !slices.Contains([]string{origin, origin + defaultPort(origin)}, strings.TrimSuffix(fold.ASCII(s), "/")) {
		return "", errors.New("want an origin such as https://app.example.org")
	}
	return origin, nil
}

// originOf returns scheme, host and port of a URL, without the scheme's own
// port. It takes only URLs that every reader takes apart alike: absolute,
// printable ASCII, no backslash, no user, nothing but a plain host before the path.
func originOf(s string) (string, bool) {
	if len(s) > MaxRedirect || strings.ContainsFunc(s, notPlain) {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Opaque != "" || u.Scheme != "http" && u.Scheme != "https" || !plainHost(u) {
		return "", false
	}
	origin := u.Scheme + "://" + fold.ASCII(u.Host)
	rest, ok := strings.CutPrefix(fold.ASCII(s), origin)
	if !ok || rest != "" && !strings.Contains("/?#", rest[:1]) {
		return "", false
	}
	return strings.TrimSuffix(origin, defaultPort(origin)), true
}

func notPlain(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune("\\\"<>^`{|}", r)
}

func defaultPort(origin string) string {
	if strings.HasPrefix(origin, "https:") {
		return ":443"
	}
	return ":80"
}

// plainHost accepts a name or an IP address, with or without a port.
func plainHost(u *url.URL) bool {
	name := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		ip, err := netip.ParseAddr(name)
		return err == nil && ip.Zone() == "" && !strings.HasSuffix(u.Host, ":")
	}
	return name != "" && !strings.HasSuffix(u.Host, ":") &&
		strings.Trim(fold.ASCII(name), "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

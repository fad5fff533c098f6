package request

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies says whom to believe about where a request comes from.
type Proxies struct {
	// Trusted are the addresses of our own proxies. None: nobody is believed.
	Trusted []netip.Prefix
	// Forwarded takes the header Forwarded (RFC 7239) rather than
	// X-Forwarded-For. Only one is read: a proxy that writes one passes the
	// other on as the client made it up.
	Forwarded bool
}

// Client returns the address that a request comes from: the connection's, or
// if that is a trusted proxy's, the last one in the header that is not. What
// stands left of it may be anybody's invention. A part that is no address ends
// the walk at the proxy that vouched for it.
func (p Proxies) Client(r *http.Request) netip.Addr {
	at := hostAddress(r.RemoteAddr)
	if !p.Trusts(at) {
		return at
	}
	chain := p.chain(r.Header)
	for i := len(chain) - 1; i >= 0; i-- {
		next := hostAddress(chain[i])
		if !next.IsValid() {
			return at
		}
		at = next
		if !p.Trusts(at) {
			return at
		}
	}
	return at
}

// FromHere reports whether a request comes from this machine, and was not only
// handed on by a proxy here, also one that trusted-proxies does not name.
func FromHere(r *http.Request) bool {
	for _, name := range []string{"Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "Cf-Connecting-Ip", "True-Client-Ip", "Fastly-Client-Ip"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	if !hostAddress(r.RemoteAddr).IsLoopback() {
		return false
	}
	if r.Header.Values("X-Forwarded-For") == nil && r.Header.Values("Forwarded") == nil {
		return true
	}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, forwarded := range []bool{false, true} {
		here := Proxies{Trusted: loopback, Forwarded: forwarded}
		if !here.Client(r).IsLoopback() {
			return false
		}
	}
	return true
}

// Trusts reports whether an address is one of our own proxies.
func (p Proxies) Trusts(a netip.Addr) bool {
	for _, prefix := range p.Trusted {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// chain returns the header's addresses as they stand, leftmost first.
func (p Proxies) chain(h http.Header) []string {
	if !p.Forwarded {
		return strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	}
	var chain []string
	for _, element := range splitQuoted(strings.Join(h.Values("Forwarded"), ","), ',') {
		chain = append(chain, forwardedFor(element))
	}
	return chain
}

// forwardedFor returns the "for" of an element of Forwarded, "" if there is none.
func forwardedFor(element string) string {
	for _, pair := range splitQuoted(element, ';') {
		name, value, _ := strings.Cut(pair, "=")
		if strings.EqualFold(strings.TrimSpace(name), "for") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// splitQuoted splits at a separator that does not stand in quotes. If a quote
// never ends, none counts: a client that leaves one open must not hide what the
// proxies write behind it.
func splitQuoted(s string, separator byte) []string {
	parts, open := splitOutside(s, separator, '"')
	if open {
		parts, _ = splitOutside(s, separator, 0)
	}
	return parts
}

// splitOutside splits at separators outside of quotes, and reports whether the
// last quote was left open.
func splitOutside(s string, separator, quote byte) (parts []string, open bool) {
	start := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && open:
			i++
		case s[i] == quote && quote != 0:
			open = !open
		case s[i] == separator && !open:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:]), open
}

// hostAddress reads an address with or without a port and brackets; the zero
// Addr if it is none. IPv4 in IPv6 is IPv4, and zones don't count.
func hostAddress(s string) netip.Addr {
	s = strings.TrimSpace(s)
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		s = strings.TrimSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// Network returns what a limit counts as one client: an IPv4 address, or the
// /64 of IPv6, all of which one subscriber may use.
func Network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return prefix.Addr()
}

// LoopbackName reports whether a host, as URLs have it, is this machine
// whoever asks: localhost, a name under it, or a loopback address (RFC 6761).
func LoopbackName(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

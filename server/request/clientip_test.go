package request

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func prefixes(text string) []netip.Prefix {
	var list []netip.Prefix
	for p := range strings.FieldsSeq(text) {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// The client's address is the last one that no trusted proxy has (WEB-12).
func TestClientAddress(t *testing.T) {
	const ours = "10.0.0.0/8 fd00::/8"
	for _, c := range []struct{ name, trusted, remote, header, want string }{
		{"nobody is trusted", "", "192.0.2.1:99", "X-Forwarded-For: 198.51.100.7", "192.0.2.1"},
		{"a stranger's header", ours, "192.0.2.1:99", "X-Forwarded-For: 198.51.100.7", "192.0.2.1"},
		{"one proxy", ours, "10.0.0.1:99", "X-Forwarded-For: 198.51.100.7", "198.51.100.7"},
		{"what the client made up stands left", ours, "10.0.0.1:99", "X-Forwarded-For: 1.2.3.4, 198.51.100.7", "198.51.100.7"},
		{"a made-up proxy stands left", ours, "10.0.0.1:99", "X-Forwarded-For: 10.9.9.9, 198.51.100.7", "198.51.100.7"},
		{"two proxies", ours, "10.0.0.1:99", "X-Forwarded-For: 1.2.3.4, 198.51.100.7, 10.0.0.2", "198.51.100.7"},
		{"several headers are one list", ours, "10.0.0.1:99", "X-Forwarded-For: 1.2.3.4\nX-Forwarded-For: 198.51.100.7\nX-Forwarded-For: 10.0.0.2", "198.51.100.7"},
		{"no header", ours, "10.0.0.1:99", "", "10.0.0.1"},
		{"all trusted", ours, "10.0.0.1:99", "X-Forwarded-For: 10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{"rubbish last", ours, "10.0.0.1:99", "X-Forwarded-For: 198.51.100.7, unknown", "10.0.0.1"},
		{"rubbish behind a proxy", ours, "10.0.0.1:99", "X-Forwarded-For: 198.51.100.7, , 10.0.0.2", "10.0.0.2"},
		{"with ports", ours, "10.0.0.1:99", "X-Forwarded-For: 198.51.100.7:4711", "198.51.100.7"},
		{"IPv6", ours, "[fd00::1]:99", "X-Forwarded-For: 2001:db8::7", "2001:db8::7"},
		{"IPv6 with a port", ours, "[fd00::1]:99", "X-Forwarded-For: [2001:db8::7]:4711", "2001:db8::7"},
		{"IPv4 in IPv6 is IPv4", ours, "[::ffff:10.0.0.1]:99", "X-Forwarded-For: ::ffff:198.51.100.7", "198.51.100.7"},
		{"a zone", ours, "[fd00::1%eth0]:99", "X-Forwarded-For: fe80::1%eth0", "fe80::1"},
		{"the header that isn't read", ours, "10.0.0.1:99", "Forwarded: for=198.51.100.7", "10.0.0.1"},
	} {
		check(t, c.name, Proxies{Trusted: prefixes(c.trusted)}, c.remote, c.header, c.want)
	}
	for _, c := range []struct{ name, header, want string }{
		{"plain", "Forwarded: for=198.51.100.7", "198.51.100.7"},
		{"RFC 7239", `Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43, For="[2001:db8:cafe::17]:4711";proto=https`, "2001:db8:cafe::17"},
		{"separators in quotes", `Forwarded: for=192.0.2.60;host="a,for=10.0.0.9;b\",c"`, "192.0.2.60"},
		{"an obfuscated one", "Forwarded: for=192.0.2.60, for=_hidden", "10.0.0.1"},
		{"no for", "Forwarded: for=192.0.2.60, proto=https", "10.0.0.1"},
		{"a proxy before", "Forwarded: for=192.0.2.60, for=10.0.0.2", "192.0.2.60"},
		{"a quote left open", `Forwarded: for=1.2.3.4;x=", for=192.0.2.60`, "192.0.2.60"},
		{"a quote left open before another", `Forwarded: for=1.2.3.4;x=", for="[2001:db8::7]:4711";proto="https"`, "2001:db8::7"},
		{"a quote left open in a header of its own", "Forwarded: for=1.2.3.4;x=\"\\\nForwarded: for=192.0.2.60", "192.0.2.60"},
		{"the header that isn't read", "X-Forwarded-For: 192.0.2.60", "10.0.0.1"},
	} {
		check(t, c.name, Proxies{Trusted: prefixes(ours), Forwarded: true}, "10.0.0.1:99", c.header, c.want)
	}
}

func check(t *testing.T, name string, p Proxies, remote, header, want string) {
	t.Helper()
	if got := p.Client(requestFrom(remote, header)); got.String() != want {
		t.Errorf("%s: %s, want %s", name, got, want)
	}
}

func requestFrom(remote, header string) *http.Request {
	r := &http.Request{RemoteAddr: remote, Header: http.Header{}}
	for line := range strings.SplitSeq(header, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			r.Header.Add(name, value)
		}
	}
	return r
}

// Whatever a client sends, it is believed in nothing: not where it comes by
// itself, and not in front of what our proxy adds.
func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{"198.51.100.7", "1.2.3.4, 10.0.0.2", `for="[::1]:80";by=x, for=_y`, `"`, `\`, ",,,", "for=\"a\\\"", "[", "[]:", `for=1.2.3.4;x="`} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, value string, forwarded bool) {
		p := Proxies{Trusted: prefixes("10.0.0.0/8"), Forwarded: forwarded}
		name, added := "X-Forwarded-For", []string{"198.51.100.7"}
		if forwarded {
			name, added = "Forwarded", []string{"for=198.51.100.7", `for="198.51.100.7:4711";proto="https"`}
		}
		value = name + ": " + strings.ReplaceAll(value, "\n", " ")
		if got := p.Client(requestFrom("10.0.0.1:99", value)); !got.IsValid() {
			t.Fatalf("no address from %q", value)
		}
		if stranger := p.Client(requestFrom("192.0.2.1:99", value)); stranger.String() != "192.0.2.1" {
			t.Fatalf("a stranger is believed: %s from %q", stranger, value)
		}
		for _, client := range added {
			for _, between := range []string{", ", ",", "\n" + name + ": "} {
				if got := p.Client(requestFrom("10.0.0.1:99", value+between+client)); got.String() != "198.51.100.7" {
					t.Fatalf("%q in front of %q makes it %s", value, client, got)
				}
			}
		}
	})
}

// TestProxiesAreSeenByAnyHeader holds that a request which a proxy on this
// machine handed on is not taken for one of its own, whichever header that
// proxy writes.
func TestProxiesAreSeenByAnyHeader(t *testing.T) {
	for _, name := range []string{"", "X-Real-IP", "CF-Connecting-IP", "Via", "X-Forwarded-For", "Forwarded", "True-Client-IP"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "127.0.0.1:4000"
		if name == "Forwarded" {
			r.Header.Set(name, "for=192.0.2.1")
		} else if name != "" {
			r.Header.Set(name, "192.0.2.1")
		}
		if got := FromHere(r); got != (name == "") {
			t.Errorf("with %q: %v", name, got)
		}
	}
}

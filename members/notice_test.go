package members

import (
	"net/netip"
	"testing"
)

func TestNoticeTellsWhereARequestCameFrom(t *testing.T) {
	for address, want := range map[string]map[NoticeClients]string{
		"203.0.113.77":        {ClientsPlain: "203.0.113.77", ClientsShortened: "203.0.113.0/24", "": "203.0.113.0/24", ClientsUntold: ""},
		"::ffff:203.0.113.77": {ClientsPlain: "203.0.113.77", ClientsShortened: "203.0.113.0/24", ClientsUntold: ""},
		"2001:db8:1:2:3::9":   {ClientsPlain: "2001:db8:1:2:3::9", ClientsShortened: "2001:db8:1:2::/64", ClientsUntold: ""},
		"fe80::1%eth0":        {ClientsPlain: "fe80::1", ClientsShortened: "fe80::/64", ClientsUntold: ""},
	} {
		for how, want := range want {
			if got := how.tell(netip.MustParseAddr(address)); got != want {
				t.Errorf("%s, %q: %q, want %q", address, how, got, want)
			}
		}
	}
	for _, how := range []NoticeClients{ClientsPlain, ClientsShortened, ClientsUntold} {
		if got := how.tell(netip.Addr{}); got != "" {
			t.Errorf("a command, %s: %q", how, got)
		}
	}
}

package members

import (
	"context"
	"net/netip"
)

// NoticeClients is how notices tell where the request came from that they tell of.
type NoticeClients string

// The address as it is, its network alone, or nothing.
const (
	ClientsPlain     NoticeClients = "plain"
	ClientsShortened NoticeClients = "shortened"
	ClientsUntold    NoticeClients = "none"
)

// bitsTold is how much of an IPv4 address is told if it is shortened; of an IPv6
// address it is bitsOfClient.
const bitsTold = 24

// tell returns what a notice says about a client's address, "" for nothing.
func (c NoticeClients) tell(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid() || c == ClientsUntold:
		return ""
	case c == ClientsPlain:
		return a.String()
	}
	bits := bitsTold
	if a.Is6() {
		bits = bitsOfClient
	}
	network, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return network.String()
}

// newNotice completes an order for a mail without a token, which tells of what
// the request did. Only what the mail says about the client is stored.
func (s *Service) newNotice(ctx context.Context, o Order) (Order, error) {
	o.Options.Client = s.NoticeClients.tell(OriginOf(ctx).Client)
	return s.newOrder(o, 0)
}

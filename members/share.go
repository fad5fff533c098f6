package members

import (
	"context"
	"net/netip"
	"strconv"

	"github.com/reseed-project/reseed/password"
)

// bitsOfClient is how much of an IPv6 address stands for one client: whoever
// has one address has the rest of its /64.
const bitsOfClient = 64

// asClient returns a context in which passwords are hashed on behalf of the
// network that the request came from.
func asClient(ctx context.Context) context.Context {
	return password.WithShare(ctx, password.Share{Client: clientOf(OriginOf(ctx).Client)})
}

func clientOf(a netip.Addr) string {
	a = a.Unmap()
	if !a.Is6() {
		return a.String()
	}
	network, err := a.WithZone("").Prefix(bitsOfClient)
	if err != nil {
		return a.String()
	}
	return network.String()
}

// beforeHashing runs what finds out whether somebody may set a password. It
// returns F004 at once if too many are about to for one more to be served.
func (s *Service) beforeHashing(ctx context.Context, token password.TokenHash, look func() error) error {
	withdraw, err := s.Hasher.Announce(asClient(ctx), token)
	if err != nil {
		return hashingFault(err)
	}
	defer withdraw()
	return look()
}

// asMember returns a context in which passwords are hashed before those of
// strangers: on behalf of a member who has shown a valid token or session.
func asMember(ctx context.Context, m Member) context.Context {
	return password.WithShare(ctx, password.Share{Vouched: true, Client: strconv.FormatInt(m.ID, 10)})
}

package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/reseed-project/reseed/password"
)

// secondStep is the variant in which passwords are set by mailed tokens.
const secondStep = ", step 2"

// The second step is measured by fewer clients, each with many passwords to set.
const (
	secondClients = 8
	secondTokens  = 20_000
)

// asSecondStep returns the options of that variant: each member gets one token,
// since a new password ends a member's others.
func (o options) asSecondStep() options {
	o.idle, o.quiet = 0, true
	o.clients, o.members, o.tokens = secondClients, secondTokens, secondTokens
	return o
}

// hashing is one client of the bare loop: argon2id and nothing else.
type hashing struct{ *password.Hasher }

func (h hashing) do(ctx context.Context, n int64) error {
	_, err := h.Hash(ctx, secondPassword(n))
	return err
}

// Close has nothing to close.
func (hashing) Close() error { return nil }

// patient is a client that waits after it was refused, as one is where hashes
// would have to wait for longer than a second.
type patient struct{ *httpClient }

func (p patient) do(ctx context.Context, n int64) error {
	err := p.httpClient.do(ctx, n)
	if err != nil {
		pause(ctx, time.Second/10)
	}
	return err
}

// secondPassword is one that the policy takes.
func secondPassword(n int64) string { return fmt.Sprintf("quail-%d-Lantern-ferry", n) }

// secondSubjects are the bare hash, and requests that set a password.
func secondSubjects(s *running) ([]subject, error) {
	hasher, err := password.NewHasher(password.Config{Params: password.DefaultParams()})
	if err != nil {
		return nil, err
	}
	var used atomic.Int64
	return []subject{
		{"bare", func(context.Context) (worker, error) { return hashing{hasher}, nil }},
		{"member", func(ctx context.Context) (worker, error) {
			c, err := dial(ctx, "http://"+s.addr+"/members/resetpassword", func(n int64) string {
				i := int(used.Add(1)-1) % len(s.tokens)
				return fmt.Sprintf("email=user%d%%40example.org&token=%s&member-password=%s", i, s.tokens[i], secondPassword(n))
			})
			return patient{c}, err
		}},
	}, nil
}

// addTokens adds mails that were sent a minute ago, one for each member, and
// returns their tokens.
func addTokens(ctx context.Context, dir, dsn, keyFile string, o options) ([]string, error) {
	if o.tokens == 0 {
		return nil, nil
	}
	f, err := openFiller(dir, dsn, keyFile, o.members)
	if err != nil {
		return nil, err
	}
	defer f.db.Close()
	f.keep = true
	err = f.add(ctx, o.tokens, "sent", time.Now().UTC().Truncate(time.Millisecond).Add(-time.Duration(o.tokens)*fillStep-time.Minute))
	return f.tokens, err
}

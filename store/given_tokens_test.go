package store_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// refreshToken is a token of the client and its member, valid for an hour.
func refreshToken(text string, c members.Client) members.OAuthRefreshToken {
	return members.OAuthRefreshToken{
		Token: tokenHash(text), Client: c.ID, Member: c.Member, Created: noon, Expires: noon.Add(time.Hour),
	}
}

// given are an access token and a refresh token of a client.
func given(text string, c members.Client, spends ...string) members.GivenTokens {
	g := members.GivenTokens{
		Access:  members.AccessToken{Token: tokenHash(text), Client: c.ID, Member: c.Member, Created: noon, Expires: noon.Add(time.Hour)},
		Refresh: refreshToken(text+"-refresh", c),
	}
	for _, s := range spends {
		g.Spends = tokenHash(s)
	}
	return g
}

func (e *env) hasRefresh(text string) bool {
	e.t.Helper()
	r, err := e.FindRefreshToken(e.t.Context(), tokenHash(text))
	if err != nil {
		e.t.Fatal(err)
	}
	return r.Client != ""
}

// Tokens come all or none; a refresh token is spent once, by its own client and
// before its end.
func TestGiveTokens(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		mine, theirs := e.client("00000000000000aa", e.member("a", "")), e.client("Moved.from=elsewhere", e.member("b", ""))
		for name, c := range map[string]members.Client{"one": mine, "two": theirs} {
			g := given(name, c)
			if !must(e.GiveTokens(t.Context(), g))(t) || !e.hasAccess(name) {
				t.Fatalf("%s: not given", name)
			}
			if d := cmp.Diff(g.Refresh, must(e.FindRefreshToken(t.Context(), g.Refresh.Token))(t), sameHash); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
		late := given("late", mine, "one-refresh")
		late.Access.Created = noon.Add(time.Hour + time.Microsecond)
		for name, g := range map[string]members.GivenTokens{
			"another client's": given("stolen", mine, "two-refresh"),
			"none such":        given("none", mine, "never was"),
			"ended":            late,
		} {
			if must(e.GiveTokens(t.Context(), g))(t) {
				t.Errorf("%s: given", name)
			}
		}
		if e.hasAccess("stolen") || e.hasAccess("none") || e.hasAccess("late") || e.hasRefresh("stolen-refresh") || !e.hasRefresh("two-refresh") {
			t.Error("a refusal changed something")
		}
		if !must(e.GiveTokens(t.Context(), given("next", mine, "one-refresh")))(t) || e.hasRefresh("one-refresh") || !e.hasRefresh("next-refresh") {
			t.Error("want the refresh token spent and another one there")
		}
		alone := given("alone", mine)
		alone.Refresh = members.OAuthRefreshToken{}
		if !must(e.GiveTokens(t.Context(), alone))(t) || !e.hasAccess("alone") || e.hasRefresh("alone-refresh") {
			t.Error("want an access token alone")
		}
	})
}

// Of uses of one refresh token at a time, one gets tokens.
func TestOneRefreshTokenHasOneWinner(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		c := e.client("00000000000000aa", e.member("a", ""))
		must(e.GiveTokens(t.Context(), given("first", c)))(t)
		var won atomic.Int64
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				ok, err := e.GiveTokens(t.Context(), given(fmt.Sprint(i), c, "first-refresh"))
				if err != nil {
					t.Error(err)
				}
				if ok {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d winners", won.Load())
		}
	})
}

// Tokens that a member signed in for are only given while that password and
// standing hold: no token outlives a reset that came in between.
func TestNoTokenOutlivesAReset(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		c := e.client("00000000000000aa", m)
		g := given("before", c)
		g.Proven = m.Password
		if !must(e.GiveTokens(t.Context(), g))(t) {
			t.Fatal("not given")
		}
		if !e.complete(completion(e.order(m.ID))) {
			t.Fatal("not completed")
		}
		g = given("after", c)
		g.Proven = m.Password
		if must(e.GiveTokens(t.Context(), g))(t) || e.hasAccess("after") || e.hasAccess("before") || e.hasRefresh("before-refresh") {
			t.Error("a token outlives the reset")
		}
		for round := range 20 {
			m := e.member(fmt.Sprintf("m%d", round), "")
			c := e.client(fmt.Sprintf("%016d", round), m)
			change := completion(e.order(m.ID))
			g := given(m.Username, c)
			g.Proven = m.Password
			done := make(chan error, 1)
			go func() {
				_, err := e.GiveTokens(t.Context(), g)
				done <- err
			}()
			if !e.complete(change) {
				t.Fatal("not completed")
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if e.hasAccess(m.Username) || e.hasRefresh(m.Username+"-refresh") {
				t.Fatalf("round %d: a token outlives the reset", round)
			}
		}
	})
}

// Refresh tokens go when they have ended, no more than asked for, and the oldest
// first (LOG-6).
func TestPurgeRefreshTokens(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		c := e.client("00000000000000aa", e.member("a", ""))
		for i, text := range []string{"1", "2", "3", "4"} {
			g := given(text, c)
			g.Refresh.Expires = noon.Add(time.Duration(i) * time.Minute)
			must(e.GiveTokens(t.Context(), g))(t)
		}
		if n := must(e.PurgeRefreshTokens(t.Context(), noon, 10))(t); n != 0 {
			t.Errorf("%d purged that are good", n)
		}
		cut := noon.Add(2*time.Minute + time.Second)
		if n := must(e.PurgeRefreshTokens(t.Context(), cut, 2))(t); n != 2 || e.hasRefresh("1-refresh") || !e.hasRefresh("3-refresh") {
			t.Errorf("%d purged, want the two oldest", n)
		}
		if n := must(e.PurgeRefreshTokens(t.Context(), cut, 10))(t); n != 1 || !e.hasRefresh("4-refresh") {
			t.Errorf("%d purged, want the third alone", n)
		}
	})
}

// The order of a registration that comes to nothing is kept where a new member's
// is, in the same index, but for nobody.
func TestRegistrationForNobodyIsKeptAsANewMembers(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		e.member("ann", "ann@example.org")
		var order members.Order
		id, err := e.Register(t.Context(), members.Member{Email: "ann@example.org", Status: members.Unactivated, Created: noon}, true, func(id int64) members.Order {
			order = e.newOrder(id)
			order.Purpose, order.Addressed, order.Stored = password.Activation, false, true
			return order
		})
		if err != nil {
			t.Fatal(err)
		}
		var member int64
		var addressed bool
		row := e.direct().QueryRowContext(t.Context(), "SELECT member_id, addressed FROM mails WHERE id = ?", order.ID[:])
		if err := row.Scan(&member, &addressed); err != nil || member != id || addressed {
			t.Errorf("kept with member %d, addressed %v, want %d and not; %v", member, addressed, id, err)
		}
		if found := must(e.FindToken(t.Context(), order.Token))(t); found.MemberID != 0 {
			t.Errorf("its token is member %d's", found.MemberID)
		}
	})
}

// Registrations that came to nothing go, no more than asked for; members stay,
// whatever their letters, and those without an address, too.
func TestPurgeDecoys(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		var kept []members.Member
		for _, name := range []string{"0", "Anna", "zoe", "\u00e9va", "~x"} {
			kept = append(kept, e.member(name, ""))
		}
		kept = append(kept, e.member("", "0@example.org"), e.member("", "Zoe@example.org"))
		register := func(username, email string, taken bool, created time.Time) int64 {
			m := members.Member{Username: username, Email: email, Status: members.Unactivated, Password: "$x", Created: created}
			id, err := e.Register(t.Context(), m, taken, func(id int64) members.Order {
				o := e.newOrder(id)
				o.Purpose, o.Addressed = password.Activation, !taken
				return o
			})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		young := register("", "0@example.org", true, noon)
		var old []int64
		for i := range 3 {
			old = append(old, register(strings.Repeat("x", i), "0@example.org", true, noon.Add(-time.Hour)))
		}
		waiting := register("real", "real@example.org", false, noon.Add(-time.Hour))
		cut := noon.Add(-time.Minute)
		if n := must(e.PurgeDecoys(t.Context(), cut, 2))(t); n != 2 {
			t.Errorf("%d purged, want 2", n)
		}
		if n := must(e.PurgeDecoys(t.Context(), cut, 10))(t); n != 1 {
			t.Errorf("%d purged, want the third", n)
		}
		for _, id := range old {
			if !e.get(id).Zero() {
				t.Errorf("registration %d is left", id)
			}
		}
		for _, m := range append(kept, members.Member{ID: waiting}, members.Member{ID: young}) {
			if e.get(m.ID).Zero() {
				t.Errorf("member %d %q went", m.ID, m.Username)
			}
		}
	})
}

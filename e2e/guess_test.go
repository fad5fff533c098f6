package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

const withGoodPassword = "&member-password=" + goodPassword

// Thousands of wrong tokens for a member, the right one but for a character
// among them, lock nobody out, change nothing and leave the token good
// (TOK-13, LOD-7).
func TestGuessesBurnNobodysToken(t *testing.T) {
	t.Parallel()
	for name, tries := range map[string]int{"sqlite": 10_000, "mariadb": 1_000} {
		t.Run(name, func(t *testing.T) {
			c := siteConfig{}
			if name == "mariadb" {
				c.dsn = testDSN(t)
			}
			site := startSite(t, c)
			token := site.mailedToken(t, "ann@example.org")
			site.guess(t, tries, token)
			m := site.find(t, "ann")
			if m.Locked || !m.LockedUntil.IsZero() || m.FailedSignIns != 0 || !m.LastPasswordChange.IsZero() {
				t.Errorf("guesses changed the member: %+v", m)
			}
			if _, err := site.Members.SignIn(t.Context(), "ann", "old-Garden-12-gate"); err != nil {
				t.Errorf("the member is locked out: %v", err)
			}
			w := site.send(t, [3]string{"POST", "/members/resetpassword", "email=ann@example.org&token=" + token + withGoodPassword}, anybody)
			if w.Code != http.StatusOK {
				t.Errorf("the token is burnt: %d %s", w.Code, w.Body)
			}
		})
	}
}

// Whatever secret is guessed, and wherever: it counts for ten against whoever tries.
func TestEveryGuessCountsForTen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call [3]string
		sign func(*http.Request)
	}{
		"reset token":    {[3]string{"POST", "/members/resetpassword", "email=ann@example.org&token=x" + withGoodPassword}, anybody},
		"member's token": {[3]string{"GET", "/members/ann?token=x", ""}, anybody},
		"password":       {[3]string{"POST", "/authenticate", "action=login&username=ann&password=wrong"}, anybody},
		"session":        {[3]string{"GET", "/self", ""}, withSession("x")},
		"access token":   {[3]string{"GET", "/version", ""}, withBearer("x")},
		"client secret":  {[3]string{"POST", "/ps/oauth/token", "grant_type=client_credentials&client_id=x&client_secret=x"}, anybody},
		"API key":        {[3]string{"POST", "/members/v1/auth/members/send-set-password-email", "{}"}, anybody},
		"recovery token": {[3]string{"POST", "/_iam/recovery/v1/recover", `{"recoveryToken":"x","password":"violet-Harbor-93"}`}, anybody},
	} {
		site := startSite(t, siteConfig{settings: "client-rate = 30\n"})
		var got []int
		for range 4 {
			got = append(got, site.send(t, c.call, c.sign).Code)
		}
		if got[2] == http.StatusTooManyRequests || got[3] != http.StatusTooManyRequests {
			t.Errorf("%s: guesses get %v, want the fourth refused", name, got)
		}
	}
}

// guess tries wrong tokens for ann in all ways that there are.
func (s *testSite) guess(t *testing.T, tries int, token string) {
	t.Helper()
	ways := []func(guess string) [3]string{ // the later ones cost more, and come less often
		func(g string) [3]string {
			return [3]string{"POST", "/members/resetpassword", "email=ann@example.org&token=" + g + withGoodPassword}
		},
		func(g string) [3]string {
			return [3]string{"POST", "/groups/acme-specs/members/resetpassword", "member-username=ann&token=" + g + withGoodPassword}
		},
		func(g string) [3]string { return [3]string{"GET", "/members/ann?token=" + g, ""} },
		func(g string) [3]string { return [3]string{"GET", "/ps/email/changepassword?member=2&token=" + g, ""} },
		func(g string) [3]string {
			return [3]string{"POST", "/ps/email/changepassword", "member=2&token=" + g + withGoodPassword + "&member-password-again=" + goodPassword}
		},
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < tries; i += 8 {
				way := i % 3
				if i%50 == 0 {
					way = i / 50 % len(ways)
				}
				call := ways[way](wrongToken(token, i))
				if w := s.send(t, call, anybody); w.Code == http.StatusOK || w.Code >= 500 {
					t.Errorf("%v: %d %s", call, w.Code, w.Body)
				}
			}
		})
	}
	wg.Wait()
}

// wrongToken returns a token that differs from the right one, every other time
// in one character alone.
func wrongToken(token string, i int) string {
	if i%2 == 0 {
		return fmt.Sprintf("%032d", i)
	}
	b := []byte(token)
	at := i / 2 % len(b)
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	b[at] = alphabet[(strings.IndexByte(alphabet, b[at])+1+i/2/len(b)%63)%64]
	return string(b)
}

// No order of steps leads to a change without a token that was mailed for it
// (TOK-15): every mixture of parameters, at every service that sets a password,
// before any request and after somebody else's.
func TestNoChangeWithoutAMailedToken(t *testing.T) {
	t.Parallel()
	for _, compat := range []string{"5", "6"} {
		site := startSite(t, siteConfig{settings: "compat = " + compat + "\nmails-per-hour = 100\n"})
		check := func(tokens ...string) {
			t.Helper()
			before := site.rows(t)["members"]
			for _, call := range mixtures(tokens) {
				if w := site.send(t, call, anybody); strings.Contains(w.Body.String(), "password-changed") || w.Code >= 500 {
					t.Errorf("compat %s: %v: %d %s", compat, call, w.Code, w.Body)
				}
			}
			if diff := cmp.Diff(before, site.rows(t)["members"]); diff != "" {
				t.Errorf("compat %s: a member changed:\n%s", compat, diff)
			}
		}
		never := []string{"", "x", "0", "null", strings.Repeat("a", 32), "ART" + strings.Repeat("a", 40), "000000000000000000000000"}
		check(never...)
		site.mailedToken(t, "carl@example.org")
		check(append(never, site.mailedToken(t, "carl@example.org"))...)
		used := site.mailedToken(t, "ann@example.org")
		form := "email=ann@example.org&token=" + used + withGoodPassword
		if w := site.send(t, [3]string{"POST", "/members/resetpassword", form}, anybody); w.Code != http.StatusOK {
			t.Fatalf("the mailed token does not serve: %d %s", w.Code, w.Body)
		}
		check(append(never, used)...)
	}
}

// mixtures returns the calls that might set ann's password, with each token in
// each place, and with none.
func mixtures(tokens []string) [][3]string {
	const ann = "email=ann@example.org"
	var calls [][3]string
	for _, token := range tokens {
		for _, who := range []string{ann, "member-username=ann", ann + "&member-username=ann", "member=2", ""} {
			for _, name := range []string{"token", "key", "token=&key", "key=x&token", "Token", "nothing"} {
				for _, path := range []string{"/members/resetpassword", groupService, "/members/forceresetpassword", "/ps/email/changepassword"} {
					calls = append(calls, [3]string{"POST", path, who + "&" + name + "=" + token + withGoodPassword + "&member-password-again=" + goodPassword})
				}
			}
		}
		calls = append(calls,
			[3]string{"POST", "/members/resetpassword?token=" + token, ann + withGoodPassword},
			[3]string{"POST", "/_iam/recovery/v1/recover", `{"recoveryToken":"` + token + `","password":"` + goodPassword + `"}`},
		)
	}
	return calls
}

// Of a thousand requests for one member a few are mailed, whichever server
// they come to and whether it is started anew in between (LOD-5, LOD-6).
func TestFloodOfRequestsMailsFew(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		tries := 1000
		if dsn == "" {
			tries = 100 // each is made durable
		}
		site := startSite(t, siteConfig{dsn: dsn})
		ask := func(h http.Handler, n int) {
			t.Helper()
			for range n {
				if w := (&testSite{App: &app.App{Handler: h}}).send(t, [3]string{"POST", "/members/resetpassword", "email=ann@example.org"}, anybody); w.Code != http.StatusOK {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		}
		ask(site.Handler, tries-10)
		stop := startWorker(t, site)
		site.settled(t)
		stop()
		again := site.second(t) // knows nothing of what the first one did
		ask(again.Handler, 10)
		stop = startWorker(t, &testSite{App: again})
		site.settled(t)
		stop()
		counts, err := site.Store.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := map[mail.State]int{mail.Sent: 5, mail.Dropped: tries - 5}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Errorf("mails (-want +got):\n%s", diff)
		}
	})
}

// settled waits until every order is done with.
func (s *testSite) settled(t *testing.T) {
	t.Helper()
	eventually(t, 5*time.Minute, func() (bool, string) {
		counts, err := s.Store.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return counts[mail.New]+counts[mail.Pending]+counts[mail.Sending] == 0, fmt.Sprintf("mails are left: %v", counts)
	})
}

// However many failures an operator allows, and however many locks come and go,
// a password stands a hundred failures in a row at most: one client may have 99 of
// them, and is the only one that is locked out; with the hundredth of several the
// password opens nothing until it is set anew (LOD-8).
func TestAHundredFailuresAtMost(t *testing.T) {
	for name, settings := range map[string]string{
		"many before a lock": "min-bad-logins = 100\nmax-bad-logins = 100\n", "many locks": "min-bad-logins = 4\nmax-bad-logins = 7\n",
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, dsn string) { hundredFailures(t, siteConfig{dsn: dsn, settings: settings}) })
		})
	}
}

func hundredFailures(t *testing.T, c siteConfig) {
	site := startSite(t, c)
	signIn := func(client, pw string) bool {
		ctx := members.WithOrigin(t.Context(), members.Origin{Client: netip.MustParseAddr(client)})
		_, err := site.Members.SignIn(ctx, "ann", pw)
		return err == nil
	}
	const right, attacker, home = "old-Garden-12-gate", "192.0.2.1", "2001:db8::1"
	fail := func(n int, clients ...string) {
		t.Helper()
		for i := range n {
			if signIn(clients[i%len(clients)], "wrong") {
				t.Fatal("signed in")
			}
			site.clock.advance(t, "31m")
		}
	}
	fail(98, attacker)
	if !signIn(attacker, right) {
		t.Error("locked before the 99th failure in a row")
	}
	fail(99, attacker)
	if signIn(attacker, right) {
		t.Error("a client goes on after 99 failures in a row")
	}
	if !signIn(home, right) {
		t.Error("the failures of one client lock another out")
	}
	site.clock.advance(t, "31m")
	fail(99, attacker, home)
	if !signIn(home, right) {
		t.Error("locked before the hundredth failure in a row")
	}
	site.clock.advance(t, "31m")
	fail(100, attacker, home)
	if signIn(attacker, right) || signIn(home, right) || signIn("198.51.100.1", right) {
		t.Error("the right password opens the account after a hundred failures in a row")
	}
	site.clock.advance(t, "8760h")
	if signIn(home, right) {
		t.Error("a lock that lasts until the password is set anew has ended")
	}
	ctx := members.WithOrigin(t.Context(), members.Origin{Client: netip.MustParseAddr(attacker)})
	if other, err := site.Members.SignIn(ctx, "carl", "old-Kettle-56-spoon"); err != nil || other.Zero() {
		t.Errorf("another member is locked: %v", err)
	}
	site.deliver(t) // what tells of the locks
	form := "email=ann@example.org&token=" + site.mailedToken(t, "ann@example.org") + withGoodPassword
	if w := site.send(t, [3]string{"POST", "/members/resetpassword", form}, anybody); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if !signIn(home, goodPassword) || !signIn(attacker, goodPassword) {
		t.Error("a reset doesn't unlock")
	}
}

// A member is told by mail of the first lock of a row of failures, and of the one
// that lasts, not of those between. For a name that nobody has, the same orders
// are placed, and dropped (ENU-3, LOD-8).
func TestMemberIsToldOfALock(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "min-bad-logins = 5\nmax-bad-logins = 5\n"})
		orders := map[string][]int{}
		for _, name := range []string{"ann", "nobody"} {
			for i := range 120 {
				before := len(site.mails(t, ""))
				client := netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 2)})
				ctx := members.WithOrigin(t.Context(), members.Origin{Client: client})
				if _, err := site.Members.SignIn(ctx, name, "wrong"); err == nil {
					t.Fatal("signed in")
				}
				if len(site.mails(t, "")) > before {
					orders[name] = append(orders[name], i+1)
				}
				site.clock.advance(t, "31m")
			}
		}
		if want := []int{5, 100}; !slices.Equal(orders["ann"], want) || !slices.Equal(orders["nobody"], want) {
			t.Errorf("orders after the failures %v, want %v for both", orders, want)
		}
		sent := site.deliver(t)
		if len(sent) != 2 {
			t.Fatalf("%d mails, want 2", len(sent))
		}
		for _, m := range sent {
			if m.To != "ann@example.org" && !strings.Contains(m.To, "<ann@example.org>") || m.Subject != "Failed attempts to sign in" || strings.Contains(m.Text, "token=") {
				t.Errorf("mail to %s: %q\n%s", m.To, m.Subject, m.Text)
			}
		}
	})
}

// No account and no key is there from the start (LOG-8).
func TestNothingIsThereFromTheStart(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{state: "empty"})
	for _, name := range []string{"admin", "administrator", "root", "nobody", "nobody@invalid", "reseed", "0", ""} {
		for _, pw := range []string{"", "admin", "password", "reseed", "changeme", name, strings.Repeat("-", 97)} {
			if _, err := site.Members.SignIn(t.Context(), name, pw); err == nil {
				t.Errorf("signed in as %q with %q", name, pw)
			}
		}
	}
	clients, err := site.Store.ListClients(t.Context())
	keys, errKeys := site.Store.ListKeys(t.Context())
	all, errMembers := site.Store.ListMembers(t.Context(), members.ListFilter{Limit: 10})
	if err := errors.Join(err, errKeys, errMembers); err != nil || len(clients)+len(keys)+len(all) != 0 {
		t.Errorf("%d clients, %d keys, %d members, %v", len(clients), len(keys), len(all), err)
	}
	mails, err := site.Store.Mails(t.Context(), members.MailFilter{})
	for _, m := range mails { // locks of unknown names order what is dropped
		if m.MemberID != 0 {
			t.Errorf("a mail to member %d", m.MemberID)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

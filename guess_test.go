package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reseed/mail"
	"reseed/store"
)

const withGoodPassword = "&member-password=" + goodPassword

// Thousands of wrong tokens for a member, the right one but for a character
// among them, lock nobody out, change nothing and leave the token good
// (TOK-13, LOD-7).
func TestGuessesBurnNobodysToken(t *testing.T) {
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
			if _, err := site.members.SignIn(t.Context(), "ann", "old-Garden-12-gate"); err != nil {
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
	for name, c := range map[string]struct {
		call [3]string
		sign func(*http.Request)
	}{
		"reset token":    {[3]string{"POST", "/members/resetpassword", "email=ann@example.org&token=x" + withGoodPassword}, anybody},
		"member's token": {[3]string{"GET", "/members/ann?token=x", ""}, anybody},
		"password":       {[3]string{"POST", "/authenticate", "action=login&username=ann&password=wrong"}, anybody},
		"session":        {[3]string{"GET", "/version", ""}, withSession("x")},
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
				if w := (&testSite{app: &app{handler: h}}).send(t, [3]string{"POST", "/members/resetpassword", "email=ann@example.org"}, anybody); w.Code != http.StatusOK {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		}
		ask(site.handler, tries-10)
		stop := startWorker(t, site)
		site.settled(t)
		stop()
		again := site.second(t) // knows nothing of what the first one did
		ask(again.handler, 10)
		stop = startWorker(t, &testSite{app: again})
		site.settled(t)
		stop()
		counts, err := site.store.Counts(t.Context())
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
		counts, err := s.store.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return counts[mail.Pending]+counts[mail.Sending] == 0, fmt.Sprintf("mails are left: %v", counts)
	})
}

// However many failures an operator allows, it is a hundred in a row at most
// that are tried against a password; then the right one is refused, too (LOD-8).
func TestAHundredFailuresAtMost(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "min-bad-logins = 100\nmax-bad-logins = 100\n"})
		fail := func(n int) {
			t.Helper()
			for range n {
				if _, err := site.members.SignIn(t.Context(), "ann", "wrong"); err == nil {
					t.Fatal("signed in")
				}
			}
		}
		right := func() bool {
			_, err := site.members.SignIn(t.Context(), "ann", "old-Garden-12-gate")
			return err == nil
		}
		fail(99)
		if !right() {
			t.Error("locked before the hundredth failure")
		}
		fail(100)
		if right() {
			t.Error("the right password is tried after a hundred failures in a row")
		}
		if other, err := site.members.SignIn(t.Context(), "carl", "old-Kettle-56-spoon"); err != nil || other.Zero() {
			t.Errorf("another member is locked: %v", err)
		}
	})
}

// No account and no key is there from the start (LOG-8).
func TestNothingIsThereFromTheStart(t *testing.T) {
	site := startSite(t, siteConfig{state: "empty"})
	for _, name := range []string{"admin", "administrator", "root", "nobody", "nobody@invalid", "reseed", "0", ""} {
		for _, pw := range []string{"", "admin", "password", "reseed", "changeme", name, strings.Repeat("-", 97)} {
			if _, err := site.members.SignIn(t.Context(), name, pw); err == nil {
				t.Errorf("signed in as %q with %q", name, pw)
			}
		}
	}
	clients, err := site.store.ListClients(t.Context())
	keys, errKeys := site.store.ListKeys(t.Context())
	all, errMembers := site.store.ListMembers(t.Context(), 0, 10)
	if err := errors.Join(err, errKeys, errMembers); err != nil || len(clients)+len(keys)+len(all) != 0 {
		t.Errorf("%d clients, %d keys, %d members, %v", len(clients), len(keys), len(all), err)
	}
	if mails, err := site.store.Mails(t.Context(), store.Filter{}); err != nil || len(mails) != 0 {
		t.Errorf("%d mails, %v", len(mails), err)
	}
}

package main

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"reseed/members"
	"reseed/password"
)

// bcryptHash is at the least cost that is taken over.
const (
	bcryptPassword               = "opal-Cactus-12-violin"
	bcryptHash     password.Hash = "$2a$10$CVe8qa5k8SBkAddbQex/FuP2Hi6EAx7TLlPdzR4EFkYIOuOtwGiAC"
)

// Where members come with hashes that take longer, names that nobody has take
// as long: the time of a refused sign-in must not tell who was imported.
func TestImportedHashesTellNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn})
		site.importNamed(t, "imported", 300, members.Activated, bcryptHash)
		site.importNamed(t, "waiting", 9, members.SetPassword, "")
		known := site.refusalTime(t, "imported")
		for _, name := range []string{"stranger", "waiting"} {
			if took := site.refusalTime(t, name); took < known/3 {
				t.Errorf("sign-ins of those with a password are refused after %v, as %s after %v", known, name, took)
			}
		}
	})
}

// A member without a password is let in by nobody's, also not by that of the
// member whose hash stands in; nor is anybody by a hash that can't be read.
func TestOthersPasswordsOpenNothing(t *testing.T) {
	site := startSite(t, siteConfig{})
	site.importNamed(t, "good", 100, members.Activated, bcryptHash)
	site.importNamed(t, "bare", 10, members.Activated, "")
	site.importNamed(t, "broken", 10, members.Activated, bcryptHash)
	if _, err := site.open(t).ExecContext(t.Context(), "UPDATE members SET password_hash = 'x' WHERE username LIKE 'broken%'"); err != nil {
		t.Fatal(err)
	}
	signIn := func(name string) int {
		return site.send(t, [3]string{"POST", "/authenticate", "action=login&password=" + bcryptPassword + "&username=" + name}, anybody).Code
	}
	if got := signIn("good0"); got != http.StatusOK {
		t.Fatalf("the password is answered %d", got)
	}
	for i := range 10 {
		for _, name := range []string{"bare", "broken", "stranger"} {
			if got := signIn(fmt.Sprint(name, i)); got != http.StatusUnauthorized {
				t.Errorf("%s%d: %d", name, i, got)
			}
		}
	}
}

// refusalTime returns the median time of refused sign-ins by names that start alike.
func (s *testSite) refusalTime(t *testing.T, name string) time.Duration {
	t.Helper()
	var times []time.Duration
	for i := range 9 {
		began := time.Now()
		call := [3]string{"POST", "/authenticate", fmt.Sprintf("action=login&password=wrong&username=%s%d", name, i)}
		if w := s.send(t, call, anybody); w.Code != http.StatusUnauthorized {
			t.Fatalf("%s%d: %d %s", name, i, w.Code, w.Body)
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// importNamed adds members with hashes from elsewhere.
func (s *testSite) importNamed(t *testing.T, name string, n int, status members.Status, hash password.Hash) {
	t.Helper()
	var list []members.NewMember
	for i := range n {
		list = append(list, members.NewMember{Member: members.Member{
			Username: fmt.Sprintf("%s%d", name, i), Status: status, Password: hash,
		}})
	}
	if _, err := s.store.AddMembers(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// bcryptHash is at the least cost that is taken over.
const (
	bcryptPassword               = "opal-Cactus-12-violin"
	bcryptHash     password.Hash = "$2a$10$CVe8qa5k8SBkAddbQex/FuP2Hi6EAx7TLlPdzR4EFkYIOuOtwGiAC"
)

// TestImportedHashesTellNobody holds that the time of a refused sign-in doesn't
// tell who was imported with a hash that takes longer, once its kind is known.
func TestImportedHashesTellNobody(t *testing.T) {
	inFullOnBoth(t, testDSN, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, realTime: true})
		site.importNamed(t, "native", 100, members.Activated, cheapHash(t))
		site.importNamed(t, "imported", 20, members.Activated, bcryptHash)
		site.importNamed(t, "waiting", 9, members.SetPassword, "")
		if err := site.Members.LearnHashes(t.Context()); err != nil {
			t.Fatal(err)
		}
		took := site.refusalTimes(t, "imported", "native", "stranger", "waiting")
		for _, each := range took {
			if each < took["imported"]*3/4 || each > took["imported"]*4/3 {
				t.Errorf("median times of refusals: %v", took)
			}
		}
	})
}

func cheapHash(t *testing.T) password.Hash {
	t.Helper()
	h, err := password.NewHasher(password.Config{Params: cheapHashing})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := h.Hash(t.Context(), "opal-Cactus-12-violin")
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// A member without a password is let in by nobody's, also not by that of the
// member whose hash stands in; nor is anybody by a hash that can't be read.
func TestOthersPasswordsOpenNothing(t *testing.T) {
	t.Parallel()
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

// refusalTimes returns the median times of refused sign-ins by names that start
// in the given ways.
func (s *testSite) refusalTimes(t *testing.T, names ...string) map[string]time.Duration {
	t.Helper()
	times := map[string][]time.Duration{}
	for i := range 9 {
		for _, name := range names {
			began := time.Now()
			call := [3]string{"POST", "/authenticate", fmt.Sprintf("action=login&password=wrong&username=%s%d", name, i)}
			if w := s.send(t, call, anybody); w.Code != http.StatusUnauthorized {
				t.Fatalf("%s%d: %d %s", name, i, w.Code, w.Body)
			}
			times[name] = append(times[name], time.Since(began))
		}
	}
	medians := map[string]time.Duration{}
	for name, list := range times {
		slices.Sort(list)
		medians[name] = list[len(list)/2]
	}
	return medians
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
	if _, err := s.Store.AddMembers(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

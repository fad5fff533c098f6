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
const bcryptHash password.Hash = "$2a$10$d0toQBD9WPSe/Zu0Ve5N3O3vKSHI1DPnfI1c61Vg40eVYkxAm3.XS"

// Where members come with hashes that take longer, names that nobody has take
// as long: the time of a refused sign-in must not tell who was imported.
func TestImportedHashesTellNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn})
		site.importNamed(t, "imported", 300)
		known, unknown := site.refusalTime(t, "imported"), site.refusalTime(t, "stranger")
		if unknown < known/3 {
			t.Errorf("members' sign-ins are refused after %v, strangers' after %v", known, unknown)
		}
	})
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
func (s *testSite) importNamed(t *testing.T, name string, n int) {
	t.Helper()
	var list []members.NewMember
	for i := range n {
		list = append(list, members.NewMember{Member: members.Member{
			Username: fmt.Sprintf("%s%d", name, i), Status: members.Activated, Password: bcryptHash,
		}})
	}
	if _, err := s.store.AddMembers(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

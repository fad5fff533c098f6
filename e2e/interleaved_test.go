package e2e

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/reseed-project/reseed/members"
)

// interleaved does something else between what a use case read and what it writes.
type interleaved struct {
	members.Store
	between func()
}

func (i interleaved) ChangeMember(ctx context.Context, c members.MemberChange) (bool, error) {
	i.between()
	return i.Store.ChangeMember(ctx, c)
}

func (i interleaved) ConfirmEmail(ctx context.Context, c members.EmailConfirmation) (bool, error) {
	i.between()
	return i.Store.ConfirmEmail(ctx, c)
}

// between has do run once, before the next write of a change of a member.
func (s *testSite) between(do func()) {
	held := s.Members.Store
	s.Members.Store = interleaved{held, func() {
		s.Members.Store = held
		do()
	}}
}

func byRoot(r *http.Request) { r.SetBasicAuth("root", rootPassword) }

// An address that is confirmed while another field changes stays confirmed
// (contract 1.5): nothing is written back that was only read.
func TestChangeKeepsAnAddressConfirmedMeanwhile(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn})
		ask := [3]string{"PATCH", "/members/~ann", "email=anne@example.com&current-password=old-Garden-12-gate"}
		if got := site.outcome(t, ask, withSession(site.login(t))); got != "200" {
			t.Fatal(got)
		}
		link, _ := site.lastLink(t)
		site.between(func() {
			if status, page := site.postPage(t, link.Path, link.Query()); status != 200 {
				t.Errorf("confirmed meanwhile: %d %s", status, page)
			}
		})
		if got := site.outcome(t, [3]string{"PATCH", "/members/~ann", "surname=Meanwhile"}, byRoot); got != "200" {
			t.Fatal(got)
		}
		if m := site.find(t, "ann"); m.Email != "anne@example.com" || m.Surname != "Meanwhile" {
			t.Errorf("address %s, surname %s", m.Email, m.Surname)
		}
	})
}

// Each address that is replaced is told, and no other: also of changes at once.
func TestEachReplacedAddressIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn})
		force := func(email string) {
			t.Helper()
			change := [3]string{"PATCH", "/members/~ann", "force-email-change=true&notify-async=true&email=" + email}
			if got := site.outcome(t, change, byRoot); got != "200" {
				t.Errorf("%s: %s", email, got)
			}
		}
		site.between(func() { force("first@example.com") })
		force("second@example.com")
		if got := site.toldAddresses(t); !slices.Equal(got, []string{"ann@example.org", "first@example.com"}) {
			t.Errorf("told %v", got)
		}

		ask := [3]string{"PATCH", "/members/~ann", "email=third@example.com&current-password=old-Garden-12-gate"}
		if got := site.outcome(t, ask, withSession(site.login(t))); got != "200" {
			t.Fatal(got)
		}
		link, _ := site.lastLink(t)
		site.between(func() { force("fourth@example.com") })
		if status, _ := site.postPage(t, link.Path, link.Query()); status != 410 {
			t.Errorf("a link that another change voided meanwhile: %d", status)
		}
		if got := site.toldAddresses(t); !slices.Equal(got, []string{"second@example.com"}) || site.find(t, "ann").Email != "fourth@example.com" {
			t.Errorf("told %v, address %s", got, site.find(t, "ann").Email)
		}
	})
}

// toldAddresses delivers what is queued, and returns whom it went to, sorted.
func (s *testSite) toldAddresses(t *testing.T) (to []string) {
	t.Helper()
	for _, m := range s.deliver(t) {
		to = append(to, m.To)
	}
	slices.Sort(to)
	return to
}

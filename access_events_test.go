package main

import (
	"fmt"
	"testing"

	"reseed/members"
	"reseed/store"
)

// Locks, unlocking, sessions and forced resets leave their events, with who did it.
func TestEventsOfAccess(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "audit-identifiers = \"plain\"\nmin-bad-logins = 3\nmax-bad-logins = 3\n"})
		ctx := t.Context()
		for range 4 {
			if _, err := site.members.SignIn(ctx, "ann", "canary-wrong"); err == nil {
				t.Fatal("signed in with a wrong password")
			}
		}
		admin := members.Caller{Member: members.Member{ID: 99, Admin: true}}
		if _, err := site.members.Unlock(ctx, admin, "ann"); err != nil {
			t.Fatal(err)
		}
		if _, err := site.members.Force(ctx, admin, members.ForceRequest{Email: "ann@example.org", Async: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := site.members.Force(ctx, admin, members.ForceRequest{Email: "ann@example.org", HasPassword: true, Password: "violet-Harbor-93-maple", Async: true}); err != nil {
			t.Fatal(err)
		}
		id, _, err := site.members.Login(ctx, "ann", "violet-Harbor-93-maple", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := site.members.Logout(ctx, id); err != nil {
			t.Fatal(err)
		}
		if err := site.audit.flush(ctx); err != nil {
			t.Fatal(err)
		}
		events, err := site.store.Events(ctx, store.EventFilter{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, e := range events {
			got[fmt.Sprintf("%s %d by %q %s", e.Kind, e.MemberID, e.Actor, e.Code)]++
		}
		ann := site.ids["ann"]
		for want, n := range map[string]int{
			fmt.Sprintf(`sign-in-refused %d by "" 0101`, ann):      4,
			fmt.Sprintf(`member-locked %d by "" `, ann):            1,
			fmt.Sprintf(`member-unlocked %d by "member 99" `, ann): 1,
			fmt.Sprintf(`reset-forced %d by "member 99" `, ann):    1,
			fmt.Sprintf(`password-set %d by "member 99" `, ann):    1,
			fmt.Sprintf(`signed-in %d by "member %d" `, ann, ann):  1,
			fmt.Sprintf(`signed-out %d by "member %d" `, ann, ann): 1,
		} {
			if got[want] != n {
				t.Errorf("%d events %s, want %d; all: %v", got[want], want, n, got)
			}
		}
	})
}

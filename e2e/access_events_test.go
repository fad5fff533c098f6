package e2e

import (
	"fmt"
	"testing"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
)

// Locks, unlocking, sessions and forced resets leave their events, with who did it;
// a name that nobody has is locked as a member is, so that it takes as long.
func TestEventsOfAccess(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, settings: "audit-identifiers = \"plain\"\nmin-bad-logins = 3\nmax-bad-logins = 3\n"})
		ctx := t.Context()
		for i := range 8 { // "nobody" is a name that nobody has
			if _, err := site.Members.SignIn(ctx, []string{"ann", "nobody"}[i%2], "canary-wrong"); err == nil {
				t.Fatal("signed in with a wrong password")
			}
		}
		admin := members.Caller{Member: members.Member{ID: 99, Admin: true}}
		if _, err := site.Members.Unlock(ctx, admin, "ann"); err != nil {
			t.Fatal(err)
		}
		if _, err := site.Members.Force(ctx, admin, members.ForceRequest{Email: "ann@example.org", Async: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := site.Members.Force(ctx, admin, members.ForceRequest{Email: "ann@example.org", HasPassword: true, Password: "violet-Harbor-93-maple", Async: true}); err != nil {
			t.Fatal(err)
		}
		id, _, err := site.Members.Login(ctx, "ann", "violet-Harbor-93-maple", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := site.Members.Logout(ctx, id); err != nil {
			t.Fatal(err)
		}
		if err := site.Audit.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		events, err := site.Store.Events(ctx, store.EventFilter{})
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
			`sign-in-refused 0 by "" 0101`:                         4,
			`member-locked 0 by "" `:                               1,
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

// Whoever tries tokens leaves an event wherever that can be tried, and so does
// a recovery that is refused.
func TestEventsOfRefusals(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{settings: "audit-identifiers = \"plain\"\ncompat = 5\n"})
	ctx, token := t.Context(), "ujHidAn9kKjObQuVbl_vLMc9npOjAKj2"
	refused := func(_ any, err error) {
		t.Helper()
		if err == nil {
			t.Error("not refused")
		}
	}
	refused(site.Members.Reset(ctx, members.Caller{}, members.ResetRequest{Email: "ann@example.org", Key: token}))
	refused(site.Members.Profile(ctx, members.Caller{}, "ann", token))
	refused(site.Members.Profile(ctx, members.Caller{}, "nobody", token))
	const unknown = "01234567-89ab-4cde-8f01-23456789abcd"
	refused(nil, site.Members.SendRecovery(ctx, members.RecoveryRequest{Email: "ann@example.org", SiteID: unknown}))
	refused(nil, site.Members.SendRecovery(ctx, members.RecoveryRequest{Email: "ann@example.org", RedirectURL: "https://evil.example"}))
	if err := site.Audit.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	events, err := site.Store.Events(ctx, store.EventFilter{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, e := range events {
		got[fmt.Sprintf("%s %d %s %s", e.Kind, e.MemberID, e.Code, e.Identifier)] = true
	}
	ann := site.ids["ann"]
	for _, want := range []string{
		fmt.Sprintf("change-refused %d 102A ann@example.org", ann),
		fmt.Sprintf("change-refused %d 0101 ann", ann),
		"change-refused 0 0101 nobody",
		"reset-requested 0 0101 ann@example.org",
		"reset-requested 0 F006 ann@example.org",
	} {
		if !got[want] {
			t.Errorf("no event %s; all: %v", want, got)
		}
	}
}

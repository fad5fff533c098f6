package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// siteToken returns a token of a site whose hash goes by its name.
func siteToken(name string, kind members.SiteTokenKind, site members.WixSite, member int64, from time.Time) members.SiteToken {
	return members.SiteToken{
		Hash: password.HashToken(name), Kind: kind, Site: site, Member: members.Member{ID: member},
		Created: from, Expires: from.Add(time.Hour),
	}
}

func (e *env) issue(i members.Issue) bool {
	e.t.Helper()
	i.At = noon
	ok, err := e.IssueSiteTokens(e.t.Context(), i)
	if err != nil {
		e.t.Fatal(err)
	}
	return ok
}

func (e *env) siteToken(name string, kind members.SiteTokenKind) members.SiteToken {
	e.t.Helper()
	found, err := e.FindSiteToken(e.t.Context(), kind, password.HashToken(name))
	if err != nil {
		e.t.Fatal(err)
	}
	return found
}

// A code is spent by exactly one exchange, and what comes of it belongs together.
func TestSiteCodeServesOnce(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		site, ann := e.site(acmeUUID), e.member("ann", "ann@example.org")
		e.issue(members.Issue{Token: siteToken("code", members.AuthCode, site, ann.ID, noon), Keep: 5})
		exchange := func(n string) bool {
			return e.issue(members.Issue{
				From: password.HashToken("code"), Spend: true, Keep: 5,
				Refresh: siteToken("refresh"+n, members.RefreshToken, site, ann.ID, noon),
				Token:   siteToken("access"+n, members.AccessOfSite, site, ann.ID, noon),
			})
		}
		if !exchange("1") || exchange("2") {
			t.Error("the code serves never, or twice")
		}
		refresh, access := e.siteToken("refresh1", members.RefreshToken), e.siteToken("access1", members.AccessOfSite)
		if refresh.Zero() || access.Grant != refresh.ID || access.Member.ID != ann.ID || access.Site.UUID != acmeUUID {
			t.Errorf("refresh %+v, access %+v", refresh, access)
		}
		if !e.siteToken("refresh2", members.RefreshToken).Zero() || !e.siteToken("access1", members.RefreshToken).Zero() {
			t.Error("what was refused is there, or one kind is taken for another")
		}
		if err := e.EndGrant(t.Context(), refresh.ID); err != nil {
			t.Fatal(err)
		}
		if !e.siteToken("refresh1", members.RefreshToken).Zero() || !e.siteToken("access1", members.AccessOfSite).Zero() {
			t.Error("a grant that ended is there")
		}
	})
}

// The oldest tokens of a holder give way, those of others stay (contract 2.2).
func TestSiteTokensAreLimited(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		site, ann, bob := e.site(acmeUUID), e.member("ann", "ann@example.org"), e.member("bob", "bob@example.org")
		e.issue(members.Issue{Token: siteToken("bob", members.SessionToken, site, bob.ID, noon), Keep: 3})
		for n := range 5 {
			e.issue(members.Issue{Token: siteToken(fmt.Sprint("ann", n), members.SessionToken, site, ann.ID, noon), Keep: 3})
			e.issue(members.Issue{Token: siteToken(fmt.Sprint("visitor", n), members.SessionToken, site, 0, noon), Keep: 3})
		}
		for name, want := range map[string]bool{
			"ann0": false, "ann1": false, "ann2": true, "ann4": true, "visitor1": false, "visitor2": true, "bob": true,
		} {
			if got := !e.siteToken(name, members.SessionToken).Zero(); got != want {
				t.Errorf("%s is there: %v", name, got)
			}
		}
	})
}

// A new password ends a member's tokens, but the grant that it was changed with.
func TestChangeEndsSiteTokens(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		site, ann := e.site(acmeUUID), e.member("ann", "ann@example.org")
		for _, n := range []string{"kept", "other"} {
			e.issue(members.Issue{
				Keep: 5, Refresh: siteToken("refresh-"+n, members.RefreshToken, site, ann.ID, noon),
				Token: siteToken("access-"+n, members.AccessOfSite, site, ann.ID, noon),
			})
		}
		keep := e.siteToken("refresh-kept", members.RefreshToken).ID
		if !e.complete(members.Completion{MemberID: ann.ID, Password: "new", At: noon, KeepGrant: keep}) {
			t.Fatal("not changed")
		}
		if e.siteToken("access-kept", members.AccessOfSite).Zero() || !e.siteToken("access-other", members.AccessOfSite).Zero() ||
			!e.siteToken("refresh-other", members.RefreshToken).Zero() {
			t.Error("the wrong tokens ended")
		}
		if !e.complete(members.Completion{MemberID: ann.ID, Password: "newer", At: noon}) {
			t.Fatal("not changed")
		}
		if !e.siteToken("refresh-kept", members.RefreshToken).Zero() {
			t.Error("a grant outlives a reset")
		}
	})
}

// An origin is found as a whole alone.
func TestSiteOfOrigin(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		e.site(acmeUUID, "https://app.example.org", "http://localhost:3000")
		for origin, want := range map[string]bool{
			"https://app.example.org": true, "http://localhost:3000": true,
			"https://app.example.or": false, "http://localhost:300": false, "https://app.example.org\",\"": false, "": false,
		} {
			if got, err := e.SiteAllowsOrigin(t.Context(), origin); got != want || err != nil {
				t.Errorf("%q: %v, %v", origin, got, err)
			}
		}
	})
}

func TestPurgeSiteTokens(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		site := e.site(acmeUUID)
		e.issue(members.Issue{Token: siteToken("old", members.SessionToken, site, 0, noon.Add(-2*time.Hour)), Keep: 9})
		e.issue(members.Issue{Token: siteToken("new", members.SessionToken, site, 0, noon), Keep: 9})
		if n, err := e.PurgeSiteTokens(t.Context(), noon, 10); n != 1 || err != nil {
			t.Errorf("%d purged, %v", n, err)
		}
		if e.siteToken("new", members.SessionToken).Zero() {
			t.Error("a token that is good was purged")
		}
	})
}

package store_test

import (
	"testing"
	"time"

	"github.com/reseed-project/reseed/members"
)

// TestRevokeAll holds that after it nothing opens an account that did before: no
// reset token, whether mailed or waiting, no session, no access token.
func TestRevokeAll(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.add(members.Member{Username: "ann", Status: members.Activated, Password: "$hash"})
		order := e.order(m.ID)
		e.access("access", e.client("0123456789abcdef", m), noon.Add(time.Hour))
		_, err := e.SignedIn(t.Context(), members.GoodSignIn{
			MemberID: m.ID, Password: m.Password, At: noon,
			Session: members.Session{ID: tokenHash("session"), Created: noon, Seen: noon, Expires: noon.Add(time.Hour)},
		})
		if err != nil || !e.hasSession("session") || !e.hasAccess("access") {
			t.Fatalf("not set up: %v", err)
		}
		if n, err := e.WaitingTokens(t.Context(), noon); err != nil || n != 1 {
			t.Errorf("%d tokens wait, %v, want 1", n, err)
		}
		if n, err := e.RevokeAll(t.Context(), noon); err != nil || n != 1 {
			t.Errorf("%d tokens voided, %v, want 1", n, err)
		}
		if !e.used(order) || e.hasSession("session") || e.hasAccess("access") {
			t.Errorf("token used %v, session %v, access token %v", e.used(order), e.hasSession("session"), e.hasAccess("access"))
		}
		if n, err := e.WaitingTokens(t.Context(), noon); err != nil || n != 0 {
			t.Errorf("%d tokens wait, %v, want 0", n, err)
		}
	})
}

// TestTokensDieWithTheMembersStanding holds TOK-7: a token that was out when a
// member was disabled doesn't work when the member is enabled again.
func TestTokensDieWithTheMembersStanding(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.add(members.Member{Username: "ann", Status: members.Activated, Password: "$hash"})
		order := e.order(m.ID)
		for _, status := range []members.Status{members.Disabled, members.Activated} {
			if err := e.SetStatus(t.Context(), m.ID, status); err != nil {
				t.Fatal(err)
			}
		}
		if !e.used(order) || e.complete(completion(order)) {
			t.Error("the token outlived the member's being disabled")
		}
	})
}

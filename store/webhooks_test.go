package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/webhooks"
)

// hook adds one.
func (e *env) hook(kinds ...string) int64 {
	e.t.Helper()
	id, err := e.AddWebhook(e.t.Context(), webhooks.Hook{Salt: [16]byte{1, 0, 255}, URL: "https://example.org/hook", Kinds: kinds, Created: noon})
	if err != nil {
		e.t.Fatal(err)
	}
	return id
}

// told returns the events that wait for a hook, oldest first.
func (e *env) told(hook int64) (kinds []string) {
	e.t.Helper()
	list := must(e.Calls(e.t.Context(), "", 1000))(e.t)
	for _, c := range slices.Backward(list) {
		if c.Hook.ID == hook {
			kinds = append(kinds, c.Kind)
		}
	}
	return kinds
}

func TestWebhooksAreStored(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		if must(e.RefreshWebhooks(t.Context()))(t) {
			t.Error("hooks before there are any")
		}
		all, some := e.hook(), e.hook("member-locked", "password-changed")
		list := must(e.Webhooks(t.Context()))(t)
		if len(list) != 2 || list[0].ID != all || list[1].ID != some || len(list[0].Kinds) != 0 ||
			!slices.Equal(list[1].Kinds, []string{"member-locked", "password-changed"}) || list[1].Salt != [16]byte{1, 0, 255} || !list[0].Created.Equal(noon) {
			t.Errorf("%+v", list)
		}
		if !must(e.RefreshWebhooks(t.Context()))(t) || !must(e.RemoveWebhook(t.Context(), all))(t) || must(e.RemoveWebhook(t.Context(), all))(t) {
			t.Error("remove")
		}
	})
}

// A server tells hooks from its first answer on, before it has looked whether
// there are any, and if that look fails.
func TestWebhooksAreToldBeforeTheyAreLookedFor(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		ann, hook := e.member("ann", ""), e.hook("member-locked")
		if err := e.open().SetLocked(t.Context(), ann.ID, true); err != nil {
			t.Fatal(err)
		}
		if got := e.told(hook); !slices.Equal(got, []string{"member-locked"}) {
			t.Errorf("told %v", got)
		}
	})
}

// What happens to members is told in the transaction that does it, to those who
// asked for it.
func TestWebhooksAreTold(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		before := e.member("before", "before@example.org") // nobody listens yet
		all, some := e.hook(), e.hook("member-locked", "password-changed")
		ann := e.add(members.Member{Username: "ann", Email: "ann@example.org", Status: members.SetPassword})
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		hash := password.HashToken("x")
		order := members.Order{ID: mail.ID{1}, Template: "reset-password-confirm", Purpose: password.Reset, MemberID: ann.ID, Addressed: true,
			Token: hash, Created: noon, Expires: noon.Add(time.Hour)}
		check(e.AddOrder(t.Context(), order))
		nobodys := order
		nobodys.ID, nobodys.Addressed, nobodys.MemberID, nobodys.Token = mail.ID{2}, false, 0, password.HashToken("y")
		check(e.AddOrder(t.Context(), nobodys))
		notice := members.Order{ID: mail.ID{3}, Template: "change-password", MemberID: ann.ID, Addressed: true, Created: noon}
		check(e.AddOrder(t.Context(), notice))
		for range 2 { // the second finds nothing new
			must(e.Round(t.Context(), mail.Round{Worker: "w", Now: noon, Lease: time.Minute, Announce: 10}))(t)
		}
		only := order
		only.ID, only.Token = mail.ID{4}, password.HashToken("z")
		check(e.AddOrder(t.Context(), only))
		must(e.Round(t.Context(), mail.Round{Worker: "w", Now: noon, Lease: time.Minute, Claim: 1, Only: &only.ID}))(t)
		must(e.Round(t.Context(), mail.Round{Worker: "w", Now: noon, Lease: time.Minute, Claim: 1, Only: &only.ID}))(t)

		if !must(e.Complete(t.Context(), members.Completion{MemberID: ann.ID, Token: hash, Password: "$new", At: noon}))(t) {
			t.Fatal("not completed")
		}
		if must(e.Complete(t.Context(), members.Completion{MemberID: ann.ID, Token: hash, Password: "$new", At: noon}))(t) {
			t.Fatal("completed twice")
		}
		for i := range 3 { // the second locks, the third finds the lock
			was := e.get(ann.ID)
			is, nobody := was, members.Member{}
			is.FailedSignIns++
			if i == 1 {
				is.LockedUntil, nobody.LockedUntil = noon.Add(time.Hour), noon.Add(time.Hour)
			}
			if !must(e.SignInFailed(t.Context(), members.BadSignIn{Was: was, Is: is, Row: was.ID, Touch: 1 << 25}))(t) || i == 1 && must(e.SignInFailed(t.Context(), members.BadSignIn{Was: was, Is: is, Row: was.ID, Touch: 1 << 25}))(t) {
				t.Fatal("not counted, or twice")
			}
			must(e.SignInFailed(t.Context(), members.BadSignIn{Is: nobody, Row: ann.ID, Touch: 1 << 25}))(t)
		}
		check(e.SetLocked(t.Context(), ann.ID, true))
		check(e.SetLocked(t.Context(), ann.ID, false))
		check(e.SetMember(t.Context(), ann.ID, members.Edit{Firstname: new("Ann")}))
		check(e.RemoveMember(t.Context(), before.ID, nil))

		want := []string{"member-added", "reset-requested", "reset-requested", "password-changed", "member-activated",
			"member-locked", "member-locked", "member-unlocked", "member-changed", "member-removed"}
		if got := e.told(all); !slices.Equal(got, want) {
			t.Errorf("told %v, want %v", got, want)
		}
		if got := e.told(some); !slices.Equal(got, []string{"password-changed", "member-locked", "member-locked"}) {
			t.Errorf("told %v", got)
		}
		check(e.RemoveMember(t.Context(), ann.ID, nil))
		if got := e.told(all); !slices.Equal(got, []string{"member-removed", "member-removed"}) {
			t.Errorf("after the removal there is %v", got)
		}
	})
}

// A refusal tells nothing, and neither does a transaction that was undone.
func TestWebhooksAreNotToldOfWhatDidNotHappen(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		ann := e.member("ann", "ann@example.org")
		hook := e.hook()
		if _, err := e.AddMembers(t.Context(), batch("new", "ann")); err == nil {
			t.Fatal("added")
		}
		if must(e.Complete(t.Context(), members.Completion{MemberID: ann.ID, Token: password.HashToken("none"), Password: "$new", At: noon}))(t) {
			t.Fatal("completed")
		}
		if got := e.told(hook); len(got) > 0 {
			t.Errorf("told %v", got)
		}
	})
}

// A call is claimed by one worker until its lease ends; what becomes of it is
// kept; a dead one can be put back.
func TestWebhookCallsAreClaimed(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		e.hook()
		ann := e.member("ann", "ann@example.org")
		claim := func(worker string, now time.Time) []webhooks.Call {
			t.Helper()
			return must(e.ClaimCalls(t.Context(), worker, now, time.Minute, 10))(t)
		}
		settle := func(worker string, s webhooks.Settlement) {
			t.Helper()
			if err := e.SettleCall(t.Context(), worker, noon, s); err != nil {
				t.Fatal(err)
			}
		}
		got := claim("a", noon)
		if len(got) != 1 || got[0].Kind != "member-added" || got[0].MemberID != ann.ID || got[0].Hook.URL != "https://example.org/hook" || got[0].Hook.Salt != [16]byte{1, 0, 255} || !got[0].At.Equal(noon) {
			t.Fatalf("%+v", got)
		}
		id := got[0].ID
		if again := claim("b", noon); len(again) > 0 {
			t.Errorf("claimed twice: %+v", again)
		}
		late := claim("b", noon.Add(2*time.Minute))
		if len(late) != 1 || late[0].MessageID() != got[0].MessageID() {
			t.Fatalf("after the lease: %+v", late)
		}
		settle("a", webhooks.Settlement{ID: id, State: webhooks.Sent}) // who lost it
		settle("b", webhooks.Settlement{ID: id, State: webhooks.Pending, Due: noon.Add(time.Hour), Outcome: "500"})
		if early := claim("a", noon.Add(59*time.Minute)); len(early) > 0 {
			t.Errorf("before it is due: %+v", early)
		}
		if due := claim("a", noon.Add(time.Hour)); len(due) != 1 || due[0].Attempts != 1 {
			t.Errorf("due: %+v", due)
		}
		settle("a", webhooks.Settlement{ID: id, State: webhooks.Dead, Outcome: "410"})
		if dead := must(e.Calls(t.Context(), webhooks.Dead, 10))(t); len(dead) != 1 || dead[0].Outcome != "410" || dead[0].Attempts != 2 {
			t.Errorf("dead: %+v", dead)
		}
		if counts := must(e.CallCounts(t.Context()))(t); counts[webhooks.Dead] != 1 || len(counts) != 1 {
			t.Errorf("%v", counts)
		}
		if !must(e.RetryCall(t.Context(), id, noon))(t) || len(claim("a", noon)) != 1 {
			t.Error("not put back")
		}
		settle("a", webhooks.Settlement{ID: id, State: webhooks.Dead})
		if must(e.RetryDeadCalls(t.Context(), noon))(t) != 1 || len(claim("a", noon)) != 1 {
			t.Error("not put back with all")
		}
		settle("a", webhooks.Settlement{ID: id, State: webhooks.Sent})
		if must(e.RetryCall(t.Context(), id, noon))(t) {
			t.Error("a sent one was put back")
		}
		if must(e.PurgeCalls(t.Context(), noon, 10))(t) != 0 || must(e.PurgeCalls(t.Context(), noon.Add(2*time.Hour), 10))(t) != 1 {
			t.Error("purge")
		}
	})
}

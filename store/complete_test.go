package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

func hash(s string) password.Hash { return password.Hash(s) }

func TestCompleteChangesEverythingAtOnce(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for status, activated := range map[members.Status]bool{
			members.SetPassword: true, members.Unactivated: true, members.Activated: false,
		} {
			m := e.add(members.Member{Username: string(status), Status: status, Password: "$old", Activated: noon.Add(-time.Hour),
				LockedUntil: noon.Add(time.Hour), FailedSignIns: 5, LockThreshold: 8, BadSignIns: 20, FailClient: "one", LockClient: "two"})
			o, second, other := e.order(m.ID), e.order(m.ID), e.order(m.ID+1000)
			c := completion(o)
			c.Notice = e.newOrder(m.ID)
			c.Notice.Token, c.Notice.Template = password.TokenHash{}, "change-password"
			if !e.complete(c) {
				t.Fatalf("%s: not completed", status)
			}
			want := m
			want.Password, want.LastPasswordChange, want.Status = "$new", noon, members.Activated
			want.LockedUntil, want.FailedSignIns, want.LockThreshold = time.Time{}, 0, 0
			want.BadSignIns, want.FailClient, want.LockClient = 0, "", ""
			if activated {
				want.Activated = noon
			}
			if d := cmp.Diff(want, e.get(m.ID), cmp.Comparer(func(a, b password.Hash) bool { return a == b })); d != "" {
				t.Errorf("%s: member (-want +got):\n%s", status, d)
			}
			if !e.used(o) || !e.used(second) || e.used(other) {
				t.Errorf("%s: spent: own %v, second %v, another's %v", status, e.used(o), e.used(second), e.used(other))
			}
			if r := e.state(c.Notice.ID); r.State != mail.New || !r.Used.IsZero() || r.Template != "change-password" {
				t.Errorf("%s: notice %+v", status, r)
			}
		}
	})
}

func TestCompleteRefusesAndChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		for name, change := range map[string]func(*members.Completion){
			"unknown token":            func(c *members.Completion) { c.Token[0]++ },
			"another's token":          func(c *members.Completion) { c.MemberID = e.member("b", "").ID },
			"nobody":                   func(c *members.Completion) { c.MemberID = 0 },
			"no such member":           func(c *members.Completion) { c.MemberID = 999 },
			"expired":                  func(c *members.Completion) { c.At = noon.Add(time.Hour + time.Microsecond) },
			"expired a good while ago": func(c *members.Completion) { c.At = noon.Add(1000 * time.Hour) },
		} {
			o := e.order(m.ID)
			c := completion(o)
			c.Notice = e.newOrder(m.ID)
			c.Notice.Token = password.TokenHash{}
			change(&c)
			if e.complete(c) {
				t.Errorf("%s: completed", name)
			}
			if e.used(o) || e.get(m.ID).Password != "$old" {
				t.Errorf("%s: token used %v, hash %q", name, e.used(o), string(e.get(m.ID).Password))
			}
			if _, ok, err := e.Mail(t.Context(), c.Notice.ID); ok || err != nil {
				t.Errorf("%s: notice queued %v, error %v", name, ok, err)
			}
		}
	})
}

// A token is valid at its end and not a microsecond later (TOK-4).
func TestTokenIsValidUntilItsVeryEnd(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for offset, want := range map[time.Duration]bool{
			-time.Microsecond: true, 0: true, time.Microsecond: false, time.Second: false,
		} {
			o := e.order(e.member(offset.String(), "").ID)
			c := completion(o)
			c.At = o.Expires.Add(offset)
			if got := e.complete(c); got != want {
				t.Errorf("at the end %+v: %v", offset, got)
			}
		}
	})
}

func TestTokenWithoutEndIsNotSpent(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		o := e.order(e.member("a", "").ID, func(o *members.Order) { o.Expires = time.Time{} })
		if e.complete(completion(o)) {
			t.Error("completed: a token always has an end")
		}
	})
}

// An administrator may lock the account between the look-up and the change (PWD-12).
func TestCompleteRefusesWhoIsLockedOrDisabledByNow(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for name, m := range map[string]members.Member{
			"locked":   {Username: "locked", Status: members.Activated, Locked: true, Password: "$old"},
			"disabled": {Username: "disabled", Status: members.Disabled, Password: "$old"},
		} {
			m = e.add(m)
			o := e.order(m.ID)
			byAdmin := completion(o)
			byAdmin.Token = password.TokenHash{}
			if e.complete(completion(o)) || e.complete(byAdmin) {
				t.Errorf("%s: completed", name)
			}
			if e.used(o) || e.get(m.ID).Password != "$old" {
				t.Errorf("%s: something changed", name)
			}
		}
	})
}

func TestCompleteByAdministratorNeedsNoToken(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		o := e.order(m.ID)
		if !e.complete(members.Completion{MemberID: m.ID, Password: "$new", At: noon}) {
			t.Fatal("not completed")
		}
		if e.get(m.ID).Password != "$new" || !e.used(o) {
			t.Errorf("hash %q, token void %v", string(e.get(m.ID).Password), e.used(o))
		}
		if e.complete(members.Completion{MemberID: 0, Password: "$new", At: noon}) {
			t.Error("nobody got a password")
		}
	})
}

// A notice that can't be queued takes the whole change back (PWD-9).
func TestCompleteIsUndoneByAnyFailure(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		o := e.order(m.ID)
		c := completion(o)
		c.Notice = o // its id is taken
		if ok, err := e.Complete(t.Context(), c); ok || err == nil {
			t.Fatalf("completed %v, error %v", ok, err)
		}
		if e.used(o) || e.get(m.ID).Password != "$old" {
			t.Error("half a change is left")
		}
		if !e.complete(completion(o)) {
			t.Error("the token is gone")
		}
	})
}

func TestFindToken(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		o := e.order(7, func(o *members.Order) {
			o.GroupID, o.Purpose = 3, password.Recovery
			o.Options = members.Options{HideIgnoreMessage: true, RedirectURL: "https://example.org/?a='\\\"é", Language: "de", Client: "203.0.113.0/24"}
		})
		want := members.FoundToken{ID: o.ID, MemberID: 7, GroupID: 3, Purpose: password.Recovery, Expires: o.Expires, Options: o.Options}
		if d := cmp.Diff(want, must(e.FindToken(t.Context(), o.Token))(t)); d != "" {
			t.Errorf("record (-want +got):\n%s", d)
		}
		e.order(7, func(o *members.Order) { o.Token = password.TokenHash{} })
		for _, token := range []password.TokenHash{{}, {1}} {
			if d := cmp.Diff(members.FoundToken{}, must(e.FindToken(t.Context(), token))(t)); d != "" {
				t.Errorf("unknown token (-want +got):\n%s", d)
			}
		}
	})
}

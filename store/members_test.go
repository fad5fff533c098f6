package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

func batch(names ...string) []members.NewMember {
	var list []members.NewMember
	for _, n := range names {
		list = append(list, members.NewMember{Member: members.Member{
			Username: n, Email: n + "@example.org", Status: members.Activated}})
	}
	return list
}

func TestAddMembersIsAllOrNothing(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		g := must(e.AddGroup(t.Context(), groups.Group{Name: "acme"}))(t)
		e.member("taken", "")
		for name, c := range map[string]struct {
			batch []members.NewMember
			want  members.TakenError
		}{
			"taken before":         {batch("a", "b", "TAKEN", "c"), members.TakenError{Index: 2, Field: "username"}},
			"twice in the batch":   {batch("a", "b", "A"), members.TakenError{Index: 2, Field: "username"}},
			"email twice in batch": {append(batch("a"), members.NewMember{Member: members.Member{Username: "z", Email: "A@example.org", Status: members.Activated}}), members.TakenError{Index: 1, Field: "email"}},
		} {
			ids, err := e.AddMembers(t.Context(), c.batch)
			var taken *members.TakenError
			if !errors.As(err, &taken) || *taken != c.want || ids != nil {
				t.Errorf("%s: ids %v, error %v %+v", name, ids, err, taken)
			}
		}
		unknownGroup := batch("a", "b")
		unknownGroup[1].Groups = []int64{g, 999}
		if _, err := e.AddMembers(t.Context(), unknownGroup); err == nil {
			t.Error("a group that is not there was accepted")
		}
		if got := must(e.ListMembers(t.Context(), members.ListFilter{Limit: 10}))(t); len(got) != 1 {
			t.Errorf("%d members are left, want the first alone", len(got))
		}
	})
}

func TestAddMembersReturnsIDsInOrder(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		g := must(e.AddGroup(t.Context(), groups.Group{Name: "acme"}))(t)
		list := batch("a", "b", "c")
		list[1].Groups = []int64{g, g}
		ids := must(e.AddMembers(t.Context(), list))(t)
		for i, id := range ids {
			f := must(e.FindMember(t.Context(), members.Lookup{ID: id, Group: g}))(t)
			if f.Member.Username != list[i].Username || f.InGroup != (i == 1) {
				t.Errorf("id %d: %q, in group %v", id, f.Member.Username, f.InGroup)
			}
			if !f.Member.Created.Equal(noon) {
				t.Errorf("created %v, want the clock's time", f.Member.Created)
			}
		}
		if len(ids) != 3 || ids[0] < 1 {
			t.Errorf("ids %v", ids)
		}
		if got := must(e.AddMembers(t.Context(), nil))(t); len(got) != 0 {
			t.Errorf("an empty batch has ids %v", got)
		}
	})
}

func TestManyMembersMayLackAnIdentifier(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		e.member("a", "")
		e.member("b", "")
		e.member("", "c@example.org")
		e.member("", "d@example.org")
		if got := must(e.ListMembers(t.Context(), members.ListFilter{Limit: 10}))(t); len(got) != 4 {
			t.Errorf("%d members", len(got))
		}
	})
}

func TestListMembersPages(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		ids := must(e.AddMembers(t.Context(), batch("a", "b", "c", "d", "e")))(t)
		var got []int64
		for after := int64(-5); ; {
			page := must(e.ListMembers(t.Context(), members.ListFilter{After: after, Limit: 2}))(t)
			if len(page) == 0 {
				break
			}
			for _, m := range page {
				got = append(got, m.ID)
				after = m.ID
			}
		}
		if d := cmp.Diff(ids, got); d != "" {
			t.Errorf("ids (-want +got):\n%s", d)
		}
	})
}

// The database refuses what the callers should have (PAR-9, F14).
func TestOverLongValuesAreRefusedNotCut(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for name, m := range map[string]members.Member{
			"username":  {Username: strings.Repeat("u", 500)},
			"email":     {Email: strings.Repeat("e", 500)},
			"firstname": {Username: "f", Firstname: strings.Repeat("f", 51)},
			"surname":   {Username: "s", Surname: strings.Repeat("s", 51)},
			"status":    {Username: "t", Status: members.Status(strings.Repeat("t", 21))},
		} {
			if _, err := e.AddMembers(t.Context(), []members.NewMember{{Member: m}}); err == nil {
				t.Errorf("%s was accepted", name)
			}
		}
		e.add(members.Member{Username: strings.Repeat("é", 99), Firstname: strings.Repeat("é", 50), Surname: strings.Repeat("😀", 50)})
	})
}

func TestSetLocked(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.add(members.Member{Username: "a", Status: members.Activated, Password: "$old",
			LockedUntil: noon.Add(time.Hour), FailedSignIns: 4, LockThreshold: 9, BadSignIns: 20, FailClient: "one", LockClient: "two"})
		other := e.member("b", "")
		mine, theirs := e.order(m.ID), e.order(other.ID)
		if err := e.SetLocked(t.Context(), m.ID, true); err != nil {
			t.Fatal(err)
		}
		want := m
		want.Locked = true
		if d := cmp.Diff(want, e.get(m.ID)); d != "" {
			t.Errorf("locked (-want +got):\n%s", d)
		}
		if !e.used(mine) || e.used(theirs) {
			t.Errorf("tokens void: own %v, another's %v", e.used(mine), e.used(theirs))
		}
		for range 2 { // lifting a lock that is not there is fine
			if err := e.SetLocked(t.Context(), m.ID, false); err != nil {
				t.Fatal(err)
			}
		}
		want.Locked, want.LockedUntil, want.FailedSignIns, want.LockThreshold = false, time.Time{}, 0, 0
		want.BadSignIns, want.FailClient, want.LockClient = 0, "", ""
		if d := cmp.Diff(want, e.get(m.ID)); d != "" {
			t.Errorf("unlocked (-want +got):\n%s", d)
		}
		for _, id := range []int64{0, 999} {
			if err := e.SetLocked(t.Context(), id, true); !errors.Is(err, errcodes.New(errcodes.MissingMember)) {
				t.Errorf("lock %d: %v", id, err)
			}
		}
	})
}

func TestRehashLeavesAChangedPassword(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		for _, c := range []struct{ old, new, want string }{
			{"$other", "$new", "$old"},
			{"$old ", "$new", "$old"}, // a trailing space is another hash
			{"$OLD", "$new", "$old"},
			{"$old", "$new", "$new"},
		} {
			if err := e.Rehash(t.Context(), m.ID, hash(c.old), hash(c.new)); err != nil {
				t.Fatal(err)
			}
			if got := e.get(m.ID); string(got.Password) != c.want {
				t.Errorf("%q to %q: hash is %q, want %q", c.old, c.new, string(got.Password), c.want)
			}
		}
	})
}

// Decoys are members of every id, with the member before a gap in its place,
// and the first ones none's.
func TestDecoyHash(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		e.member("a", "")
		taken := []members.NewMember{{Member: members.Member{Username: "c"}}, {Member: members.Member{Username: "a"}}}
		if _, err := e.AddMembers(t.Context(), taken); err == nil { // leaves a gap on MariaDB
			t.Fatal("added a second one of the name")
		}
		last := e.add(members.Member{Username: "b", Status: members.SetPassword})
		ids := uint64(last.ID) + 1
		for id := range 2 * ids {
			want := "$old"
			if id%ids == 0 || id%ids == ids-1 {
				want = ""
			}
			if got := must(e.DecoyHash(t.Context(), id<<1))(t); string(got) != want {
				t.Errorf("id %d: %q, want %q", id, string(got), want)
			}
		}
	})
}

func TestGroups(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		want := groups.Group{Name: "Acme-Specs", Title: "Spécs", Description: "All of them"}
		want.ID = must(e.AddGroup(t.Context(), want))(t)
		for _, name := range []string{"acme-specs", "ACME-SPECS"} {
			if d := cmp.Diff(want, must(e.FindGroup(t.Context(), name))(t)); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
		if d := cmp.Diff(want, must(e.FindGroupID(t.Context(), want.ID))(t)); d != "" {
			t.Errorf("by id (-want +got):\n%s", d)
		}
		for _, name := range []string{"", "acme", "acme-specs ", "acme-\u017fpecs"} {
			if g := must(e.FindGroup(t.Context(), name))(t); !g.Zero() {
				t.Errorf("%q found %+v", name, g)
			}
		}
		if g := must(e.FindGroupID(t.Context(), 0))(t); g != (groups.Group{}) {
			t.Errorf("id 0 found %+v", g)
		}
		var taken *members.TakenError
		if _, err := e.AddGroup(t.Context(), groups.Group{Name: "acme-SPECS"}); !errors.As(err, &taken) || taken.Field != "name" {
			t.Errorf("a second one of the name: %v", err)
		}
		first := groups.Group{Name: "aaa"}
		first.ID = must(e.AddGroup(t.Context(), first))(t)
		if d := cmp.Diff([]groups.Group{first, want}, must(e.ListGroups(t.Context()))(t)); d != "" {
			t.Errorf("list (-want +got):\n%s", d)
		}
	})
}

func TestSetMembership(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		g := must(e.AddGroup(t.Context(), groups.Group{Name: "acme"}))(t)
		m := e.member("a", "")
		groupToken := e.order(m.ID, func(o *members.Order) { o.GroupID = g })
		plainToken := e.order(m.ID)
		for i, c := range []struct{ in, changed bool }{{true, true}, {true, false}, {false, true}, {false, false}} {
			if got := must(e.SetMembership(t.Context(), g, m.ID, c.in))(t); got != c.changed {
				t.Errorf("step %d: changed %v", i, got)
			}
			f := must(e.FindMember(t.Context(), members.Lookup{ID: m.ID, Group: g}))(t)
			if f.InGroup != c.in || e.used(groupToken) != (i >= 2) {
				t.Errorf("step %d: in group %v, its token void %v", i, f.InGroup, e.used(groupToken))
			}
		}
		if e.used(plainToken) {
			t.Error("a token without a group went with the membership")
		}
		if _, err := e.SetMembership(t.Context(), 999, m.ID, true); err == nil {
			t.Error("joined a group that is not there")
		}
	})
}

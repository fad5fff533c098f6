package store_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
)

// What an edit doesn't name stays, however old what its maker knew was.
func TestEditLeavesWhatItDoesNotName(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		before := e.add(members.Member{Username: "ann", Email: "a@example.org", Firstname: "Ann", Surname: "Ash", Language: "de",
			Status: members.Activated, Admin: true, APIAccount: true, Password: "$old"})
		for name, c := range map[string]struct {
			edit members.Edit
			set  func(*members.Member)
		}{
			"surname":        {members.Edit{Surname: new("Oak")}, func(m *members.Member) { m.Surname = "Oak" }},
			"no username":    {members.Edit{Username: new("")}, func(m *members.Member) { m.Username = "" }},
			"nothing":        {members.Edit{}, func(*members.Member) {}},
			"right":          {members.Edit{Admin: new(false)}, func(m *members.Member) { m.Admin = false }},
			"status":         {members.Edit{Status: new(members.Disabled)}, func(m *members.Member) { m.Status = members.Disabled }},
			"later password": {members.Edit{FirstPassword: "$new"}, func(*members.Member) {}},
		} {
			want := before
			c.set(&want)
			if err := e.SetMember(t.Context(), before.ID, c.edit); err != nil {
				t.Fatal(name, err)
			}
			if diff := cmp.Diff(want, e.get(before.ID)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			back := members.Edit{Username: &before.Username, Surname: &before.Surname, Admin: new(true), Status: &before.Status}
			if err := e.SetMember(t.Context(), before.ID, back); err != nil {
				t.Fatal(err)
			}
			before.Activated = e.get(before.ID).Activated
		}
		if err := e.SetMember(t.Context(), before.ID, members.Edit{Username: new(""), Email: new("")}); !errors.Is(err, members.ErrUnidentified) {
			t.Errorf("without an identifier: %v", err)
		}
		for _, id := range []int64{0, 4711} { // 0 is the row that stands for nobody
			if err := e.SetMember(t.Context(), id, members.Edit{Surname: new("Oak")}); !errors.Is(err, errcodes.New(errcodes.MissingMember)) {
				t.Errorf("member %d: %v", id, err)
			}
		}
	})
}

// A disabled account is not activated by a first password.
func TestFirstPasswordActivatesWhoWasToSetOne(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for status, want := range map[members.Status]members.Status{
			members.SetPassword: members.Activated, members.Unactivated: members.Unactivated, members.Disabled: members.Disabled,
		} {
			m := e.add(members.Member{Username: string(status), Status: status})
			if err := e.SetMember(t.Context(), m.ID, members.Edit{FirstPassword: "$new"}); err != nil {
				t.Fatal(err)
			}
			if got := e.get(m.ID); got.Status != want || got.Password != "$new" || got.Activated.IsZero() == (want == members.Activated) {
				t.Errorf("%s: %s, activated %v", status, got.Status, got.Activated)
			}
		}
	})
}

// Edits of several fields at once all count: none writes back what it read.
func TestEditsAtOnceAllCount(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		other := e.open()
		for range 20 {
			m := e.add(members.Member{Username: "ann", Email: "a@example.org", Status: members.Activated})
			edits := []members.Edit{
				{Username: new("anne")}, {Email: new("b@example.org")}, {Firstname: new("Ann")}, {Surname: new("Oak")},
				{Language: new("fr")}, {Admin: new(true)}, {APIAccount: new(true)}, {FirstPassword: "$new"},
			}
			var all sync.WaitGroup
			for i, edit := range edits {
				s := e.Store
				if i%2 == 1 {
					s = other
				}
				all.Go(func() {
					if err := s.SetMember(t.Context(), m.ID, edit); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			want := m
			for _, edit := range edits {
				want = edit.Applied(want, noon)
			}
			if diff := cmp.Diff(want, e.get(m.ID)); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if err := e.RemoveMember(t.Context(), m.ID, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}

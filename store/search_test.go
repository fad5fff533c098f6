package store_test

import (
	"slices"
	"testing"

	"github.com/reseed-project/reseed/members"
)

func TestSearchMembers(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		ann := e.add(members.Member{Username: "ann", Email: "a.archer@example.org", Firstname: "Ann", Surname: "Archer", Status: members.Activated})
		odd := e.add(members.Member{Username: "per%cent", Email: "under_score@example.org", Firstname: "O!", Surname: "Dd", Status: members.Activated})
		anna := e.add(members.Member{Username: "bright", Firstname: "Anna", Surname: "Bright", Status: members.Disabled})
		for text, want := range map[string][]int64{
			"ann": {ann.ID, anna.ID}, "ANN": {ann.ID, anna.ID}, "a.arch": {ann.ID}, "arch": {ann.ID}, "ann arc": {ann.ID}, "Anna B": {anna.ID},
			"ann bright": nil, "%": nil, "_": nil, "per%": {odd.ID}, "per_": nil, "under_": {odd.ID}, "o!": {odd.ID}, "!": nil, "nobody": nil, "no": nil, "0": nil,
		} {
			var got []int64
			for _, m := range must(e.SearchMembers(t.Context(), text, 10))(t) {
				got = append(got, m.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q finds %v, want %v", text, got, want)
			}
		}
		if got := must(e.SearchMembers(t.Context(), "ann", 1))(t); len(got) != 1 {
			t.Errorf("%d members, want 1", len(got))
		}
	})
}

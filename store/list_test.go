package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

func TestListMembersPicks(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		g := must(e.AddGroup(t.Context(), groups.Group{Name: "acme"}))(t)
		e.add(members.Member{Username: "ann", Email: "a_1@example.org", Firstname: "Ann", Status: members.Activated, Admin: true}, g)
		e.add(members.Member{Username: "bob", Surname: "Annan", Status: members.SetPassword, Locked: true})
		e.add(members.Member{Username: "cid", Email: "ax1@example.org", Status: members.Activated, LockedUntil: noon.Add(time.Hour)}, g)
		e.add(members.Member{Username: "dan", Status: members.Disabled, LockedUntil: noon.Add(-time.Hour)})
		for name, c := range map[string]struct {
			filter members.ListFilter
			want   string
		}{
			"all":            {members.ListFilter{}, "[ann bob cid dan]"},
			"a page":         {members.ListFilter{After: 1, Limit: 2}, "[bob cid]"},
			"status":         {members.ListFilter{Status: members.Activated}, "[ann cid]"},
			"group":          {members.ListFilter{Group: g}, "[ann cid]"},
			"admin":          {members.ListFilter{Admin: true}, "[ann]"},
			"locked":         {members.ListFilter{Locked: true}, "[bob cid]"},
			"start of names": {members.ListFilter{Start: "ANN"}, "[ann bob]"},
			"no pattern":     {members.ListFilter{Start: "a_1"}, "[ann]"},
			"several":        {members.ListFilter{Group: g, Locked: true, Status: members.Activated}, "[cid]"},
		} {
			if c.filter.Now = noon; c.filter.Limit == 0 {
				c.filter.Limit = 10
			}
			var names []string
			for _, m := range must(e.ListMembers(t.Context(), c.filter))(t) {
				names = append(names, m.Username)
			}
			if got := fmt.Sprint(names); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
	})
}

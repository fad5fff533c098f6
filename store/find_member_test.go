package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

func TestFindMemberBringsEveryField(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		want := members.Member{
			Username: "VVega", Email: "V.Vega@Example.org", Firstname: "Vincent", Surname: "Véga 😀",
			Status: members.SetPassword, Admin: true, APIAccount: true, Locked: true,
			LockedUntil: noon.Add(time.Microsecond), FailedSignIns: 3, LockThreshold: 7, BadSignIns: 20, FailClient: "one", LockClient: "two", Language: "en-AU",
			Password: "$argon2id$x ", Created: noon, Activated: noon.Add(time.Second),
			LastLogin: noon.Add(2 * time.Second), LastPasswordChange: noon.Add(3 * time.Second),
		}
		got := e.add(want)
		want.ID = got.ID
		if d := cmp.Diff(want, got); d != "" || got.ID < 1 {
			t.Errorf("member (-want +got):\n%s", d)
		}
	})
}

func TestFindMember(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		a, b := e.member("Anna", "anna@example.org"), e.member("Bob", "bob@example.org")
		mailless := e.member("carl", "")
		for name, c := range map[string]struct {
			lookup   members.Lookup
			want     int64
			conflict bool
		}{
			"id":                     {members.Lookup{ID: a.ID}, a.ID, false},
			"username":               {members.Lookup{Username: "anna"}, a.ID, false},
			"username in capitals":   {members.Lookup{Username: "ANNA"}, a.ID, false},
			"email":                  {members.Lookup{Email: "Bob@Example.ORG"}, b.ID, false},
			"email and username":     {members.Lookup{Email: "bob@example.org", Username: "bob"}, b.ID, false},
			"two members":            {members.Lookup{Email: "bob@example.org", Username: "anna"}, 0, true},
			"known and unknown":      {members.Lookup{Email: "bob@example.org", Username: "nemo"}, 0, false},
			"unknown and known":      {members.Lookup{Email: "nemo@example.org", Username: "bob"}, 0, false},
			"both unknown":           {members.Lookup{Email: "nemo@example.org", Username: "nemo"}, 0, false},
			"no email, its username": {members.Lookup{Username: "carl"}, mailless.ID, false},
			"nothing asked":          {members.Lookup{}, 0, false},
			"nobody by id":           {members.Lookup{ID: -1}, 0, false},
			"nobody by name":         {members.Lookup{Username: "nobody"}, 0, false},
			"nobody by email":        {members.Lookup{Email: "nobody@invalid"}, 0, false},
			"id and its email":       {members.Lookup{ID: a.ID, Email: "anna@example.org"}, a.ID, false},
			"id and another's email": {members.Lookup{ID: a.ID, Email: "bob@example.org"}, 0, false},
			"all three":              {members.Lookup{ID: a.ID, Email: a.Email, Username: a.Username}, a.ID, false},
			"an email as username":   {members.Lookup{Username: "bob@example.org"}, 0, false},
			"SQL":                    {members.Lookup{Username: `' OR 1=1 -- \`}, 0, false},
		} {
			got := must(e.FindMember(t.Context(), c.lookup))(t)
			if got.Member.ID != c.want || got.Conflict != c.conflict {
				t.Errorf("%s: member %d, conflict %v; want %d, %v", name, got.Member.ID, got.Conflict, c.want, c.conflict)
			}
			if c.want == 0 && got.Member != (members.Member{}) {
				t.Errorf("%s: nobody has fields: %+v", name, got.Member)
			}
		}
	})
}

func TestFindMemberTellsMemberships(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		g := must(e.AddGroup(t.Context(), groups.Group{Name: "acme"}))(t)
		in := e.add(members.Member{Username: "in", Status: members.Activated}, g)
		out := e.add(members.Member{Username: "out", Status: members.Activated})
		for _, c := range []struct {
			lookup            members.Lookup
			inGroup, callerIn bool
		}{
			{members.Lookup{Username: "in", Group: g}, true, false},
			{members.Lookup{Username: "in", Group: g + 1}, false, false},
			{members.Lookup{Username: "in"}, false, false},
			{members.Lookup{Username: "out", Group: g, Caller: in.ID}, false, true},
			{members.Lookup{Username: "in", Group: g, Caller: out.ID}, true, false},
			{members.Lookup{Username: "nemo", Group: g, Caller: in.ID}, false, true},
		} {
			got := must(e.FindMember(t.Context(), c.lookup))(t)
			if got.InGroup != c.inGroup || got.CallerInGroup != c.callerIn {
				t.Errorf("%+v: in group %v, caller %v; want %v, %v",
					c.lookup, got.InGroup, got.CallerInGroup, c.inGroup, c.callerIn)
			}
		}
	})
}

// Whoever is asked for, the request path runs the same statements (ENU-3).
func TestKnownAndUnknownRunTheSameStatements(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "anna@example.org")
		o := e.order(m.ID)
		request := func(l members.Lookup, token members.Order) func() {
			return func() {
				f := must(e.FindMember(t.Context(), l))(t)
				e.order(f.Member.ID)
				must(e.FindToken(t.Context(), token.Token))(t)
			}
		}
		for _, c := range []struct{ known, unknown members.Lookup }{
			{members.Lookup{Email: "anna@example.org"}, members.Lookup{Email: "nemo@example.org"}},
			{members.Lookup{Email: "anna@example.org"}, members.Lookup{Email: "\U0010FFFF"}},
			{members.Lookup{Username: "anna"}, members.Lookup{Username: "nemo"}},
			{members.Lookup{ID: m.ID}, members.Lookup{ID: 999}},
			{members.Lookup{ID: m.ID}, members.Lookup{}},
			{members.Lookup{Email: "anna@example.org", Username: "anna", Group: 1}, members.Lookup{Email: "anna@example.org", Username: "nemo", Group: 1}},
		} {
			known, unknown := e.asked(request(c.known, o)), e.asked(request(c.unknown, e.newOrder(0)))
			want := 3
			if c.known.Group != 0 {
				want = 5 // one more identifier, and the group
			}
			if d := cmp.Diff(known, unknown); d != "" || len(known) != want {
				t.Errorf("%+v: %d statements, want %d (-known +unknown):\n%s", c.unknown, len(known), want, d)
			}
		}
	})
}

package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
)

func event(t testing.TB, at time.Time, change func(*members.Event)) members.Event {
	t.Helper()
	id, err := mail.NewID(at, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := members.Event{ID: id, At: at, Kind: members.ResetRequested}
	if change != nil {
		change(&e)
	}
	return e
}

func TestEventsBringEveryField(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		want := event(t, noon, func(v *members.Event) {
			v.RequestID, v.MemberID, v.Actor, v.GroupID = "0123456789abcdef", 7, "member 3", 9
			v.Identifier, v.Client, v.Code, v.Detail = "véga'; DROP TABLE events; --", "2001:db8::1", "102A", "x"
		})
		for range 2 { // the second time the answer to the first was lost
			if err := e.AddEvents(t.Context(), []members.Event{want}); err != nil {
				t.Fatal(err)
			}
		}
		got := must(e.Events(t.Context(), store.EventFilter{}))(t)
		if d := cmp.Diff([]members.Event{want}, got); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
	})
}

// What doesn't fit its column is cut by us: the database would refuse the whole batch.
func TestEventsFit(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		long := event(t, noon, func(v *members.Event) {
			v.Identifier, v.Actor, v.Detail = strings.Repeat("😀", 300), strings.Repeat("a", 300), "a\x00b\xff"
		})
		if err := e.AddEvents(t.Context(), []members.Event{long}); err != nil {
			t.Fatal(err)
		}
		got := must(e.Events(t.Context(), store.EventFilter{}))(t)[0]
		if got.Identifier != strings.Repeat("😀", 200) || len(got.Actor) != 120 || got.Detail != "a\uFFFDb\uFFFD" {
			t.Errorf("stored as %q, %q, %q", got.Identifier, got.Actor, got.Detail)
		}
	})
}

func TestEventFilters(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		var all []members.Event
		for i := range 6 {
			all = append(all, event(t, noon.Add(time.Duration(i)*time.Hour), func(v *members.Event) {
				v.MemberID, v.Identifier = int64(i%2), fmt.Sprint("name", i%3)
				if i >= 4 {
					v.Kind = members.SignInRefused
				}
			}))
		}
		if err := e.AddEvents(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			filter store.EventFilter
			want   string
		}{
			"all":         {store.EventFilter{}, "543210"},
			"kind":        {store.EventFilter{Kind: members.SignInRefused}, "54"},
			"member":      {store.EventFilter{MemberID: 1}, "531"},
			"identifier":  {store.EventFilter{Identifier: "name1"}, "41"},
			"since":       {store.EventFilter{Since: all[3].At}, "543"},
			"limit":       {store.EventFilter{Limit: 2}, "54"},
			"before":      {store.EventFilter{Before: all[2].ID}, "10"},
			"all of them": {store.EventFilter{Kind: members.ResetRequested, MemberID: 1, Since: all[1].At, Before: all[3].ID, Limit: 5}, "1"},
		} {
			got := ""
			for _, v := range must(e.Events(t.Context(), c.filter))(t) {
				for i := range all {
					if all[i].ID == v.ID {
						got += fmt.Sprint(i)
					}
				}
			}
			if got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

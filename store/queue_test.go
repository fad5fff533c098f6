package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// farAhead is after every schedule of these tests.
var farAhead = noon.AddDate(1, 0, 0)

// claim claims what there is.
func claim(worker string, at time.Time) mail.Round {
	return mail.Round{Worker: worker, Now: at, Lease: time.Minute, Rescue: true, Latest: farAhead, Claim: 100}
}

func ids(orders []mail.Order) []mail.ID {
	var list []mail.ID
	for _, o := range orders {
		list = append(list, o.ID)
	}
	return list
}

func (e *env) claim(r mail.Round) []mail.Order {
	e.t.Helper()
	claimed, err := e.Round(context.Background(), r)
	if err != nil {
		e.t.Fatal(err)
	}
	return claimed
}

func (e *env) settle(worker string, at time.Time, s mail.Settlement) {
	e.t.Helper()
	e.claim(mail.Round{Worker: worker, Now: at, Settle: []mail.Settlement{s}})
}

func createdAt(at time.Time) func(*members.Order) {
	return func(o *members.Order) { o.Created = at }
}

// New orders and those that are tried again stand in one line.
func TestClaimTakesWhatIsDueOldestFirst(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		late := e.order(1, createdAt(noon.Add(-time.Minute)))
		early := e.order(4, createdAt(noon.Add(-time.Hour)))
		now := e.order(2, createdAt(noon))
		retried := e.order(3)
		e.claim(mail.Round{Worker: "w", Now: noon, Lease: time.Minute, Claim: 1, Only: &retried.ID})
		e.settle("w", noon, mail.Settlement{ID: retried.ID, State: mail.Pending, Due: noon.Add(time.Microsecond)})
		c := claim("w", noon)
		c.Claim = 2
		want := []mail.Order{
			{ID: early.ID, Created: early.Created, Expires: early.Expires},
			{ID: late.ID, Created: late.Created, Expires: late.Expires},
		}
		if d := cmp.Diff(want, e.claim(c)); d != "" {
			t.Errorf("first (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]mail.ID{now.ID}, ids(e.claim(c))); d != "" {
			t.Errorf("second (-want +got):\n%s", d)
		}
		if got := e.claim(c); len(got) != 0 {
			t.Errorf("third claim has %d", len(got))
		}
		r := e.state(early.ID)
		if r.State != mail.Sending || r.ClaimedBy != "w" || !r.LeaseUntil.Equal(noon.Add(time.Minute)) {
			t.Errorf("claimed row %+v", r)
		}
		e.settle("w", noon, mail.Settlement{ID: early.ID, State: mail.Pending, Due: noon.Add(3 * time.Second)})
		e.settle("w", noon, mail.Settlement{ID: late.ID, State: mail.Pending, Due: noon.Add(time.Second)})
		fresh := e.order(4, createdAt(noon.Add(2*time.Second)))
		c = claim("w", noon.Add(4*time.Second))
		c.Claim = 1
		for i, want := range []mail.ID{retried.ID, late.ID, fresh.ID, early.ID} {
			if d := cmp.Diff([]mail.ID{want}, ids(e.claim(c))); d != "" {
				t.Errorf("claim %d of both (-want +got):\n%s", i, d)
			}
		}
	})
}

// A worker that died gives its orders back when its lease ends, and that
// attempt counts (MAI-19).
func TestLeaseThatEndedIsRescued(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		o := e.order(1)
		e.claim(claim("dead", noon))
		end := noon.Add(time.Minute)
		if got := e.claim(claim("w", end.Add(-time.Microsecond))); len(got) != 0 {
			t.Fatal("claimed before the lease ended")
		}
		older, younger := e.order(3, createdAt(noon.Add(-time.Second))), e.order(2, createdAt(noon.Add(time.Second)))
		got := e.claim(claim("w", end))
		if d := cmp.Diff([]mail.ID{older.ID, o.ID, younger.ID}, ids(got)); d != "" ||
			got[0].Attempts != 0 || got[1].Attempts != 1 || got[2].Attempts != 0 {
			t.Fatalf("rescued %+v", got)
		}
		e.settle("dead", end, mail.Settlement{ID: o.ID, State: mail.Sent})
		if r := e.state(o.ID); r.State != mail.Sending || r.ClaimedBy != "w" {
			t.Errorf("who lost the lease settled it: %+v", r)
		}
		e.settle("w", end, mail.Settlement{ID: o.ID, State: mail.Sent, Attempted: true})
		if r := e.state(o.ID); r.State != mail.Sent || r.Attempts != 2 {
			t.Errorf("settled row %+v", r)
		}
	})
}

func TestClaimOnly(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		e.order(1)
		o := e.order(2)
		c := claim("w", noon)
		c.Only = &o.ID
		for _, want := range []int{1, 0} {
			if got := e.claim(c); len(got) != want || want == 1 && got[0].ID != o.ID {
				t.Errorf("claimed %v, want %d", got, want)
			}
		}
		c.Now, c.Worker = noon.Add(time.Minute), "other"
		if got := e.claim(c); len(got) != 1 || got[0].Attempts != 1 {
			t.Errorf("after the lease: %v", got)
		}
		c.Only = &mail.ID{1}
		if got := e.claim(c); len(got) != 0 {
			t.Errorf("claimed an order that is not there: %v", got)
		}
	})
}

func TestSettle(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		at := noon.Add(time.Second)
		due := noon.Add(time.Hour)
		for _, c := range []struct {
			settle                mail.Settlement
			attempts              int
			due, sent, settled    time.Time
			claimableAtDue, final bool
		}{
			{mail.Settlement{State: mail.Sent, Attempted: true}, 1, noon, at, at, false, true},
			{mail.Settlement{State: mail.Dead, Reason: "550 no", Attempted: true}, 1, noon, time.Time{}, at, false, true},
			{mail.Settlement{State: mail.Dropped, Reason: "nobody"}, 0, noon, time.Time{}, at, false, true},
			{mail.Settlement{State: mail.Pending, Due: due, Reason: "451", Attempted: true}, 1, due, time.Time{}, time.Time{}, true, false},
			{mail.Settlement{State: mail.Pending, Due: due}, 0, due, time.Time{}, time.Time{}, true, false},
		} {
			o := e.order(1)
			s := c.settle
			s.ID = o.ID
			only := claim("w", noon)
			only.Only = &o.ID
			e.settle("w", at, s)
			if r := e.state(o.ID); r.State != mail.New || r.Outcome != "" {
				t.Errorf("%s settled without a claim: %+v", s.State, r)
			}
			e.claim(only)
			e.settle("w", at, s)
			r := e.state(o.ID)
			if r.State != s.State || r.Attempts != c.attempts || r.Outcome != s.Reason || r.ClaimedBy != "" ||
				!r.LeaseUntil.IsZero() || !r.SentAt.Equal(c.sent) || !r.Settled.Equal(c.settled) || !r.Due.Equal(c.due) {
				t.Errorf("%s: row %+v", s.State, r)
			}
			only.Now = due
			if got := len(e.claim(only)) == 1; got != c.claimableAtDue {
				t.Errorf("%s: claimable when due: %v", s.State, got)
			}
		}
	})
}

func TestAnyReasonFits(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for in, want := range map[string]string{
			strings.Repeat("é", 1001): strings.Repeat("é", 1000),
			"bad \xff byte":           "bad \uFFFD byte",
			"nul \x00 and 😀 '\\":      "nul \uFFFD and 😀 '\\",
		} {
			o := e.order(1)
			e.claim(claim("w", noon))
			e.settle("w", noon, mail.Settlement{ID: o.ID, State: mail.Dead, Reason: in})
			if got := e.state(o.ID).Outcome; got != want {
				t.Errorf("%.20q: outcome %.20q", in, got)
			}
		}
	})
}

// Eight workers with stores of their own never hold one order twice (F15).
func TestWorkersNeverShareAnOrder(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		want := map[mail.ID]bool{}
		for range 200 {
			want[e.order(1).ID] = true
		}
		var mu sync.Mutex
		got := map[mail.ID]string{}
		var all sync.WaitGroup
		for w := range 8 {
			s, name := e.open(), fmt.Sprint("worker ", w)
			all.Go(func() {
				for idle := 0; idle < 2; {
					claimed, err := s.Round(context.Background(), mail.Round{Worker: name, Now: noon, Lease: time.Hour, Latest: farAhead, Claim: 7})
					if err != nil {
						t.Error(err)
						return
					}
					if len(claimed) == 0 {
						idle++
					}
					mu.Lock()
					for _, j := range claimed {
						if other, ok := got[j.ID]; ok {
							t.Errorf("%s is held by %s and %s", j.ID, other, name)
						}
						got[j.ID] = name
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(got) != len(want) {
			t.Errorf("%d orders claimed, want %d", len(got), len(want))
		}
	})
}

// An order that is repeated since its answer was lost is there once (FLT-4).
func TestAddOrderTwiceIsOneOrder(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		o := e.order(1)
		if err := e.AddOrder(t.Context(), o); err != nil {
			t.Errorf("the same again: %v", err)
		}
		for name, change := range map[string]func(*members.Order){
			"another member": func(o *members.Order) { o.MemberID = 2 },
			"another token":  func(o *members.Order) { o.Token[0]++ },
			"another id":     func(o *members.Order) { o.ID[15]++ },
		} {
			other := o
			change(&other)
			if err := e.AddOrder(t.Context(), other); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		if got := must(e.Mails(t.Context(), filter{}))(t); len(got) != 1 {
			t.Errorf("%d orders", len(got))
		}
	})
}

func (e *env) input(id mail.ID) members.MailInput {
	e.t.Helper()
	return must(e.MailInputs(e.t.Context(), []mail.ID{id}, 2))(e.t)[id]
}

// However many orders there are, each has what belongs to it.
func TestMailInputsOfMany(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		want := map[mail.ID]string{}
		var list []mail.ID
		for i := range 300 {
			name := fmt.Sprint("user", i)
			o := e.order(e.member(name, name+"@example.org").ID)
			want[o.ID], list = name, append(list, o.ID)
		}
		for _, n := range []int{0, 1, 2, 16, 17, 128, 129, 300} {
			got := map[mail.ID]string{}
			for id, in := range must(e.MailInputs(t.Context(), list[:n], 1))(t) {
				got[id] = in.Member.Username
			}
			for _, id := range list[:n] {
				if got[id] != want[id] {
					t.Errorf("of %d: %q, want %q", n, got[id], want[id])
				}
			}
		}
	})
}

func TestMailInput(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		g := groups.Group{Name: "acme", Title: "Acme", Description: "d"}
		g.ID = must(e.AddGroup(t.Context(), g))(t)
		m := e.member("anna", "anna@example.org")
		before := func(d time.Duration, change func(*members.Order)) members.Order {
			return e.order(m.ID, createdAt(noon.Add(-d)), change)
		}
		same := func(*members.Order) {}
		before(time.Hour, same)
		before(time.Hour+time.Microsecond, same) // too old to count
		before(time.Minute, func(o *members.Order) { o.Token = password.TokenHash{} })
		dropped := before(time.Minute, same)
		only := claim("w", noon)
		only.Only = &dropped.ID
		e.claim(only)
		e.settle("w", noon, mail.Settlement{ID: dropped.ID, State: mail.Dropped})
		e.order(m.ID+1, createdAt(noon.Add(-time.Minute))) // another's
		earlier := e.order(m.ID)                           // the same instant, made before
		o := e.order(m.ID, func(o *members.Order) {
			o.GroupID = g.ID
			o.Options.RedirectURL = "https://example.org"
		})
		e.order(m.ID) // made after
		want := members.MailInput{Order: o, Member: m, Group: g, OverLimit: true}
		opt := cmp.Comparer(func(a, b password.Hash) bool { return a == b })
		if d := cmp.Diff(want, e.input(o.ID), opt); d != "" {
			t.Errorf("detail (-want +got):\n%s", d)
		}
		if d := must(e.MailInputs(t.Context(), []mail.ID{o.ID}, 3))(t)[o.ID]; d.OverLimit {
			t.Error("two orders are over a limit of three")
		}
		e.complete(completion(earlier))
		if d := e.input(o.ID); !d.Used || !d.OverLimit {
			t.Errorf("after another token was used: used %v, over the limit %v", d.Used, d.OverLimit)
		}
	})
}

func TestMailInputOfAnUnaddressedOrder(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for _, member := range []int64{0, 999} {
			e.order(0)
			o := e.order(member, func(o *members.Order) { o.GroupID = 999 })
			want := members.MailInput{Order: o}
			if d := cmp.Diff(want, e.input(o.ID)); d != "" {
				t.Errorf("member %d (-want +got):\n%s", member, d)
			}
		}
		if got := must(e.MailInputs(t.Context(), []mail.ID{{1}}, 1))(t); len(got) != 0 {
			t.Errorf("an order that is not there: %+v", got)
		}
	})
}

func TestMailsForAdministrators(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("anna", "anna@example.org")
		var all []mail.ID
		for i := range 5 {
			all = append(all, e.order([]int64{m.ID, 0}[i%2]).ID)
		}
		e.claim(mail.Round{Worker: "w", Now: noon, Lease: time.Minute, Latest: farAhead, Claim: 1})
		e.settle("w", noon, mail.Settlement{ID: all[0], State: mail.Dead, Reason: "550", Attempted: true})
		newest := slices.Clone(all)
		slices.Reverse(newest)
		for name, c := range map[string]struct {
			filter filter
			want   []mail.ID
		}{
			"all":       {filter{}, newest},
			"limit":     {filter{Limit: 2}, newest[:2]},
			"next page": {filter{Limit: 2, Before: newest[1]}, newest[2:4]},
			"dead":      {filter{State: mail.Dead}, all[:1]},
			"member's":  {filter{MemberID: m.ID}, []mail.ID{all[4], all[2], all[0]}},
			"none":      {filter{State: mail.Sent}, nil},
		} {
			var got []mail.ID
			for _, r := range must(e.Mails(t.Context(), c.filter))(t) {
				got = append(got, r.ID)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
		if d := cmp.Diff(map[mail.State]int{mail.Dead: 1, mail.New: 2, mail.Dropped: 2}, must(e.Counts(t.Context()))(t)); d != "" {
			t.Errorf("counts (-want +got):\n%s", d)
		}
		if r := e.state(all[0]); r.Username != "anna" || r.Email != "anna@example.org" || e.state(all[1]).Email != "" {
			t.Errorf("row %+v, of nobody %+v", r, e.state(all[1]))
		}
	})
}

func TestRetryMail(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		later := noon.Add(30 * time.Minute)
		for state, want := range map[mail.State]bool{
			mail.Dead: true, mail.Pending: true, mail.Sending: false, mail.Sent: false, mail.Dropped: false,
		} {
			o := e.order(1)
			e.claim(claim("w", noon))
			if state != mail.Sending {
				e.settle("w", noon, mail.Settlement{ID: o.ID, State: state, Due: later.Add(time.Hour), Attempted: true, Reason: "r"})
			}
			got := must(e.RetryMail(t.Context(), o.ID, later))(t)
			r := e.state(o.ID)
			if got != want || want && (r.State != mail.Pending || !r.Due.Equal(later) || !r.Settled.IsZero() || r.Outcome != "") {
				t.Errorf("%s: retried %v, row %+v", state, got, r)
			}
			if !want && r.State != state {
				t.Errorf("%s became %s", state, r.State)
			}
			if fresh := r.Attempts == 0; fresh != (state == mail.Dead || state == mail.Sending) {
				t.Errorf("%s: %d attempts", state, r.Attempts)
			}
			e.claim(claim("w", noon.Add(100*time.Hour))) // out of the way of the next
		}
		if must(e.RetryMail(t.Context(), mail.ID{1}, noon))(t) {
			t.Error("retried an order that is not there")
		}
		expiring := e.order(1)
		e.claim(claim("w", noon))
		e.settle("w", noon, mail.Settlement{ID: expiring.ID, State: mail.Dead, Attempted: true, Reason: "r"})
		for at, want := range map[time.Time]bool{expiring.Expires: false, expiring.Expires.Add(-time.Microsecond): true} {
			if got := must(e.RetryMail(t.Context(), expiring.ID, at))(t); got != want {
				t.Errorf("retried %v before its end: %v", expiring.Expires.Sub(at), got)
			}
		}
	})
}

// An order that a clock put off which was ahead is claimed at once, and not as
// long before its time as it was put off by (FLT-11).
func TestClaimTakesWhatAWrongClockPutOff(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		strayed, soon := e.order(e.member("a", "").ID), e.order(e.member("b", "").ID)
		day, hour := noon.Add(24*time.Hour), noon.Add(time.Hour)
		for _, at := range []struct {
			id  mail.ID
			due time.Time
		}{{strayed.ID, day}, {soon.ID, hour}} {
			e.claim(mail.Round{Worker: "w", Now: noon, Lease: time.Minute, Latest: farAhead, Claim: 1, Only: &at.id})
			e.settle("w", noon, mail.Settlement{ID: at.id, State: mail.Pending, Due: at.due})
		}
		if got := e.claim(claim("w", noon)); len(got) != 0 {
			t.Errorf("without an end of schedules %d are claimed", len(got))
		}
		c := claim("w", noon)
		c.Latest = hour
		if got := ids(e.claim(c)); len(got) != 1 || got[0] != strayed.ID {
			t.Errorf("claimed %v, want %v alone", got, strayed.ID)
		}
	})
}

// The same holds for one that was made while the clock was ahead; one that was
// made for a time to come waits for it.
func TestNewOrdersOfAWrongClockAreClaimed(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		strayed, soon := e.order(1, createdAt(noon.Add(24*time.Hour))), e.order(2, createdAt(noon.Add(time.Second)))
		c := claim("w", noon)
		c.Latest = noon.Add(time.Hour)
		if d := cmp.Diff([]mail.ID{strayed.ID}, ids(e.claim(c))); d != "" {
			t.Errorf("claimed at once (-want +got):\n%s", d)
		}
		c.Now = noon.Add(time.Second)
		if d := cmp.Diff([]mail.ID{soon.ID}, ids(e.claim(c))); d != "" {
			t.Errorf("claimed when due (-want +got):\n%s", d)
		}
	})
}

// A worker whose clock was ahead died: its orders do not wait for that time.
func TestLeaseOfAClockThatWasAheadIsRescued(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		o := e.order(1)
		day := noon.Add(24 * time.Hour)
		e.claim(claim("ahead", day))
		c := claim("w", noon)
		c.Lease = day.Sub(noon)
		if got := e.claim(c); len(got) != 0 {
			t.Errorf("%d are claimed whose lease may be as long", len(got))
		}
		c.Lease = time.Minute
		if got := ids(e.claim(c)); len(got) != 1 || got[0] != o.ID {
			t.Errorf("claimed %v, want %v", got, o.ID)
		}
		if r := e.state(o.ID); r.ClaimedBy != "w" || !r.LeaseUntil.Equal(noon.Add(c.Lease)) {
			t.Errorf("claimed row %+v", r)
		}
	})
}

// An order for an unknown member is a row of the same statement as a member's, and
// is dropped from the start: it never stands before a member's (ENU-2).
func TestUnaddressedOrdersAreDroppedFromTheStart(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		var each [2][]string
		var made [2]mail.ID
		for i, member := range []int64{0, 2} {
			each[i] = e.asked(func() { made[i] = e.order(member).ID })
		}
		if d := cmp.Diff(each[0], each[1]); d != "" {
			t.Errorf("nobody's and a member's order differ (-nobody +member):\n%s", d)
		}
		if o := e.state(made[0]); o.State != mail.Dropped || !o.Settled.IsZero() || o.Outcome != "no such member" {
			t.Errorf("for nobody: %+v", o)
		}
		for range 10 {
			e.order(-1)
		}
		r := claim("w", noon)
		r.Claim = 1
		if got := ids(e.claim(r)); len(got) != 1 || got[0] != made[1] {
			t.Errorf("claimed %v, want %v", got, made[1])
		}
	})
}

// A few orders for unknown members are handed out as a member's are, once each,
// by the same statements, and say whose they are (ENU-2).
func TestRoundHandsOutDecoys(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		r := mail.Round{Worker: "w", Now: noon, Lease: time.Minute, Decoys: 2, Claim: 100}
		var each [2][]string
		for i, member := range []int64{0, 2} {
			o := e.order(member)
			var got []mail.Order
			each[i] = e.asked(func() { got = e.claim(r) })
			if len(got) != 1 || got[0].ID != o.ID || got[0].Decoy != (member == 0) {
				t.Errorf("member %d: %+v", member, got)
			}
			e.settle("w", noon, mail.Settlement{ID: o.ID, State: mail.Dropped, Attempted: true})
		}
		if d := cmp.Diff(each[0], each[1]); d != "" {
			t.Errorf("nobody's and a member's order differ (-nobody +member):\n%s", d)
		}
		made := func(member int64, after time.Duration) mail.ID {
			return e.order(member, createdAt(noon.Add(after))).ID
		}
		old, first, second, third := made(0, 0), made(0, 3*time.Second), made(0, 4*time.Second), made(0, 5*time.Second)
		mailed := []mail.ID{made(2, time.Second), made(2, 2*time.Second)}
		r.Now = noon.Add(3500 * time.Millisecond)
		for _, c := range []struct {
			claim int
			want  []mail.ID
		}{{2, mailed}, {100, []mail.ID{first, second}}, {100, []mail.ID{third}}, {100, nil}} {
			r.Claim = c.claim
			if d := cmp.Diff(c.want, ids(e.claim(r))); d != "" {
				t.Errorf("claimed (-want +got):\n%s", d)
			}
		}
		if o := e.state(old); o.State != mail.Dropped || o.Outcome != "no such member" {
			t.Errorf("one of seconds before: %+v", o)
		}
	})
}

// Whoever waits for the attempt for an unknown member waits for one (ENU-2).
func TestOnlyADecoy(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		o := e.order(0)
		r := mail.Round{Worker: "w", Now: noon.Add(time.Hour), Lease: time.Minute, Claim: 1, Only: &o.ID}
		if got := e.claim(r); len(got) != 1 || !got[0].Decoy {
			t.Errorf("claimed %+v", got)
		}
		e.settle("w", noon, mail.Settlement{ID: o.ID, State: mail.Dropped, Attempted: true})
		if got := e.claim(r); len(got) != 0 {
			t.Errorf("claimed again: %+v", got)
		}
	})
}

// A claim is renewed by its worker alone.
func TestRenew(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		o := e.order(1)
		e.claim(claim("w", noon))
		later := noon.Add(30 * time.Second)
		e.claim(mail.Round{Worker: "other", Now: later, Lease: time.Minute, Renew: []mail.ID{o.ID}})
		if got := e.state(o.ID).LeaseUntil; !got.Equal(noon.Add(time.Minute)) {
			t.Errorf("renewed by another: until %v", got)
		}
		e.claim(mail.Round{Worker: "w", Now: later, Lease: time.Minute, Renew: []mail.ID{o.ID}, Rescue: true, Latest: farAhead})
		if got := e.state(o.ID); !got.LeaseUntil.Equal(later.Add(time.Minute)) || got.State != mail.Sending {
			t.Errorf("renewed: %+v", got)
		}
	})
}

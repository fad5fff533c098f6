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

	"reseed/groups"
	"reseed/mail"
	"reseed/members"
	"reseed/password"
)

func claim(worker string, at time.Time) mail.Claim {
	return mail.Claim{Worker: worker, Now: at, Lease: time.Minute, Limit: 100}
}

func ids(jobs []mail.Job) []mail.ID {
	var list []mail.ID
	for _, j := range jobs {
		list = append(list, j.ID)
	}
	return list
}

func (e *env) claim(c mail.Claim) []mail.Job {
	e.t.Helper()
	jobs, err := e.Claim(context.Background(), c)
	if err != nil {
		e.t.Fatal(err)
	}
	return jobs
}

func (e *env) settle(s mail.Settlement) {
	e.t.Helper()
	if err := e.Settle(context.Background(), s); err != nil {
		e.t.Fatal(err)
	}
}

func createdAt(at time.Time) func(*members.Order) {
	return func(o *members.Order) { o.Created = at }
}

func TestClaimTakesWhatIsDueOldestFirst(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		late := e.order(1, createdAt(noon.Add(-time.Minute)))
		early := e.order(0, createdAt(noon.Add(-time.Hour)))
		now := e.order(2, createdAt(noon))
		e.order(3, createdAt(noon.Add(time.Microsecond)))
		c := claim("w", noon)
		c.Limit = 2
		want := []mail.Job{
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
		e.settle(mail.Settlement{ID: o.ID, Worker: "dead", State: mail.Sent, At: end})
		if r := e.state(o.ID); r.State != mail.Sending || r.ClaimedBy != "w" {
			t.Errorf("who lost the lease settled it: %+v", r)
		}
		e.settle(mail.Settlement{ID: o.ID, Worker: "w", State: mail.Sent, At: end, Attempted: true})
		if r := e.state(o.ID); r.State != mail.Sent || r.Attempts != 2 {
			t.Errorf("settled row %+v", r)
		}
	})
}

func TestClaimOnly(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		e.order(1)
		o := e.order(2)
		c := claim("w", noon.Add(-time.Microsecond))
		c.Only = &o.ID
		if got := e.claim(c); len(got) != 0 {
			t.Error("claimed before it was due")
		}
		c.Now = noon
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
			s.ID, s.Worker, s.At = o.ID, "w", at
			only := claim("w", noon)
			only.Only = &o.ID
			e.settle(s)
			if r := e.state(o.ID); r.State != mail.Pending || r.Outcome != "" {
				t.Errorf("%s settled without a claim: %+v", s.State, r)
			}
			e.claim(only)
			e.settle(s)
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
			e.settle(mail.Settlement{ID: o.ID, Worker: "w", State: mail.Dead, Reason: in, At: noon})
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
					jobs, err := s.Claim(context.Background(), mail.Claim{Worker: name, Now: noon, Lease: time.Hour, Limit: 7})
					if err != nil {
						t.Error(err)
						return
					}
					if len(jobs) == 0 {
						idle++
					}
					mu.Lock()
					for _, j := range jobs {
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

func TestOrderDetail(t *testing.T) {
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
		e.settle(mail.Settlement{ID: dropped.ID, Worker: "w", State: mail.Dropped, At: noon})
		e.order(m.ID+1, createdAt(noon.Add(-time.Minute))) // another's
		earlier := e.order(m.ID)                           // the same instant, made before
		o := e.order(m.ID, func(o *members.Order) {
			o.GroupID = g.ID
			o.Options.RedirectURL = "https://example.org"
		})
		e.order(m.ID) // made after
		want := members.OrderDetail{Order: o, Member: m, Group: g, Recent: 2}
		opt := cmp.Comparer(func(a, b password.Hash) bool { return a == b })
		since := noon.Add(-time.Hour)
		if d := cmp.Diff(want, must(e.OrderDetail(t.Context(), o.ID, since))(t), opt); d != "" {
			t.Errorf("detail (-want +got):\n%s", d)
		}
		e.complete(completion(earlier))
		if d := must(e.OrderDetail(t.Context(), o.ID, since))(t); !d.Used || d.Recent != 2 {
			t.Errorf("after another token was used: used %v, recent %d", d.Used, d.Recent)
		}
	})
}

func TestOrderDetailOfNobody(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for _, member := range []int64{0, 999} {
			e.order(0)
			o := e.order(member, func(o *members.Order) { o.GroupID = 999 })
			want := members.OrderDetail{Order: o}
			if d := cmp.Diff(want, must(e.OrderDetail(t.Context(), o.ID, noon.Add(-time.Hour)))(t)); d != "" {
				t.Errorf("member %d (-want +got):\n%s", member, d)
			}
		}
		if _, err := e.OrderDetail(t.Context(), mail.ID{1}, noon); err == nil {
			t.Error("an order that is not there has a detail")
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
		e.claim(mail.Claim{Worker: "w", Now: noon, Lease: time.Minute, Limit: 1})
		e.settle(mail.Settlement{ID: all[0], Worker: "w", State: mail.Dead, Reason: "550", At: noon, Attempted: true})
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
		if d := cmp.Diff(map[mail.State]int{mail.Dead: 1, mail.Pending: 4}, must(e.Counts(t.Context()))(t)); d != "" {
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
				e.settle(mail.Settlement{ID: o.ID, Worker: "w", State: state, Due: later.Add(time.Hour), At: noon, Attempted: true, Reason: "r"})
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
		e.settle(mail.Settlement{ID: expiring.ID, Worker: "w", State: mail.Dead, At: noon, Attempted: true, Reason: "r"})
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
			e.claim(mail.Claim{Worker: "w", Now: noon, Lease: time.Minute, Limit: 1, Only: &at.id})
			e.settle(mail.Settlement{ID: at.id, Worker: "w", State: mail.Pending, Due: at.due, At: noon})
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

// A worker whose clock was ahead died: its orders do not wait for that time.
func TestLeaseOfAClockThatWasAheadIsRescued(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		o := e.order(1)
		day, hour := noon.Add(24*time.Hour), noon.Add(time.Hour)
		e.claim(claim("ahead", day))
		c := claim("w", noon)
		if got := e.claim(c); len(got) != 0 {
			t.Errorf("without an end of leases %d are claimed", len(got))
		}
		c.Latest = day.Add(c.Lease)
		if got := e.claim(c); len(got) != 0 {
			t.Errorf("%d are claimed whose lease ends in time", len(got))
		}
		c.Latest = hour
		if got := ids(e.claim(c)); len(got) != 1 || got[0] != o.ID {
			t.Errorf("claimed %v, want %v", got, o.ID)
		}
		if r := e.state(o.ID); r.ClaimedBy != "w" || !r.LeaseUntil.Equal(noon.Add(c.Lease)) {
			t.Errorf("claimed row %+v", r)
		}
	})
}

// A worker is told what it holds, and nothing of others.
func TestHeld(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		mine, sent, others := e.order(1), e.order(2), e.order(3)
		e.order(4)
		for _, c := range []struct {
			worker string
			id     mail.ID
		}{{"w", mine.ID}, {"w", sent.ID}, {"other", others.ID}} {
			e.claim(mail.Claim{Worker: c.worker, Now: noon, Lease: time.Minute, Limit: 1, Only: &c.id})
		}
		e.settle(mail.Settlement{ID: sent.ID, Worker: "w", State: mail.Sent, At: noon})
		if held := must(e.Held(t.Context(), "w"))(t); len(held) != 1 || held[0] != mine.ID {
			t.Errorf("w holds %v, want %v", held, mine.ID)
		}
		if held := must(e.Held(t.Context(), "nobody"))(t); len(held) != 0 {
			t.Errorf("nobody holds %v", held)
		}
	})
}

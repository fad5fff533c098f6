package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// orders makes the orders of an import.
func (e *env) orders() func(members.Member) (members.Order, bool, error) {
	return func(m members.Member) (members.Order, bool, error) {
		if m.Username == "nomail" {
			return members.Order{}, false, nil
		}
		id, err := mail.NewID(noon, nil)
		return members.Order{ID: id, Template: members.SetPasswordTemplate, Purpose: password.Recovery, MemberID: m.ID, Addressed: true,
			Token: password.HashToken(m.Username), Created: noon, Expires: noon.Add(1)}, true, err
	}
}

func TestImportAddsChangesAndMailsTogether(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		one := must(e.AddGroup(t.Context(), groups.Group{Name: "one"}))(t)
		two := must(e.AddGroup(t.Context(), groups.Group{Name: "two"}))(t)
		old := must(e.AddMembers(t.Context(), []members.NewMember{
			{Member: members.Member{Username: "old", Status: members.SetPassword, Admin: true}, Groups: []int64{one}},
			{Member: members.Member{Username: "secret", Status: members.Activated, Password: "h1"}},
		}))(t)
		changed := members.MemberUpdate{
			MemberID: old[0], Groups: []int64{one, two},
			Edit: members.Edit{Username: new("new"), Email: new("new@example.org"), Surname: new("New"),
				Language: new("de"), Admin: new(false), FirstPassword: "h2"},
			Memberships: []members.Membership{{Group: groups.Group{ID: one}, Role: groups.Manager, Notification: groups.Daily}},
		}
		kept := members.MemberUpdate{MemberID: old[1], Edit: members.Edit{FirstPassword: "h2"}}
		ids := must(e.Import(t.Context(), members.ImportBatch{
			Add: batch("a", "nomail"), Change: []members.MemberUpdate{changed, kept}, Order: e.orders(),
		}))(t)
		if len(ids) != 2 {
			t.Fatalf("ids %v, want two", ids)
		}
		got := must(e.FindMember(t.Context(), members.Lookup{ID: old[0]}))(t).Member
		want := members.Member{ID: old[0], Username: "new", Email: "new@example.org", Surname: "New", Language: "de",
			Status: members.Activated, Activated: noon, Password: "h2", Created: got.Created}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the changed member (-want +got):\n%s", diff)
		}
		if got := must(e.FindMember(t.Context(), members.Lookup{ID: old[1]}))(t).Member.Password; got != "h1" {
			t.Errorf("the password that was there is %q now", got)
		}
		role := must(e.FindMembership(t.Context(), one, old[0]))(t).Role
		if joined := must(e.FindMembership(t.Context(), two, old[0]))(t); role != groups.Manager || joined.Role != groups.Contributor {
			t.Errorf("roles %q and %q", role, joined.Role)
		}
		mails := must(e.Mails(t.Context(), members.MailFilter{}))(t)
		if len(mails) != 1 || mails[0].MemberID != ids[0] || mails[0].State != mail.New {
			t.Errorf("mails %+v, want one new one to member %d", mails, ids[0])
		}
	})
}

// A batch of an import is made as a whole or not at all.
func TestImportIsAllOrNothing(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		first, second := e.member("first", "").ID, e.member("second", "").ID
		change := []members.MemberUpdate{
			{MemberID: first, Edit: members.Edit{Username: new("renamed")}},
			{MemberID: second, Edit: members.Edit{Username: new("TAKEN")}},
		}
		_, err := e.Import(t.Context(), members.ImportBatch{Add: batch("taken"), Change: change, Order: e.orders()})
		var taken *members.TakenError
		if !errors.As(err, &taken) || taken.Index != 2 {
			t.Errorf("error %v %+v, want the third of the batch", err, taken)
		}
		if got := must(e.FindMember(t.Context(), members.Lookup{ID: first}))(t).Member.Username; got != "first" {
			t.Errorf("the first member's name is %q", got)
		}
		if got := must(e.FindMember(t.Context(), members.Lookup{Username: "taken"}))(t).Member; !got.Zero() {
			t.Errorf("member %d was added", got.ID)
		}
		if mails := must(e.Mails(t.Context(), members.MailFilter{}))(t); len(mails) != 0 {
			t.Errorf("%d mails are queued", len(mails))
		}
	})
}

// A link that is handed over works, and no worker gets to send its mail.
func TestHandedOverLinkIsNeverMailed(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("ann", "ann@example.org").ID
		order := members.Order{ID: must(mail.NewID(noon, nil))(t), Template: members.ConfirmTemplate, Purpose: password.Reset, MemberID: m,
			Addressed: true, Token: password.HashToken("given"), Created: noon, Expires: noon.Add(1)}
		if err := e.AddHandedOver(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		r := must(e.Round(t.Context(), mail.Round{Worker: "w", Now: noon, Lease: 1, Latest: noon, Rescue: true, Claim: 10}))(t)
		if len(r) != 0 {
			t.Errorf("a round took %d orders", len(r))
		}
		done := must(e.Complete(t.Context(), members.Completion{MemberID: m, Token: order.Token, Password: "h", At: noon}))(t)
		if !done {
			t.Error("the token does not work")
		}
	})
}

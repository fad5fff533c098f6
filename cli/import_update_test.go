package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/members"
)

// Between the reading of a line and the writing of its batch somebody else may
// change the member: what the line doesn't change stays as that leaves it.
func TestImportUpdateLeavesWhatChangedMeanwhile(t *testing.T) {
	now := time.Now().UTC()
	c := &ImportCmd{Update: true, NotifyRate: 2}
	im, _ := importing(t, c, &now, func() {})
	ids, err := im.AddMembers(t.Context(), []members.NewMember{{Member: members.Member{Username: "ann", Email: "a@example.org", Status: members.SetPassword}}})
	if err != nil {
		t.Fatal(err)
	}
	im.progress = func(int) {
		if err := im.SetMember(t.Context(), ids[0], members.Edit{Email: new("b@example.org"), Status: new(members.Disabled)}); err != nil {
			t.Error(err)
		}
	}
	const hash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
	if err := im.run(t.Context(), strings.NewReader("username,email,surname,password_hash\nann,a@example.org,Oak,"+hash+"\n"), c); err != nil {
		t.Fatal(err)
	}
	found, err := im.FindMember(t.Context(), members.Lookup{ID: ids[0]})
	if err != nil {
		t.Fatal(err)
	}
	m := found.Member
	if m.Surname != "Oak" || m.Email != "b@example.org" || m.Status != members.Disabled || m.Password != hash {
		t.Errorf("surname %s, address %s, status %s, password %t", m.Surname, m.Email, m.Status, m.Password != "")
	}
}

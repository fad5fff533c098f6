package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/members"
)

// A lock without end is shown as one, not by the date that stands for it.
func TestMemberShowALockWithoutEnd(t *testing.T) {
	cfg := &config.Config{Data: t.TempDir(), Migrate: "auto"}
	cfg.Complete()
	d, err := openDirectory(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	locked := members.Member{Username: "ann", Status: members.Activated, LockedUntil: time.Date(9999, 1, 1, 0, 0, 0, 1000, time.UTC)}
	if _, err := d.AddMembers(t.Context(), []members.NewMember{{Member: locked}}); err != nil {
		t.Fatal(err)
	}
	for asJSON, want := range map[bool]string{false: "locked-until\tuntil unlocked\n", true: `"locked-until":"until unlocked"`} {
		var out bytes.Buffer
		show := MemberShowCmd{Member: "ann", JSON: asJSON}
		if err := show.Run(t.Context(), &Console{Out: &out, Now: time.Now}, cfg); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v: %s", err, out.String())
		}
	}
}

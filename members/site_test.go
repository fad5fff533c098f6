package members

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/password"
)

func TestParseSiteID(t *testing.T) {
	const id = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1"
	for _, in := range []string{id, strings.ToUpper(id)} {
		if got, err := ParseSiteID(in); got != id || err != nil {
			t.Errorf("ParseSiteID(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", id[:35], id + "0", "{" + id + "}", strings.ReplaceAll(id, "-", ""), strings.Replace(id, "-", "0", 1),
		"0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0fg", "0f1e2d3c04b5a-4978-8695-a4b3c2d1e0f1", " " + id[1:], "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0\u0131",
	} {
		if got, err := ParseSiteID(in); err == nil {
			t.Errorf("ParseSiteID(%q) = %q", in, got)
		}
	}
}

func TestNewSiteID(t *testing.T) {
	version4 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 100 {
		id, err := NewSiteID(nil)
		if err != nil || !version4.MatchString(id) || seen[id] {
			t.Fatalf("NewSiteID() = %q, %v, seen before: %v", id, err, seen[id])
		}
		if parsed, err := ParseSiteID(id); parsed != id || err != nil {
			t.Errorf("ParseSiteID(%q) = %q, %v", id, parsed, err)
		}
		seen[id] = true
	}
	if _, err := NewSiteID(bytes.NewReader(nil)); err == nil {
		t.Error("an id without randomness")
	}
}

func TestNewAPIKey(t *testing.T) {
	key := regexp.MustCompile(`^reseed_[A-Za-z0-9_-]{43}$`)
	a, errA := NewAPIKey(nil)
	b, errB := NewAPIKey(nil)
	if errA != nil || errB != nil || !key.MatchString(a) || !key.MatchString(b) || a == b {
		t.Errorf("keys of %d and %d characters, alike: %v, errors %v, %v", len(a), len(b), a == b, errA, errB)
	}
	if _, err := NewAPIKey(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("a key without randomness")
	}
}

func TestKeyRefusal(t *testing.T) {
	const here, there = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1", "11111111-2222-4333-8444-555555555555"
	good := APIKey{ID: 7, Scopes: []Scope{"other", ManageMembers}, Site: WixSite{ID: 1, UUID: here}}
	for name, c := range map[string]struct {
		change func(*APIKey)
		site   string
		want   int // status; 0: none
	}{
		"good":          {func(*APIKey) {}, here, 0},
		"no key":        {func(k *APIKey) { *k = APIKey{} }, here, 401},
		"no scope":      {func(k *APIKey) { k.Scopes = nil }, here, 403},
		"another scope": {func(k *APIKey) { k.Scopes = []Scope{"manage-members-not"} }, here, 403},
		"another site":  {func(*APIKey) {}, there, 403},
		"no site":       {func(*APIKey) {}, "", 403},
		"no UUID":       {func(k *APIKey) { k.Site.UUID = "" }, "", 403},
	} {
		k := good
		c.change(&k)
		err := k.refusal(c.site)
		if got := statusOf(err); got != c.want {
			t.Errorf("%s: %v has status %d, want %d", name, err, got, c.want)
		}
	}
}

func statusOf(err error) int {
	if err == nil {
		return 0
	}
	return errcodes.From(err).HTTPStatus()
}

// The error of an expired token is told from others only if the token would
// have been good.
func TestRecovers(t *testing.T) {
	m := Member{ID: 3, Status: SetPassword}
	record := FoundToken{MemberID: 3, Purpose: password.Recovery}
	for name, c := range map[string]struct {
		change func(*FoundToken, *Member)
		code   errcodes.Code
	}{
		"used":        {func(r *FoundToken, _ *Member) { r.Used = true }, errcodes.InvalidToken},
		"reset":       {func(r *FoundToken, _ *Member) { r.Purpose = password.Reset }, errcodes.InvalidToken},
		"another's":   {func(r *FoundToken, _ *Member) { r.MemberID = 4 }, errcodes.InvalidToken},
		"nobody's":    {func(r *FoundToken, m *Member) { r.MemberID, *m = 0, Member{} }, errcodes.InvalidToken},
		"disabled":    {func(_ *FoundToken, m *Member) { m.Status = Disabled }, errcodes.InvalidToken},
		"locked":      {func(_ *FoundToken, m *Member) { m.Locked = true }, errcodes.InvalidToken},
		"API account": {func(_ *FoundToken, m *Member) { m.APIAccount = true }, errcodes.InvalidToken},
	} {
		r, who := record, m
		c.change(&r, &who)
		err := r.recovers(Found{Member: who}, r.Expires)
		if err == nil || errcodes.From(err).Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if late := r.recovers(Found{Member: who}, r.Expires.Add(1)); late == nil || late.Error() != err.Error() {
			t.Errorf("%s, and expired: %v", name, late)
		}
	}
	if err := record.recovers(Found{Member: m}, record.Expires); err != nil {
		t.Errorf("at the last moment: %v", err)
	}
	if err := record.recovers(Found{Member: m}, record.Expires.Add(1)); !errors.Is(err, ErrTokenExpired) {
		t.Errorf("expired: %v", err)
	}
}

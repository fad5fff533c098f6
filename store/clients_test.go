package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

func (e *env) client(id string, m members.Member) members.Client {
	e.t.Helper()
	c := members.Client{ID: id, Name: "n" + id, Secret: tokenHash(id), Member: m}
	if err := e.AddClient(e.t.Context(), c); err != nil {
		e.t.Fatal(err)
	}
	c.Created = noon
	return c
}

func (e *env) access(text string, c members.Client, expires time.Time) members.AccessToken {
	e.t.Helper()
	a := members.AccessToken{Token: tokenHash(text), Client: c.ID, Member: c.Member, Created: noon, Expires: expires}
	if err := e.AddAccessToken(e.t.Context(), a); err != nil {
		e.t.Fatal(err)
	}
	return a
}

func (e *env) hasAccess(text string) bool {
	e.t.Helper()
	a, err := e.FindAccessToken(e.t.Context(), tokenHash(text))
	if err != nil {
		e.t.Fatal(err)
	}
	return a.Client != ""
}

func TestClients(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		acting, nobody := e.client("00000000000000aa", m), e.client("00000000000000bb", members.Member{})
		for _, want := range []members.Client{acting, nobody} {
			if d := cmp.Diff(want, must(e.FindClient(t.Context(), want.ID))(t), sameHash); d != "" {
				t.Errorf("client (-want +got):\n%s", d)
			}
		}
		for _, id := range []string{"", "00000000000000AA", "00000000000000aa ", "0"} {
			if c := must(e.FindClient(t.Context(), id))(t); !c.Zero() {
				t.Errorf("%q found %+v", id, c)
			}
		}
		if d := cmp.Diff([]members.Client{acting, nobody}, must(e.ListClients(t.Context()))(t), sameHash); d != "" {
			t.Errorf("list (-want +got):\n%s", d)
		}
		e.access("t", acting, noon.Add(time.Hour))
		e.access("u", nobody, noon.Add(time.Hour))
		if !must(e.RemoveClient(t.Context(), acting.ID))(t) || must(e.RemoveClient(t.Context(), acting.ID))(t) {
			t.Error("want one removal")
		}
		if e.hasAccess("t") || !e.hasAccess("u") {
			t.Error("a removed client's token is left, or another's went")
		}
		if err := e.AddClient(t.Context(), members.Client{ID: "00000000000000cc", Name: strings.Repeat("n", 101)}); err == nil {
			t.Error("an over-long name was accepted")
		}
	})
}

func TestAccessTokens(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		acting, nobody := e.client("00000000000000aa", m), e.client("00000000000000bb", members.Member{})
		for text, c := range map[string]members.Client{"one": acting, "two": nobody} {
			want := e.access(text, c, noon.Add(time.Hour))
			if d := cmp.Diff(want, must(e.FindAccessToken(t.Context(), tokenHash(text)))(t), sameHash); d != "" {
				t.Errorf("%s (-want +got):\n%s", text, d)
			}
		}
		if e.hasAccess("three") {
			t.Error("a token that never was")
		}
		e.access("soon", acting, noon.Add(time.Minute))
		e.access("soon, too", nobody, noon.Add(time.Minute))
		later := members.AccessToken{Token: tokenHash("next"), Client: acting.ID, Created: noon.Add(time.Minute + time.Microsecond), Expires: noon.Add(time.Hour)}
		if err := e.AddAccessToken(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		if e.hasAccess("soon") || !e.hasAccess("one") || !e.hasAccess("soon, too") || !e.hasAccess("next") {
			t.Error("want the client's own expired tokens gone, and no others")
		}
		stranger := members.AccessToken{Token: tokenHash("x"), Client: "00000000000000ff", Created: noon, Expires: noon}
		if err := e.AddAccessToken(t.Context(), stranger); err == nil {
			t.Error("a token of no client was accepted")
		}
	})
}

// A new password, an administrator's lock: what was given out before ends, and
// only the member's.
func TestEndOfAccess(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for name, end := range map[string]func(m members.Member) error{
			"reset": func(m members.Member) error {
				_, err := e.Complete(t.Context(), completion(e.order(m.ID)))
				return err
			},
			"forced": func(m members.Member) error {
				_, err := e.Complete(t.Context(), members.Completion{MemberID: m.ID, Password: "$new", At: noon})
				return err
			},
			"locked": func(m members.Member) error { return e.SetLocked(t.Context(), m.ID, true) },
		} {
			m, other := e.member(name, ""), e.member("other-"+name, "")
			id := (strings.Repeat("0", 16) + name)[len(name):]
			mine, theirs := e.client(id, m), e.client("1"+id[1:], other)
			for _, c := range []struct {
				client members.Client
				text   string
			}{{mine, name + "-mine"}, {theirs, name + "-theirs"}} {
				must(e.SignedIn(t.Context(), goodSignIn(c.client.Member, c.text)))(t)
				e.access(c.text, c.client, noon.Add(time.Hour))
			}
			if err := end(m); err != nil {
				t.Fatal(err)
			}
			if e.hasSession(name+"-mine") || e.hasAccess(name+"-mine") {
				t.Errorf("%s: session left %v, token left %v", name, e.hasSession(name+"-mine"), e.hasAccess(name+"-mine"))
			}
			if !e.hasSession(name+"-theirs") || !e.hasAccess(name+"-theirs") {
				t.Errorf("%s: another member's session or token went", name)
			}
			if c := must(e.FindClient(t.Context(), mine.ID))(t); c.Secret == (password.TokenHash{}) {
				t.Errorf("%s: the client went", name)
			}
		}
	})
}

// A change that is refused ends nothing.
func TestRefusedChangeKeepsAccess(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		m := e.member("a", "")
		must(e.SignedIn(t.Context(), goodSignIn(m, "s")))(t)
		c := completion(e.order(m.ID))
		c.Token[0]++
		if e.complete(c) || !e.hasSession("s") {
			t.Error("a session ended without a change")
		}
	})
}

// A sign-in with the old password and a reset at the same time: whichever comes
// first, no session outlives the reset.
func TestNoSessionOutlivesAReset(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		for round := range 30 {
			m := e.member(fmt.Sprintf("m%d", round), "")
			c := completion(e.order(m.ID))
			id := m.Username
			start, done := make(chan struct{}), make(chan error, 1)
			go func() {
				<-start
				_, err := e.SignedIn(t.Context(), goodSignIn(m, id))
				done <- err
			}()
			close(start)
			if !e.complete(c) {
				t.Fatal("not completed")
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if e.hasSession(id) {
				t.Fatalf("round %d: a session outlives the reset", round)
			}
		}
	})
}

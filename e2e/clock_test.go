package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/reseed-project/reseed/app"
)

// What has expired by the database's clock stays expired for a server whose own
// clock was set back: links, sessions and access tokens alike (TOK-4). MariaDB
// has a clock of its own; SQLite knows how late it was.
func TestClockSetBackRevivesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, dsn string) {
		site := startSite(t, siteConfig{dsn: dsn, state: "identity"})
		now := time.Now()
		site.clock.at = now.Add(-site.Config.TokenLife - time.Minute)
		token := site.mailedToken(t, "ann@example.org")
		site.clock.at = now.Add(-site.Config.SessionLife - time.Minute)
		session := site.login(t)
		site.clock.at = now.Add(-site.Config.AccessTokenLife - time.Minute)
		client, secret := site.addClient(t, "app", "")
		access, err := site.clientToken(t.Context(), client.ID, secret)
		if err != nil {
			t.Fatal(err)
		}
		site.clock.at = now
		if err := site.Store.CheckWrite(t.Context()); err != nil {
			t.Fatal(err)
		}

		uses := func(a *app.App) [3]int {
			s := &testSite{App: a}
			form := "email=ann@example.org&token=" + token + withGoodPassword
			return [3]int{
				s.send(t, [3]string{"GET", "/self", ""}, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: session}) }).Code,
				s.send(t, [3]string{"GET", "/version", ""}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+access) }).Code,
				s.send(t, [3]string{"POST", "/members/resetpassword", form}, anybody).Code,
			}
		}
		for name, at := range map[string]time.Time{
			"a minute after the end": now, "at a clock that was set back": now.Add(-site.Config.SessionLife - 2*time.Minute),
		} {
			site.clock.at = at
			a := site.secondOf(t, app.Deps{SharedClock: true})
			if got, want := uses(a), [3]int{401, 401, 400}; got != want {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	})
}

// The same uses work for a server that goes by its own clock, so that the test
// above can fail.
func TestOwnClockRevives(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{state: "identity"})
	token := site.mailedToken(t, "ann@example.org")
	end := site.clock.now().Add(site.Config.TokenLife)
	form := [3]string{"POST", "/members/resetpassword", "email=ann@example.org&token=" + token + withGoodPassword}
	site.clock.at = end.Add(time.Microsecond)
	if w := site.send(t, form, anybody); w.Code == http.StatusOK {
		t.Fatal("an expired token is good")
	}
	site.clock.at = end
	if w := site.send(t, form, anybody); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Package example shows a Go test suite that uses Reseed.
package example

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/reseedtest"
)

// The reset of a password, as a client does it.
func TestReset(t *testing.T) {
	t.Parallel()
	srv := reseedtest.Start(t, reseedtest.Members(reseedtest.Member{Username: "ann", Email: "ann@example.org"}))
	post(t, srv, url.Values{"email": {"ann@example.org"}}, `<reset-password status="request-successful" />`)
	token := srv.WaitForMail("ann@example.org").Token
	change := url.Values{"email": {"ann@example.org"}, "token": {token}, "member-password": {"violet-Anchor-38"}}
	post(t, srv, change, `<reset-password status="password-changed" />`)
}

// What a client does when the token is too old.
func TestExpiredToken(t *testing.T) {
	t.Parallel()
	srv := reseedtest.Start(t, reseedtest.Members(reseedtest.Member{Username: "ann", Email: "ann@example.org"}))
	post(t, srv, url.Values{"email": {"ann@example.org"}}, `<reset-password status="request-successful" />`)
	token := srv.WaitForMail("ann@example.org").Token
	srv.Clock.Advance(13 * time.Hour)
	change := url.Values{"email": {"ann@example.org"}, "token": {token}, "member-password": {"violet-Anchor-38"}}
	post(t, srv, change, `<error id="102A">`)
}

func post(t *testing.T, srv *reseedtest.Server, form url.Values, want string) {
	t.Helper()
	resp, err := http.PostForm(srv.URL+"/members/resetpassword", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.HasPrefix(string(body), want) {
		t.Errorf("got %s, %v, want %s", body, err, want)
	}
}

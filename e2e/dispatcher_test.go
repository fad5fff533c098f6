package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

// A mail server that is silent for minutes keeps no server from stopping, nor an
// administrator who waits then from the answer.
func TestSilentMailServerKeepsNobodyFromStopping(t *testing.T) {
	s := serveApp(t, siteConfig{settings: "stop-timeout = \"3s\"\n" + silentMTA(t)})
	s.until(t, 200, 10*time.Second)
	hash, err := s.Members.Hasher.Hash(t.Context(), "plum-Orbit-77-lantern")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store.AddMembers(t.Context(), []members.NewMember{{Member: members.Member{
		Username: "root", Email: "ann@example.org", Admin: true, Status: members.Activated, Password: hash,
	}}}); err != nil {
		t.Fatal(err)
	}
	answer := make(chan string, 1)
	go func() { answer <- askAsRoot(t, s.base) }()
	eventually(t, 10*time.Second, func() (bool, string) {
		counts, err := s.Store.Counts(t.Context())
		return err == nil && counts[mail.Sending] == 1, "no mail is being sent"
	})
	s.end(t)
	if got := <-answer; got != `<reset-password status="request-successful" />` {
		t.Error(got)
	}
}

// silentMTA returns the settings for a mail server that takes connections and says nothing.
func silentMTA(t *testing.T) (settings string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // connections wait to be accepted
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return "smtp = \"smtp://" + l.Addr().String() + "?starttls=never\"\n"
}

// askAsRoot returns the answer to an administrator who asks for ann, or why there is none.
func askAsRoot(t *testing.T, base string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/members/resetpassword", strings.NewReader("email=ann@example.org"))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("root", "plum-Orbit-77-lantern")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

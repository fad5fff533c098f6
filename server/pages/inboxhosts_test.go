package pages

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/reseed-project/reseed/templates"
)

// noMails is an inbox that holds nothing.
type noMails struct{}

func (noMails) List() ([]MailEntry, error)  { return nil, nil }
func (noMails) Read(string) ([]byte, error) { return nil, nil }
func (noMails) Remove(string) error         { return nil }
func (noMails) Watch(ctx context.Context) func() bool {
	return func() bool { <-ctx.Done(); return false }
}

// The inbox answers other machines under the names that the operator lists, as
// that of a container, and under nobody else's; without being told so it answers
// none of them.
func TestInboxAnswersUnderListedHosts(t *testing.T) {
	looks, err := templates.NewLibrary(nil, templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const here, elsewhere = "127.0.0.1:4711", "172.18.0.3:4711"
	for _, c := range []struct {
		client, host string
		everywhere   bool
		want         bool
	}{
		{elsewhere, "reseed:8080", true, true},
		{elsewhere, "RESEED", true, true},
		{elsewhere, "example.org", true, true}, // of the host URL
		{elsewhere, "172.18.0.2:8080", true, true},
		{elsewhere, "evil.example:8080", true, false},
		{elsewhere, "reseed.evil.example", true, false},
		{elsewhere, "xreseed", true, false},
		{elsewhere, "reseed:8080", false, false},
		{elsewhere, "localhost:8080", false, false},
		{here, "localhost:8080", false, true},
		{here, "evil.example:8080", false, false},
		{here, "evil.example:8080", true, false},
		{here, "reseed:8080", true, true},
	} {
		p := New(Config{Looks: looks, HostURL: "https://example.org/ps", Inbox: noMails{}, InboxHosts: []string{"reseed"}, InboxEverywhere: c.everywhere}, "/ps", 100)
		r := httptest.NewRequest(http.MethodGet, "/dev/mail.json", nil)
		r.RemoteAddr, r.Host = c.client, c.host
		if got := p.inboxOpen(r); got != c.want {
			t.Errorf("%s as %s, everywhere %t: %t, want %t", c.client, c.host, c.everywhere, got, c.want)
		}
	}
}

package e2e

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/store"
)

// What callers do leaves one event each, with the true reason, and no secrets.
func TestEventsOfRequests(t *testing.T) {
	t.Parallel()
	const unknownToken = "&token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2&member-password=violet-Harbor-93-maple"
	for _, how := range []string{"plain", "hashed"} {
		onBoth(t, func(t *testing.T, dsn string) {
			var log bytes.Buffer
			site := startSite(t, siteConfig{dsn: dsn, log: slog.New(slog.NewTextHandler(&log, nil)),
				settings: fmt.Sprintf("audit-identifiers = %q\naudit-addresses = %q\ndisclosure = \"concealed\"\n", how, how)})
			srv := httptest.NewServer(site.Handler)
			defer srv.Close()
			send := func(form string) {
				t.Helper()
				if _, body := post(t, http.DefaultClient, srv.URL, form); strings.Contains(body, "F00") {
					t.Fatal(body)
				}
			}
			send("email=ann@example.org")
			send("email=XYZ@example.org")
			send("email=lou@example.org")
			send("email=ann@example.org" + unknownToken)
			token := site.deliver(t)[0].Token
			send("email=ann@example.org&member-password=short&token=" + token)
			send("email=ann@example.org&member-password=violet-Harbor-93-maple&token=" + token)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/members/resetpassword", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.SetBasicAuth("ann", "canary-wrong-password")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if err := site.Audit.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			events, err := site.Store.Events(t.Context(), store.EventFilter{})
			if err != nil {
				t.Fatal(err)
			}
			ann, lou := site.ids["ann"], site.ids["lou"]
			mask := site.Audit.Identifier
			if (how == "hashed") == (mask("ann") == "ann") {
				t.Fatalf("%s shows ann as %q", how, mask("ann"))
			}
			want := []string{
				fmt.Sprintf("reset-requested %d  %s", ann, mask("ann@example.org")),
				fmt.Sprintf("reset-requested 0 100E %s", mask("xyz@example.org")),
				fmt.Sprintf("reset-requested %d 1019 %s", lou, mask("lou@example.org")),
				fmt.Sprintf("change-refused %d 102A %s", ann, mask("ann@example.org")),
				fmt.Sprintf("change-refused %d 1015 %s", ann, mask("ann@example.org")),
				fmt.Sprintf("password-changed %d  %s", ann, mask("ann@example.org")),
				fmt.Sprintf("sign-in-refused %d 0101 %s", ann, mask("ann")),
			}
			got := map[string]bool{}
			for _, e := range events {
				got[fmt.Sprintf("%s %d %s %s", e.Kind, e.MemberID, e.Code, e.Identifier)] = true
				if e.RequestID == "" || e.Client == "" || (how == "plain") != (e.Client == "127.0.0.1") {
					t.Errorf("event %+v", e)
				}
			}
			for _, w := range want {
				if !got[w] {
					t.Errorf("no event %q in %v", w, got)
				}
			}
			if len(events) != len(want) {
				t.Errorf("%d events, want %d", len(events), len(want))
			}
			for _, secret := range []string{token, "violet-Harbor", "canary-wrong"} {
				if strings.Contains(log.String(), secret) || strings.Contains(fmt.Sprintf("%+v", events), secret) {
					t.Errorf("%q is shown", secret)
				}
			}
			if how == "hashed" && (strings.Contains(log.String(), "@example.org") || strings.Contains(log.String(), "127.0.0.1")) {
				t.Errorf("the log shows who asked:\n%s", log.String())
			}
		})
	}
}

package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// What an answer of step 1 costs, over HTTP on one connection at a time, and
// the floor under it, measured in the same run: the bare durable INSERT of its
// one row. The ratio is what the rest costs.
func BenchmarkRequest(b *testing.B) {
	for _, db := range []string{"sqlite", "mariadb"} {
		dsn := ""
		if db == "mariadb" {
			dsn = testDSN(b)
		}
		site := startSite(b, siteConfig{dsn: dsn, realTime: true})
		b.Run(db+"/floor", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					insertOne(b, site)
				}
			})
		})
		b.Run(db+"/answer", func(b *testing.B) {
			srv := httptest.NewServer(site.Handler)
			defer srv.Close()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					askOnce(b, srv)
				}
			})
		})
	}
}

func insertOne(b *testing.B, site *testSite) {
	now := time.Now()
	id, err := mail.NewID(now, nil)
	if err != nil {
		b.Fatal(err)
	}
	err = site.Store.AddOrder(b.Context(), members.Order{
		ID: id, Template: members.ConfirmTemplate, Reason: "member", Purpose: password.Reset, MemberID: 2, Addressed: true,
		Token: password.HashToken(id.String()), Created: now, Expires: now.Add(time.Hour),
	})
	if err != nil {
		b.Error(err)
	}
}

func askOnce(b *testing.B, srv *httptest.Server) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, srv.URL+"/members/resetpassword", strings.NewReader("email=ann@example.org"))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := srv.Client().Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusOK {
		b.Errorf("status %d", resp.StatusCode)
	}
}

package e2e

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/members"
)

// memoryStore answers step 1 from memory; all else is the database's.
type memoryStore struct {
	members.Store
	found members.Found
}

func (m memoryStore) FindMember(context.Context, members.Lookup) (members.Found, error) {
	return m.found, nil
}

func (m memoryStore) AddOrder(context.Context, members.Order) error { return nil }

// unread is an answer that nobody reads.
type unread struct {
	header http.Header
	status int
}

func (u *unread) Header() http.Header         { return u.header }
func (u *unread) Write(p []byte) (int, error) { return len(p), nil }
func (u *unread) WriteHeader(status int)      { u.status = status }

// What step 1 costs without a database and without net/http: middleware, log
// line, security event and metrics included. "request alone" is what making the
// request costs, which is no part of it.
//
//	go test -run '^$' -bench BenchmarkHandler -benchmem -cpuprofile cpu.out ./e2e
func BenchmarkHandler(b *testing.B) {
	site := startSite(b, siteConfig{realTime: true, log: app.NewLogger(io.Discard)})
	held := site.Members.Store
	for name, lookup := range map[string]members.Lookup{"member": {Email: "ann@example.org"}, "stranger": {Email: "xyz@example.org"}} {
		found, err := held.FindMember(b.Context(), lookup)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			site.Members.Store = memoryStore{Store: held, found: found}
			defer func() { site.Members.Store = held }()
			form := "email=" + lookup.Email
			b.ReportAllocs()
			for b.Loop() {
				w := &unread{header: http.Header{}}
				site.Handler.ServeHTTP(w, stepOne(b.Context(), form))
				if w.status != http.StatusOK {
					b.Fatalf("status %d", w.status)
				}
			}
		})
	}
	b.Run("request alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := stepOne(b.Context(), "email=ann@example.org")
			_, _ = io.Copy(io.Discard, r.Body)
		}
	})
}

func stepOne(ctx context.Context, form string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/ps/service/members/resetpassword", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	return r
}

package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// discarded is an answer that nobody reads.
type discarded struct{ header http.Header }

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(int)             {}

// What it costs to turn a request away, above net/http.
func BenchmarkRefusal(b *testing.B) {
	log, err := os.Create(b.TempDir() + "/log")
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	s := &server{Config: Config{SitePrefix: "/ps", Limits: Limits{InFlight: 1}.withDefaults(), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(log, nil))}, limiter: newLimiter(Rates{})}
	s.Refusals = NewRefusals(s.Log)
	leave := make(chan struct{})
	entered := make(chan struct{})
	h := s.edge(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(entered); <-leave }))
	go h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/x", nil))
	<-entered
	defer close(leave)
	for _, path := range []string{"/ps/service/members/resetpassword", "/members/v1/auth/members/send-set-password-email"} {
		b.Run(path[1:3], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("email=m00001@example.org"))
				h.ServeHTTP(&discarded{http.Header{}}, r)
				_, _ = io.Copy(io.Discard, r.Body)
			}
		})
	}
	b.Run("request alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := httptest.NewRequest(http.MethodPost, "/ps/service/members/resetpassword", strings.NewReader("email=m00001@example.org"))
			_, _ = io.Copy(io.Discard, r.Body)
		}
	})
}

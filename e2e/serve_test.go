package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/store/mariadbtest"
)

// served is an app that serves as "reseed serve" does.
type served struct {
	*app.App
	base  string
	stop  context.CancelFunc
	ended chan error
	log   *lockedLog
}

func serveApp(t *testing.T, c siteConfig) *served {
	t.Helper()
	s := &served{ended: make(chan error, 1), log: &lockedLog{}}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.base = "http://" + l.Addr().String()
	s.App, err = app.New(ctx, testConfig(t, c), app.Deps{
		Log: slog.New(slog.NewTextHandler(s.log, nil)), Now: time.Now,
		Hashing: cheapHashing,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Store.Block()
	go func() { s.ended <- s.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// lockedLog is a log that is read while it is written.
type lockedLog struct {
	testClock // for its lock
	buf       bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// end stops the app and returns what serve returned.
func (s *served) end(t *testing.T) {
	t.Helper()
	s.stop()
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("serve: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("serve does not end")
	}
}

func (s *served) get(t *testing.T, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// until polls /readyz until it has the status, for at most limit.
func (s *served) until(t *testing.T, status int, limit time.Duration) {
	t.Helper()
	eventually(t, limit, func() (bool, string) {
		got, body := s.get(t, "/readyz")
		return got == status, fmt.Sprintf("/readyz says %d %s, want %d\n%s", got, body, status, s.log)
	})
}

// eventually waits until the condition holds, and fails the test with how it
// stands where it doesn't within the limit.
func eventually(t *testing.T, limit time.Duration, holds func() (bool, string)) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		now, stand := holds()
		if now {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("after %v: %s", limit, stand)
		case <-tick.C:
		}
	}
}

// A server started before its database listens and says that it isn't ready;
// it serves when the database comes, answers F004 quickly while it is away, and
// serves again when it is back, all without a restart (FLT-2, FLT-3).
func TestServeThroughOutages(t *testing.T) {
	db := mariadbtest.Launch(t, mariadbtest.Options{FlushAtCommit: "2"})
	dsn := db.NewDatabase(t)
	db.Kill()
	s := serveApp(t, siteConfig{dsn: dsn})
	s.until(t, 503, 10*time.Second)
	if status, body := s.get(t, "/livez"); status != 200 {
		t.Errorf("/livez: %d %s", status, body)
	}
	down := func() {
		t.Helper()
		for range 20 {
			begin := time.Now()
			status, body := post(t, http.DefaultClient, s.base, "email=ann@example.org")
			if status != 503 || !strings.Contains(body, `id="F004"`) {
				t.Errorf("without a database: %d %s", status, body)
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("answered after %v", took)
			}
		}
	}
	up := func() {
		t.Helper()
		db.Restart(t)
		s.until(t, 200, time.Minute) // make soak measures how soon
		if status, body := post(t, http.DefaultClient, s.base, "email=ann@example.org"); status != 200 {
			t.Errorf("with the database back: %d %s", status, body)
		}
	}
	down()
	up()
	for range 2 {
		db.Kill()
		down()
		s.until(t, 503, time.Minute)
		up()
	}
	s.end(t)
	if n := strings.Count(s.log.String(), "the database is unavailable"); n < 2 || n > 4 {
		t.Errorf("%d outages are logged", n)
	}
}

// With TERM a server says so first, goes on for stop-delay, and ends well.
func TestServeStops(t *testing.T) {
	t.Parallel()
	s := serveApp(t, siteConfig{settings: "stop-delay = \"700ms\"\n"})
	s.until(t, 200, 10*time.Second)
	if status, body := post(t, http.DefaultClient, s.base, "email=ann@example.org"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	s.stop()
	s.until(t, 503, time.Second)
	if status, body := post(t, http.DefaultClient, s.base, "email=ann@example.org"); status != 200 {
		t.Errorf("while load balancers notice: %d %s", status, body)
	}
	s.end(t)
	if status, _ := s.get(t, "/livez"); status != 0 {
		t.Errorf("it still answers: %d", status)
	}
	events := s.Audit.Waiting()
	if events != 0 || s.Audit.LostEvents() != 0 {
		t.Errorf("%d events not stored, %d lost", events, s.Audit.LostEvents())
	}
}

// A start that can't succeed ends with its reason.
func TestServeFails(t *testing.T) {
	t.Parallel()
	db := mariadbtest.Start(t)
	dsn := db.NewDatabase(t)
	for name, c := range map[string]siteConfig{
		"no such database":  {dsn: strings.ReplaceAll(dsn, "/test", "/missing")},
		"nobody migrates":   {dsn: dsn, settings: "migrate = \"never\"\nstart-timeout = \"200ms\"\n"},
		"admin port in use": {settings: "admin-listen = \"" + busyPort(t) + "\"\n"},
	} {
		s := serveApp(t, c)
		select {
		case err := <-s.ended:
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("%s: it goes on", name)
		}
	}
}

func busyPort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// Metrics and profiles have a port of their own and are not on the services' (WEB-15).
func TestAdminPort(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{})
	main, admin := httptest.NewServer(site.Handler), httptest.NewServer(site.AdminHandler())
	defer main.Close()
	defer admin.Close()
	post(t, http.DefaultClient, main.URL, "email=ann@example.org")
	post(t, http.DefaultClient, main.URL, "email=ann@example.org&token=x&member-password=violet-Harbor-93-maple")
	site.deliver(t)
	s := &served{base: admin.URL}
	status, body := s.get(t, "/metrics")
	for _, want := range []string{
		`reseed_requests_total{code="",method="POST",route="/members/resetpassword",status="200"} 1`,
		`reseed_requests_total{code="102A",method="POST",route="/members/resetpassword",status="400"} 1`,
		`reseed_request_duration_seconds_count{route="/members/resetpassword"} 2`,
		`reseed_mail_attempts_total{outcome="sent"} 1`,
		`reseed_mails{state="sent"} 1`, `reseed_mails{state="dead"} 0`, `reseed_mail_paused 0`,
		`reseed_hashing{state="waiting"} 0`, `reseed_database_up 1`, `reseed_database_connections{state="in use"} 0`,
		`reseed_events_lost_total 0`, "go_goroutines ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics (%d) lacks %s", status, want)
		}
	}
	if strings.Contains(body, "@example.org") {
		t.Error("/metrics shows addresses")
	}
	for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/cmdline": 404, "/livez": 200, "/readyz": 200, "/": 404} {
		if status, _ := s.get(t, path); status != want {
			t.Errorf("admin %s: %d, want %d", path, status, want)
		}
	}
	s.base = main.URL
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/ps/metrics", "/debug/vars"} {
		if status, _ := s.get(t, path); status != 404 {
			t.Errorf("%s on the services' port: %d", path, status)
		}
	}
}

// A server needs no more than SELECT, INSERT, UPDATE and DELETE once the
// schema is there (LOG-9): start, checks, delivery and the housekeeping work.
// The contract cases run with no other rights, too.
func TestLeastRights(t *testing.T) {
	t.Parallel()
	dsn := testDSN(t)
	startSite(t, siteConfig{dsn: dsn}) // brings the basic state
	for _, migrate := range []string{"auto", "never"} {
		s := serveApp(t, siteConfig{dsn: dsn, settings: "migrate = \"" + migrate + "\"\n"})
		s.until(t, 200, 20*time.Second)
		if strings.Contains(s.log.String(), "can't be checked") {
			t.Errorf("the checks need more rights:\n%s", s.log)
		}
		mails := s.Capture.Watch(t.Context())
		if status, body := post(t, http.DefaultClient, s.base, "email=ann@example.org"); status != 200 {
			t.Fatalf("%s: %d %s", migrate, status, body)
		}
		raw, err := s.Capture.Read((<-mails).ID)
		if err != nil {
			t.Fatal(err)
		}
		form := "email=ann@example.org&member-password=violet-Harbor-93-maple&token=" + openMail(t, raw).Token
		if status, body := post(t, http.DefaultClient, s.base, form); status != 200 {
			t.Errorf("%s: %d %s", migrate, status, body)
		}
		<-mails
		if _, err := s.Store.PurgeMails(t.Context(), time.Now(), 10); err != nil {
			t.Error(err)
		}
		if _, err := s.Store.PurgeEvents(t.Context(), time.Now(), 10); err != nil {
			t.Error(err)
		}
		s.end(t)
	}
}

package e2e

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reseed-project/reseed/contract"
	"github.com/reseed-project/reseed/inbox"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

var update = flag.Bool("update", false, "rewrite the expected answers under testdata/contract")

const casesFolder = "testdata/contract"

// everyAnswer is what all answers have, whatever a case wants.
var everyAnswer = []contract.Header{{Name: "Cache-Control", Value: "no-store"}, {Name: "X-Content-Type-Options", Value: "nosniff"}}

func TestContract(t *testing.T) {
	cases, err := contract.ReadCases(os.DirFS(casesFolder))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 500 {
		t.Fatalf("%d contract cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			t.Run("sqlite", func(t *testing.T) { playCase(t, c, "", *update) })
			if *update {
				if err := os.WriteFile(casesFolder+"/"+c.Name+".txt", c.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Run("mariadb", func(t *testing.T) { playCase(t, c, testDSN(t), false) })
		})
	}
}

func playCase(t *testing.T, c *contract.Case, dsn string, record bool) {
	p := &contract.Player{Target: &siteTarget{t: t, dsn: dsn}, Transport: http.DefaultTransport, Always: everyAnswer, Record: record}
	differences, err := p.Play(t.Context(), c)
	if err != nil {
		t.Error(err)
	}
	for _, d := range differences {
		t.Error(d.String())
	}
}

// siteTarget plays each case against a test site of its own.
type siteTarget struct {
	t      *testing.T
	dsn    string
	site   *testSite
	url    string
	client members.Client // the latest that a case made
	stalls atomic.Int64   // of the mail server, still to come
}

// URL returns where the site answers.
func (s *siteTarget) URL() string { return s.url }

// Prepare starts a site with the case's state and settings.
func (s *siteTarget) Prepare(_ context.Context, c *contract.Case) error {
	stalling := func(next mail.Sender) mail.Sender { return stallingSender{next, &s.stalls} }
	s.site = startSite(s.t, siteConfig{dsn: s.dsn, state: c.State(), settings: c.Config(), sender: stalling})
	srv := httptest.NewServer(s.site.Handler)
	s.t.Cleanup(srv.Close)
	s.url = srv.URL
	return nil
}

// Mails works off the queue.
func (s *siteTarget) Mails(context.Context) ([]*inbox.Mail, error) { return s.site.deliver(s.t), nil }

// Advance moves the site's clock.
func (s *siteTarget) Advance(_ context.Context, by time.Duration) error {
	s.site.clock.advance(s.t, by.String())
	return nil
}

// Do runs a line of a "do" section.
func (s *siteTarget) Do(ctx context.Context, words []string) (contract.Client, error) {
	switch words[0] {
	case "client":
		as := ""
		if len(words) > 2 {
			as = words[2]
		}
		c, secret := s.site.addClient(s.t, words[1], as, words[min(len(words), 3):]...)
		s.client = c
		return contract.Client{ID: c.ID, Secret: secret}, nil
	case "unclient":
		ok, err := s.site.Store.RemoveClient(ctx, s.client.ID)
		if err == nil && !ok {
			err = errors.New("there is no such client")
		}
		return contract.Client{}, err
	case "disable":
		s.site.disable(s.t, words[1])
		return contract.Client{}, nil
	case "stall-mail":
		s.stalls.Add(1)
		return contract.Client{}, nil
	}
	s.site.do(s.t, words)
	return contract.Client{}, nil
}

// stallingSender sends mails but for as many as stall.
type stallingSender struct {
	mail.Sender
	stalls *atomic.Int64
}

func (s stallingSender) Send(ctx context.Context, m *mail.Message) error {
	if s.stalls.Load() > 0 {
		s.stalls.Add(-1)
		return &mail.Error{Class: mail.Temporary, Stage: mail.StageDot, Text: "timed out, as the case asked for"}
	}
	return s.Sender.Send(ctx, m)
}

// addClient adds an OAuth client that acts as a member, or as nobody where as is "".
func (s *testSite) addClient(t testing.TB, name, as string, grants ...string) (members.Client, string) {
	t.Helper()
	var m members.Member
	if as != "" {
		m.ID = s.ids[as]
	}
	c, secret, err := members.NewClient(name, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range grants {
		c.Grants = append(c.Grants, members.Grant(g))
	}
	if err := s.Store.AddClient(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c, secret
}

// disable sets a member's status, which no service does.
func (s *testSite) disable(t testing.TB, name string) {
	t.Helper()
	if _, err := s.open(t).ExecContext(t.Context(), "UPDATE members SET status = 'disabled' WHERE id = ?", s.ids[name]); err != nil {
		t.Fatal(err)
	}
}

// openMail takes a mail apart and makes sure that it is what mail programs
// want: both parts, the text first, in UTF-8.
func openMail(t testing.TB, raw []byte) *inbox.Mail {
	t.Helper()
	m := inbox.Open("", time.Time{}, raw)
	if kind := m.Header("Content-Type"); !strings.HasPrefix(kind, "multipart/alternative;") {
		t.Fatalf("content type %q", kind)
	}
	text := strings.Index(string(raw), "\r\nContent-Type: text/plain; charset=UTF-8\r\n")
	html := strings.Index(string(raw), "\r\nContent-Type: text/html; charset=UTF-8\r\n")
	if m.Text == "" || m.HTML == "" || text < 0 || html < text {
		t.Fatalf("the parts are not as they must be:\n%s", raw)
	}
	return m
}

package e2e

import (
	"cmp"
	"crypto/x509"
	"database/sql"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/inbox"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// onBoth runs a test against SQLite and against MariaDB.
func onBoth(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	onSQLiteAnd(t, testDSN, test)
}

// inFullOnBoth does so with another database of MariaDB, for slow tests: the short
// form leaves MariaDB out.
func inFullOnBoth(t *testing.T, mariadb func(testing.TB) string, test func(t *testing.T, dsn string)) {
	t.Helper()
	if testing.Short() {
		test(t, "")
		return
	}
	onSQLiteAnd(t, mariadb, test)
}

func onSQLiteAnd(t *testing.T, mariadb func(testing.TB) string, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	t.Run("mariadb", func(t *testing.T) { test(t, mariadb(t)) })
}

// testTime is when the tests begin, and what they find there happened.
var testTime = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

var cheapHashing = password.Params{Memory: 64, Time: 1, Parallelism: 1}

// siteConfig says what a test site is like. The zero value is the basic state
// on SQLite, with the defaults.
type siteConfig struct {
	dsn      string // of testDSN; "": SQLite
	state    string // of testdata/contract/states
	settings string // lines of a TOML file
	trace    func(query string)
	log      *slog.Logger
	realTime bool
	hashing  password.Params // zero: cheapHashing
	smtpRoot *x509.CertPool
	sender   func(mail.Sender) mail.Sender // stands before the one that is configured
}

// testSite is an app with data, a clock that stands, cheap hashing, and randomness that repeats.
type testSite struct {
	*app.App
	clock *testClock
	ids   map[string]int64 // of members by username, of groups by name, of API keys by the key
}

func startSite(t testing.TB, c siteConfig) *testSite {
	t.Helper()
	s := &testSite{clock: &testClock{at: testTime}}
	o := app.Deps{
		Log: c.log, Now: s.clock.now, Trace: c.trace,
		SMTPRoot: c.smtpRoot, Sender: c.sender,
		Random:  &lockedReader{r: rand.NewChaCha8([32]byte{1})},
		Hashing: cmp.Or(c.hashing, cheapHashing),
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if c.realTime {
		o.Now = time.Now
	}
	if c.state == "" {
		c.state = "basic"
	}
	c.settings = "migrate = \"never\"\n" + c.settings
	cfg := testConfig(t, c)
	s.ids = freshState(t, cfg, c.state)
	a, err := app.NewReady(t.Context(), cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	s.App = a
	return s
}

// testConfig loads settings the way the command line does.
func testConfig(t testing.TB, c siteConfig) *config.Config {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "reseed.toml")
	base := "host-url = \"https://example.org/ps\"\ndata = \"" + dir + "/data\"\nclient-rate = 0\ntotal-rate = 0\n"
	if c.dsn != "" {
		base += "database = \"" + c.dsn + "\"\n"
		key := filepath.Join(dir, "token.key")
		if _, err := password.LoadOrCreateKeyFile(key, rand.NewChaCha8([32]byte{2})); err != nil {
			t.Fatal(err)
		}
		base += "key-file = \"" + key + "\"\n"
	}
	if err := os.WriteFile(file, []byte(override(base, c.settings)), 0o600); err != nil {
		t.Fatal(err)
	}
	return mustLoad(t, "--config", file)
}

// override returns the lines of both TOML texts; a key of the second one wins.
func override(base, settings string) string {
	for line := range strings.Lines(settings) {
		key, _, _ := strings.Cut(line, "=")
		kept := ""
		for old := range strings.Lines(base) {
			if !strings.HasPrefix(old, key+"=") {
				kept += old
			}
		}
		base = kept
	}
	return base + settings
}

// mustLoad reads the configuration of a "reseed serve" with these arguments.
func mustLoad(t testing.TB, args ...string) *config.Config {
	t.Helper()
	c, _, err := config.Load(args, true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// waiting returns the orders that are still to be sent, newest first.
func (s *testSite) waiting(t *testing.T) []members.OrderStatus {
	t.Helper()
	list := append(s.mails(t, mail.New), s.mails(t, mail.Pending)...)
	slices.SortFunc(list, func(a, b members.OrderStatus) int { return -slices.Compare(a.ID[:], b.ID[:]) })
	return list
}

// deliver works off the queue and returns the mails that came out of it, in order.
func (s *testSite) deliver(t *testing.T) []*inbox.Mail {
	t.Helper()
	for _, p := range slices.Backward(s.waiting(t)) {
		_ = s.Worker.Deliver(t.Context(), p.ID) // how it went shows in the captured mails
	}
	captured, err := s.Capture.List()
	if err != nil {
		t.Fatal(err)
	}
	var mails []*inbox.Mail
	for _, c := range captured {
		raw, err := s.Capture.Read(c.ID)
		if err != nil {
			t.Fatal(err)
		}
		mails = append(mails, openMail(t, raw))
		if err := s.Capture.Remove(c.ID); err != nil {
			t.Fatal(err)
		}
	}
	return mails
}

// do runs a line of a case's "do" section.
func (s *testSite) do(t *testing.T, words []string) {
	t.Helper()
	var err error
	switch words[0] {
	case "lock", "unlock":
		err = s.Store.SetLocked(t.Context(), s.ids[words[1]], words[0] == "lock")
	case "remove-key":
		_, err = s.Store.RemoveKey(t.Context(), s.ids[words[1]])
	case "remove-site":
		_, err = s.Store.RemoveSite(t.Context(), words[1])
	case "join":
		_, err = s.Store.Join(t.Context(), joinWords(s.ids[words[1]], s.ids[words[2]], words[3:]))
	case "leave":
		_, err = s.Store.SetMembership(t.Context(), s.ids[words[1]], s.ids[words[2]], false)
	default:
		t.Fatalf("no such thing to do: %v", words)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// joinWords reads ROLE [NOTIFICATION] [listed].
func joinWords(group, member int64, words []string) members.Membership {
	m := members.NewMembership(group, member)
	m.Role = groups.Role(words[0])
	for _, word := range words[1:] {
		if word == "listed" {
			m.EmailListed = true
			continue
		}
		m.Notification = groups.Notification(word)
	}
	return m
}

// testClock is a clock that stands until a test moves it.
type testClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *testClock) advance(t testing.TB, by string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(duration(t, by))
}

func duration(t testing.TB, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type lockedReader struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// open returns the site's database itself.
func (s *testSite) open(t testing.TB) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", "file:"+filepath.Join(s.Config.Data, "reseed.db")+"?_pragma=busy_timeout(10000)"
	if s.Config.MySQL() {
		driver, dsn = "mysql", s.Config.Database.Reveal()
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

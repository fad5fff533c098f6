package faults

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// lease is how long the servers of these tests hold a mail they send.
const lease = 3 * time.Second

// site is an installation: servers on one database, and where their mail goes.
type site struct {
	t       testing.TB
	dir     string
	box     *mailbox
	db      *sql.DB // straight to the database, past all proxies
	lite    bool
	dsn     string // "" for SQLite
	servers []*replica
	members int // that populate added

	mu    sync.Mutex
	kills []kill
}

// kill is a crash that the test caused.
type kill struct {
	whom  string // a server's name, or "database"
	at    int64  // by the mailbox's clock
	until int64  // when it was back, if that matters
}

// onSQLite returns a site whose one server has its database in a folder.
func onSQLite(t testing.TB) *site {
	s := &site{t: t, dir: t.TempDir(), box: newMailbox(t), lite: true}
	s.makeKey()
	return s
}

// onMariaDB returns a site on a database of the server.
func onMariaDB(t testing.TB, server *mariadbtest.Server) *site {
	s := &site{t: t, dir: t.TempDir(), box: newMailbox(t)}
	s.dsn = server.NewDatabase(t)
	if server.Port() != 0 {
		s.dsn = server.TCP(s.dsn)
	}
	s.openDB(s.dsn)
	s.makeKey()
	return s
}

func (s *site) openDB(dsn string) {
	s.t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	s.db = db
}

// siteKey is the token key of all sites: 32 known bytes, to be looked for later.
const siteKey = "Q0FOQVJZLUtFWS0wMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW5vcHFy"

func (s *site) makeKey() {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "token.key"), []byte(siteKey+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// replica is one server of a site, over all its restarts.
type replica struct {
	site  *site
	name  string
	url   string
	addr  string
	smtp  string
	dsn   string // if it differs from the site's
	env   []string
	log   string   // the file
	via   []string // what runs the program, instead of this process
	out   *os.File // instead of the log
	admin string   // the administrators' port, if it has one
	proc  *child
	procs sync.Mutex
}

// add makes a server; it is not started yet.
func (s *site) add(env ...string) *replica {
	s.t.Helper()
	name := fmt.Sprintf("server%d", len(s.servers)+1)
	r := &replica{
		site: s, name: name, addr: freeAddr(s.t), env: env, dsn: s.dsn,
		smtp: "smtp://" + s.box.port(s.t, name) + "?starttls=never",
		log:  filepath.Join(s.dir, name+".log"),
	}
	r.url = "http://" + r.addr + "/ps/service"
	s.servers = append(s.servers, r)
	s.t.Cleanup(func() {
		r.stop()
		if s.t.Failed() {
			s.t.Logf("log of %s:\n%s\n...\n%s", name, internalErrors(r.log), tail(r.log, 20))
		}
	})
	return r
}

// withAdmin gives the server an administrators' port.
func (r *replica) withAdmin() {
	r.site.t.Helper()
	r.admin = freeAddr(r.site.t)
	r.env = append(r.env, "RESEED_ADMIN_LISTEN="+r.admin)
}

// environment is what the server is told, and nothing of this process's own.
func (r *replica) environment(more ...string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.site.dir, "GOTRACEBACK=all",
		"RESEED_DATA=" + r.site.dir, "RESEED_KEY_FILE=" + filepath.Join(r.site.dir, "token.key"),
		"RESEED_LISTEN=" + r.addr, "RESEED_HOST_URL=https://reset.example.org/ps",
		"RESEED_SMTP=" + r.smtp, "RESEED_EMAIL_DOMAIN=example.org",
		"RESEED_MAILS_PER_HOUR=1000", "RESEED_CLIENT_RATE=1000000", "RESEED_TOTAL_RATE=1000000",
		"RESEED_FAILPOINT_LEASE=" + lease.String(),
	}
	if r.dsn != "" {
		env = append(env, "RESEED_DATABASE="+r.dsn)
	}
	return append(append(env, r.env...), more...)
}

// command returns a run of the program as this server's operator would do it.
func (r *replica) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary(r.site.t), args...)
	cmd.Env = r.environment()
	return cmd
}

// start starts the server. It may not answer yet.
func (r *replica) start(env ...string) {
	r.site.t.Helper()
	log, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.site.t.Fatal(err)
	}
	defer log.Close()
	line := append(slices.Clone(r.via), binary(r.site.t), "serve")
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = r.environment(env...)
	cmd.Stdout, cmd.Stderr = log, log
	if r.out != nil {
		cmd.Stdout, cmd.Stderr = r.out, r.out
	}
	c := startChild(r.site.t, cmd)
	r.procs.Lock()
	r.proc = c
	r.procs.Unlock()
}

func (r *replica) process() *child {
	r.procs.Lock()
	defer r.procs.Unlock()
	return r.proc
}

// startReady starts the server and waits until it answers.
func (r *replica) startReady(env ...string) {
	r.site.t.Helper()
	r.start(env...)
	eventually(r.site.t, 60*time.Second, r.name+" answers", func() bool {
		if r.process().gone() {
			r.site.t.Fatalf("%s ended:\n%s", r.name, tail(r.log, 20))
		}
		return r.answers()
	})
}

// answers reports whether the server takes requests, for which it needs the database.
func (r *replica) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	status, _, err := post(ctx, http.DefaultClient, r.url+"/members/resetpassword", url.Values{"email": {"nobody@example.org"}})
	return err == nil && status == http.StatusOK
}

// crash kills the server and notes when.
func (r *replica) crash() {
	r.site.note(r.name)
	r.process().kill()
}

// stop ends the server, if it runs, without a note.
func (r *replica) stop() {
	if p := r.process(); p != nil {
		p.kill()
	}
}

// terminate asks the server to stop and returns its exit code.
func (r *replica) terminate(limit time.Duration) int {
	r.site.t.Helper()
	p := r.process()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(limit):
		r.site.t.Fatalf("%s has not stopped after %v", r.name, limit)
	}
	return p.exitCode()
}

func (s *site) note(whom string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kills = append(s.kills, kill{whom: whom, at: s.box.clock.Add(1)})
}

// back notes that the database is whole again after the last crash. While it
// was not, a mail that was sent could not be settled, and its lease may have ended.
func (s *site) back() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kills[len(s.kills)-1].until = s.box.clock.Add(1)
}

// populate adds n members m00000@example.org and so on, as an operator would,
// and opens SQLite's file, which there is by now.
func (s *site) populate(n int) {
	s.t.Helper()
	s.members = n
	var csv bytes.Buffer
	csv.WriteString("username,email,firstname,surname\n")
	for i := range n {
		fmt.Fprintf(&csv, "m%05d,%s,Mem,Ber\n", i, address(i))
	}
	cmd := s.servers[0].command("member", "import", "-")
	cmd.Stdin = &csv
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("import members: %v\n%s", err, out)
	}
	if s.lite {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "reseed.db")+"?_pragma=busy_timeout(10000)")
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { db.Close() })
		s.db = db
	}
}

func address(i int) string { return fmt.Sprintf("m%05d@example.org", i) }

// post sends a form and returns status and body.
func post(ctx context.Context, client *http.Client, to string, form url.Values) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// freeAddr returns an address that was free a moment ago. It lies below the
// ports that the system gives to outgoing connections, so that it is free for
// a restart, too.
func freeAddr(t testing.TB) string {
	t.Helper()
	for port := 20000 + os.Getpid()%10000; port < 32000; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		l.Close()
		if _, taken := addrs.LoadOrStore(port, true); !taken {
			return l.Addr().String()
		}
	}
	t.Fatal("no free port")
	return ""
}

// addrs are the ports that freeAddr gave out.
var addrs sync.Map

// tail returns the last lines of a file.
func tail(file string, lines int) string {
	text, _ := os.ReadFile(file)
	all := strings.Split(string(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// internalErrors returns the first lines of a log that tell of one.
func internalErrors(file string) string {
	text, _ := os.ReadFile(file)
	var found []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "status=500") && len(found) < 5 {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

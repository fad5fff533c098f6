// Package mariadbtest runs a private MariaDB for tests: its own data folder,
// its own socket, gone with the test process. The server's defaults are set
// unkindly on purpose (latin1), so that what matters must be in the DDL and in
// the session.
package mariadbtest

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// RequireEnv is the environment variable that, set to 1, makes a missing
// MariaDB fail the tests instead of skipping them.
const RequireEnv = "RESEED_TEST_REQUIRE_MARIADB"

// Options change how a server is run.
type Options struct {
	// FlushAtCommit is innodb_flush_log_at_trx_commit: "" and "1" for the
	// durable default, "2" where only the server may crash, "0" for speed.
	FlushAtCommit string
	// Networking makes it listen on a free port of 127.0.0.1, too.
	Networking bool
	// Args are further arguments of mariadbd.
	Args []string
}

// process is what the tests of one process share: one server and one template
// of a data folder. Starting either for each test would cost seconds.
var process struct {
	sync.Mutex
	shared   *Server
	template string
}

// Main runs the tests and then ends the shared server. It returns what
// TestMain gives to os.Exit.
func Main(m *testing.M) int {
	defer closeShared()
	return m.Run()
}

func closeShared() {
	process.Lock()
	defer process.Unlock()
	if process.shared != nil {
		process.shared.close()
	}
	if process.template != "" {
		os.RemoveAll(process.template)
	}
	process.shared, process.template = nil, ""
}

// Start returns the server that the tests of this process share, and starts it
// for the first. A kill of the server loses nothing that was committed. Where
// MariaDB is not installed it skips the test, or fails it with RequireEnv.
func Start(t testing.TB) *Server {
	t.Helper()
	need(t)
	process.Lock()
	defer process.Unlock()
	if process.shared == nil {
		s, err := launch(Options{FlushAtCommit: "2"})
		if err != nil {
			t.Fatalf("start MariaDB: %v", err)
		}
		process.shared = s
	}
	return process.shared
}

// Launch starts a server for this test alone, to be killed and restarted. It
// ends with the test.
func Launch(t testing.TB, o Options) *Server {
	t.Helper()
	need(t)
	process.Lock()
	s, err := launch(o)
	process.Unlock()
	if err != nil {
		t.Fatalf("start MariaDB: %v", err)
	}
	t.Cleanup(s.close)
	return s
}

// Run starts a server for a program that is no test, such as a benchmark. The
// caller closes it.
func Run(o Options) (*Server, error) {
	process.Lock()
	defer process.Unlock()
	return launch(o)
}

// Close ends a server of Run and removes its files.
func (s *Server) Close() {
	s.close()
	closeShared()
}

func need(t testing.TB) {
	t.Helper()
	for _, program := range []string{"mariadbd", "mariadb-install-db"} {
		if _, err := find(program); err != nil {
			missing(t, program)
		}
	}
}

func missing(t testing.TB, program string) {
	t.Helper()
	if os.Getenv(RequireEnv) == "1" {
		t.Fatalf("MariaDB IS MISSING: %s is not installed, and %s=1 requires it", program, RequireEnv)
	}
	t.Skipf("NOT TESTED ON MARIADB: %s is not installed (%s=1 makes this a failure)", program, RequireEnv)
}

// find looks where Debian puts servers, which is not on everybody's PATH.
func find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"} {
		if path, err := exec.LookPath(dir + program); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", program)
}

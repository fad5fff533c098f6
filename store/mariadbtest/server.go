package mariadbtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
)

// startTime is how long a server may take until it answers, also on a machine
// that is busy with other tests.
const startTime = 60 * time.Second

// dropTime is how long the removal of a test's database may take.
const dropTime = 5 * time.Second

// Server is a running MariaDB. Its administrator is root without a password.
type Server struct {
	dir     string
	options Options
	port    int
	admin   *sql.DB
	running *child
	names   atomic.Int64
	copies  copies
}

// root is the administrator.
const root = "root"

// launch starts a server. The caller holds the process's lock.
func launch(o Options) (*Server, error) {
	if process.template == "" {
		dir, err := makeTemplate()
		if err != nil {
			return nil, err
		}
		process.template = dir
	}
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, options: o}
	if err := s.prepare(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *Server) prepare() (err error) {
	if err := os.CopyFS(s.data(), os.DirFS(process.template)); err != nil {
		return fmt.Errorf("copy data folder: %w", err)
	}
	if s.options.Networking {
		if s.port, err = freePort(); err != nil {
			return err
		}
	}
	if s.admin, err = sql.Open("mysql", s.dsn(root, "")); err != nil {
		return err
	}
	return s.start()
}

// Socket returns the path of the server's Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, "s") }

// Port returns the port on 127.0.0.1, 0 without networking. It stays the same
// over restarts.
func (s *Server) Port() int { return s.port }

// Log returns what the server has written to its error log.
func (s *Server) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(b)
}

// Admin returns a pool of root's connections to no database in particular.
func (s *Server) Admin() *sql.DB { return s.admin }

// PID returns the id of the server's process.
func (s *Server) PID() int { return s.running.cmd.Process.Pid }

// Create makes an empty database of that name and returns its DSN.
func (s *Server) Create(ctx context.Context, name string) (string, error) {
	_, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+name)
	return s.dsn(root, name), err
}

// NewDatabase makes an empty database and returns its DSN, as go-sql-driver
// writes it. The database goes away with the test.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.names.Add(1))
	if _, err := s.admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("make database: %v", err)
	}
	t.Cleanup(func() {
		// A server that the test killed has nothing to clean, and one that a
		// failed test left locks in must not hold up the others.
		ctx, cancel := context.WithTimeout(context.Background(), dropTime)
		defer cancel()
		_, _ = s.admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name)
	})
	return s.dsn(root, name)
}

func (s *Server) dsn(user, name string) string { return user + "@unix(" + s.Socket() + ")/" + name }

// TCP returns the DSN of NewDatabase for the server's port.
func (s *Server) TCP(dsn string) string {
	name := dsn[len(s.dsn(root, "")):]
	return "root@tcp(127.0.0.1:" + strconv.Itoa(s.port) + ")/" + name
}

// Kill ends the server as a crash would, without warning. It does nothing
// if the server is down.
func (s *Server) Kill() {
	if s.running != nil {
		s.running.kill()
		s.running = nil
	}
}

// Restart starts the server again, after a Kill or by one, and waits until it
// answers.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	if err := s.start(); err != nil {
		t.Fatalf("restart MariaDB: %v", err)
	}
}

func (s *Server) close() {
	for _, pool := range []*sql.DB{s.admin, s.copies.admin} {
		if pool != nil {
			pool.Close()
		}
	}
	s.Kill()
	os.RemoveAll(s.dir)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) start() error {
	program, err := find("mariadbd")
	if err != nil {
		return err
	}
	s.running, err = startChild(exec.Command(program, s.args()...))
	if err != nil {
		return err
	}
	if err := s.answering(); err != nil {
		s.Kill()
		return fmt.Errorf("%w\n%s", err, s.Log())
	}
	return nil
}

func (s *Server) args() []string {
	flush := s.options.FlushAtCommit
	if flush == "" {
		flush = "1"
	}
	args := append(common(s.data()),
		"--socket="+s.Socket(),
		"--pid-file="+filepath.Join(s.dir, "pid"),
		"--log-error="+filepath.Join(s.dir, "log"),
		// A server that starts removes temporary tables from here, whosever they are.
		"--tmpdir="+s.dir,
		"--character-set-server=latin1",
		"--collation-server=latin1_swedish_ci",
		"--sql-mode=",
		"--max-connections=200",
		"--innodb-flush-log-at-trx-commit="+flush,
	)
	if flush != "1" {
		// What was written outlives the server, if not the machine.
		args = append(args, "--innodb-flush-method=nosync", "--debug-no-sync")
	}
	if s.port == 0 {
		args = append(args, "--skip-networking")
	} else {
		args = append(args, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(s.port))
	}
	return append(args, s.options.Args...)
}

// common are the arguments that making a data folder needs as well. A server
// that starts deletes what others have in a shared folder for temporary tables.
func common(data string) []string {
	args := []string{"--no-defaults", "--datadir=" + data, "--tmpdir=" + data,
		"--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"}
	if os.Getuid() == 0 {
		args = append(args, "--user=root")
	}
	return args
}

// answering waits until the server answers, or ended, or took too long.
func (s *Server) answering() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.admin.PingContext(ctx) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("the server does not answer")
		case <-s.running.ended:
			return errors.New("the server ended")
		case <-tick.C:
		}
	}
}

// makeTemplate initialises a data folder to be copied.
func makeTemplate() (string, error) {
	removeLeftovers()
	program, err := find("mariadb-install-db")
	if err != nil {
		return "", err
	}
	dir, err := tempDir()
	if err != nil {
		return "", err
	}
	args := append(common(dir), "--auth-root-authentication-method=normal", "--skip-test-db",
		"--innodb-flush-log-at-trx-commit=0")
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("%s: %w\n%s", program, err, out.String())
	}
	return dir, nil
}

// freePort returns a port that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

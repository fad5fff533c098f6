package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Program is what is measured of the program itself.
type Program struct {
	BinaryMB float64       `json:"binaryMB"` // of a million bytes
	Version  time.Duration `json:"version"`  // of `reseed version`, best of five
	Start    time.Duration `json:"start"`    // to the first answer, in a migrated folder, best of five
	RestMiB  float64       `json:"restMiB"`  // resident, a second after a start on SQLite
	RSS      int64         `json:"loadedKiB"`
}

// program is the built server.
type program struct {
	Program
	dir, path string
}

func build(ctx context.Context, dir string) (*program, error) {
	p := &program{dir: dir, path: filepath.Join(dir, "reseed")}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", p.path, "github.com/reseed-project/reseed")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w: %s", err, out)
	}
	info, err := os.Stat(p.path)
	if err != nil {
		return nil, err
	}
	p.BinaryMB = float64(info.Size()) / 1e6
	for range 5 {
		begin := time.Now()
		if err := exec.CommandContext(ctx, p.path, "version").Run(); err != nil {
			return nil, err
		}
		p.Version = best(p.Version, time.Since(begin))
	}
	return p, p.starts(ctx)
}

func best(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// restTime is how long after a start the server is at rest.
const restTime = time.Second

// starts measures starts in a folder that was used before, and the memory after
// the last of them.
func (p *program) starts(ctx context.Context) error {
	dir := filepath.Join(p.dir, "starts")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	const starts = 6
	for i := range starts {
		begin := time.Now()
		s, err := p.start(ctx, dir, "")
		if err != nil {
			return err
		}
		if i > 0 {
			p.Start = best(p.Start, time.Since(begin))
		}
		if i == starts-1 {
			time.Sleep(restTime)
			p.RestMiB = float64(residentKiB(s.pid())) / 1024
		}
		s.stop()
	}
	return nil
}

// running is a server.
type running struct {
	cmd    *exec.Cmd
	addr   string
	tokens []string // that were mailed and are good
}

// serve starts a server with members and orders of earlier days.
func (p *program) serve(ctx context.Context, dir, dsn, smtp string, o options) (*running, error) {
	args, key := []string{"--data", filepath.Join(dir, "data")}, filepath.Join(dir, "data", "token.key")
	if dsn != "" {
		key = filepath.Join(p.dir, "starts", "data", "token.key")
		args = append(args, "--database", dsn, "--key-file", key)
	}
	csv, w := io.Pipe()
	go func() { w.CloseWithError(writeMembers(w, o.members)) }()
	defer csv.Close()
	imported := exec.CommandContext(ctx, p.path, append([]string{"member", "import", "-"}, args...)...)
	imported.Stdin = csv
	if out, err := imported.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("import members: %w: %s", err, out)
	}
	if err := fill(ctx, dir, dsn, key, o); err != nil {
		return nil, err
	}
	tokens, err := addTokens(ctx, dir, dsn, key, o)
	if err != nil {
		return nil, err
	}
	s, err := p.start(ctx, dir, dsn, append(args[2:], "--smtp", "smtp://"+smtp+"?starttls=never", "--host-url", "https://example.org/ps",
		"--email-domain", "example.org", "--client-rate", "0", "--total-rate", "0", "--mails-per-hour", "1000", "--max-client-connections", "0")...)
	if err == nil {
		s.tokens = tokens
	}
	return s, err
}

// writeMembers writes what is imported.
func writeMembers(to io.Writer, n int) error {
	w := bufio.NewWriter(to)
	_, _ = w.WriteString("username,email,firstname,surname\n") // Flush tells of faults
	for i := range n {
		fmt.Fprintf(w, "user%d,user%d@example.org,Ann,Archer\n", i, i)
	}
	return w.Flush()
}

// start starts a server and waits until it answers.
func (p *program) start(ctx context.Context, dir, _ string, args ...string) (*running, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &running{addr: l.Addr().String()}
	l.Close()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.CommandContext(ctx, p.path, append([]string{"serve", "--data", filepath.Join(dir, "data"), "--listen", s.addr}, args...)...)
	s.cmd.Stderr, s.cmd.Stdout = log, io.Discard
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.answers(ctx); err != nil {
		s.stop()
		text, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return s, nil
}

// startTime is how long a server may take until it answers.
const startTime = 30 * time.Second

func (s *running) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		resp, err := http.Get("http://" + s.addr + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("the server does not answer")
		case <-time.After(time.Millisecond):
		}
	}
}

func (s *running) pid() int { return s.cmd.Process.Pid }

func (s *running) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// clientOf makes clients that ask for members by number.
func (s *running) clientOf(form string, members int) func(context.Context) (worker, error) {
	return func(ctx context.Context) (worker, error) {
		return dial(ctx, "http://"+s.addr+"/members/resetpassword", func(n int64) string {
			return strings.ReplaceAll(fmt.Sprintf(form, n%int64(members)), "@", "%40")
		})
	}
}

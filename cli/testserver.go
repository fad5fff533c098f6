package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/seed"
	"github.com/reseed-project/reseed/testserver"
)

// ready is the line that a test server prints when it answers.
type ready struct {
	Ready   bool   `json:"ready"`
	URL     string `json:"url"` // without a path
	HostURL string `json:"host-url"`
	Inbox   string `json:"inbox"`
	PID     int    `json:"pid"`
}

// serveTests runs a test server until it is interrupted.
func (c ServeCmd) serveTests(ctx context.Context, std *Console, cfg *config.Config) error {
	if err := c.mayTest(cfg); err != nil {
		return err
	}
	l, s, err := startTestServer(ctx, std.Err, std, cfg, c.Seed)
	if err != nil {
		return err
	}
	url := "http://" + l.Addr().String()
	line, err := json.Marshal(ready{Ready: true, URL: url, HostURL: cfg.HostURL, Inbox: url + "/dev/mail", PID: os.Getpid()})
	if err == nil {
		fmt.Fprintf(std.Out, "%s\n", line)
	}
	return errors.Join(err, s.Run(ctx, l), s.Close())
}

// mayTest refuses what a test server must not be: reachable by others, or
// connected with what is real.
func (c ServeCmd) mayTest(cfg *config.Config) error {
	switch {
	case cfg.SMTP != "":
		return errors.New("serve --test mails nothing: take smtp out of the configuration")
	case cfg.MySQL():
		return errors.New("serve --test stores nothing: take database out of the configuration")
	case !c.Force && !testserver.Loopback(cfg.Listen):
		return fmt.Errorf("serve --test lets anyone who reaches %s do anything: listen on 127.0.0.1, or add --force in a closed network", cfg.Listen)
	}
	return nil
}

// startTestServer listens, and makes the server that is to serve there.
func startTestServer(ctx context.Context, log io.Writer, std *Console, cfg *config.Config, seedFile string) (net.Listener, *testserver.Server, error) {
	doc, err := readSeed(seedFile)
	if err != nil {
		return nil, nil, err
	}
	l, err := app.Listen(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	s, err := testserver.New(ctx, testserver.Options{
		Config: cfg, Seed: doc, Log: app.NewLogger(log), Now: std.Now, Addr: l.Addr().String(), Hosts: cfg.InboxHosts,
	})
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	return l, s, nil
}

func readSeed(file string) (*seed.Document, error) {
	if file == "" {
		return &seed.Document{}, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	return seed.Parse(raw)
}

// TestCmd is reseed test.
type TestCmd struct {
	Seed    string   `type:"existingfile" placeholder:"FILE" help:"Who exists on the server: groups, members, sites, clients, in YAML or JSON."`
	Verbose bool     `help:"Show the server's log."`
	Command []string `arg:"" passthrough:"" help:"What to run, after --. RESEED_URL tells it where the server is."`
}

// Help shows an example.
func (TestCmd) Help() string {
	return example("reseed test --seed accounts.yaml -- npm test", "reseed test -- sh -c 'curl -d email=ann@example.org $RESEED_URL/members/resetpassword'")
}

// Run starts the server and runs the command.
func (c TestCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	cfg.Listen = "127.0.0.1:0"
	if err := (ServeCmd{}).mayTest(cfg); err != nil {
		return err
	}
	log := io.Discard
	if c.Verbose {
		log = std.Err
	}
	l, s, err := startTestServer(ctx, log, std, cfg, c.Seed)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	var g errgroup.Group
	g.Go(func() error { return s.Run(serving, l) })
	err = c.runCommand(ctx, std, "http://"+l.Addr().String())
	stop()
	return errors.Join(err, g.Wait(), s.Close())
}

// runCommand runs the command; its failure is an exitStatus.
func (c TestCmd) runCommand(ctx context.Context, std *Console, url string) error {
	words := c.Command
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		return errors.New("say after -- what to run")
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // it is what the command is for
	cmd.Env = append(os.Environ(), "RESEED_URL="+url)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = std.In, std.Out, std.Err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	var exited *exec.ExitError
	if !errors.As(err, &exited) {
		return err
	}
	if status, ok := exited.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitStatus(128 + int(status.Signal()))
	}
	return exitStatus(exited.ExitCode())
}

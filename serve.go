package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
)

// Run serves until the context ends, as it does with INT or TERM.
func (ServeCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	l, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	outliveReaders()
	lines := &logLines{to: std.err}
	a, err := newUnprepared(ctx, cfg, testOutside(outside{log: newLogger(lines), lostLines: &lines.lost}))
	if err != nil {
		return errors.Join(err, l.Close())
	}
	cfg.spareProcessors()
	a.store.Hold()
	a.whenReady = func() { a.announce(std, l.Addr()) }
	return errors.Join(a.serve(ctx, l), a.close())
}

// leastProcessors is how many goroutines at least may run at once.
const leastProcessors = 4

// spareProcessors has more goroutines run at once than a small machine has
// processors: with SQLite one of them waits for the disk most of the time, and
// would keep the others from running for as long as Go takes to notice. It
// comes after the parts are made, since passwords are hashed by as many
// as there are processors in truth.
func (c *Config) spareProcessors() {
	if !c.MySQL() && os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < leastProcessors {
		runtime.GOMAXPROCS(leastProcessors)
	}
}

// listen opens the configured address, and tells the configuration which it is.
func listen(ctx context.Context, cfg *Config) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	cfg.Listening(l.Addr().String())
	return l, nil
}

// announce says where the server listens, where mails go and where the data is.
func (a *app) announce(std *console, addr net.Addr) {
	fmt.Fprintf(std.out, "listening  %s (host URL %s)\n", addr, a.cfg.HostURL)
	fmt.Fprintf(std.out, "mails      %v\n", a.sender)
	if a.capture != nil && a.cfg.showsInbox() {
		fmt.Fprintf(std.out, "inbox      %s/dev/mail\n", a.cfg.origin())
	}
	fmt.Fprintf(std.out, "data       %s\n", a.cfg.where())
}

// where says where the data is, without what a DSN must keep to itself.
func (c *Config) where() string {
	if c.MySQL() {
		return "MySQL or MariaDB, and " + c.Data
	}
	return c.Data
}

// newLogger writes structured lines.
func newLogger(to io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{ReplaceAttr: inUTC}))
}

// inUTC writes times in UTC, so that the logs of servers in several zones, and
// of the hour that daylight saving repeats, can be put in order (LOG-4).
func inUTC(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}

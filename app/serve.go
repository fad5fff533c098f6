package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"

	"github.com/reseed-project/reseed/config"
)

// NewServing returns an app that waits for its database while it serves on l. It
// says where it listens on out, once it is ready, and logs to log.
func NewServing(ctx context.Context, cfg *config.Config, l net.Listener, out, log io.Writer) (*App, error) {
	headroom := reserveHeadroom()
	outliveReaders()
	lines := newLogLines(log)
	level := &slog.LevelVar{}
	level.Set(logLevel(cfg))
	a, err := New(ctx, cfg, testOutside(Deps{Log: newLogger(lines, cfg.LogFormat, level), lostLines: &lines.lost}))
	if err != nil {
		return nil, errors.Join(err, lines.Close())
	}
	a.level = level
	release := markRunning(cfg)
	a.closeLog = func() error {
		runtime.KeepAlive(headroom)
		release()
		return lines.Close()
	}
	spareProcessor(cfg)
	a.whenReady = func() {
		a.Announce(out, l.Addr())
		a.tellSystemd(ctx, nowReady)
	}
	return a, nil
}

// enoughProcessors is how many there are where waiting for the disk keeps no
// request from running.
const enoughProcessors = 4

// spareProcessor has one goroutine more run at once than a small machine has
// processors: with SQLite one of them waits for the disk most of the time, and
// would keep the others from running for as long as Go takes to notice. Measured
// on one processor, for 1, 2 and 4 at once: 1,755, 2,000 and 1,770 requests a
// second, 147, 26 and 32 ms for the slowest hundredth, 37, 37 and 30 new
// passwords; on two, for 2, 3 and 4: 2,830, 3,350 and 3,310 requests. It comes
// after the parts are made, since passwords are hashed by as many as there are
// processors in truth.
func spareProcessor(cfg *config.Config) {
	if n := runtime.GOMAXPROCS(0); !cfg.MySQL() && os.Getenv("GOMAXPROCS") == "" && n < enoughProcessors {
		runtime.GOMAXPROCS(n + 1)
	}
}

// documentedSender is what mails come from unless set otherwise (contract 1.9).
const documentedSender = "PageSeeder (DO NOT REPLY)"

// Announce says where the server listens, where mails go and where the data is.
func (a *App) Announce(out io.Writer, addr net.Addr) {
	fmt.Fprintf(out, "listening  %s (host URL %s)\n", addr, a.Config.HostURL)
	fmt.Fprintf(out, "mails      %v\n", a.sender)
	if a.Capture != nil && showsInbox(a.Config) {
		fmt.Fprintf(out, "inbox      %s/dev/mail\n", a.Config.Origin())
	}
	if a.Config.MailFromName == documentedSender {
		fmt.Fprintf(out, "sender     %s (mail-from-name changes it; groups' mails carry the group's name)\n", a.Config.MailFromName)
	}
	fmt.Fprintf(out, "data       %s\n", a.Config.Where())
}

// NewLogger writes structured lines of text, from level info on.
func NewLogger(to io.Writer) *slog.Logger { return newLogger(to, "text", slog.LevelInfo) }

// newLogger writes structured lines in a format of log-format.
func newLogger(to io.Writer, format string, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: inUTC, Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// inUTC writes times in UTC, so that the logs of servers in several zones, and
// of the hour that daylight saving repeats, can be put in order (LOG-4).
func inUTC(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}

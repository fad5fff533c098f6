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
	reserveHeadroom()
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
	a.closeLog = func() error { release(); return lines.Close() }
	spareProcessors(cfg)
	a.whenReady = func() {
		a.Announce(out, l.Addr())
		a.tellSystemd(ctx, nowReady)
	}
	return a, nil
}

// leastProcessors is how many goroutines at least may run at once.
const leastProcessors = 4

// spareProcessors has more goroutines run at once than a small machine has
// processors: with SQLite one of them waits for the disk most of the time, and
// would keep the others from running for as long as Go takes to notice. On one
// processor four requests at a time were 387 a second instead of 196, with 7 ms
// instead of 78 for the slowest twentieth of answers beside them; two more rounds
// showed 363 and 225, 131 and 68. It comes after the parts are made, since
// passwords are hashed by as many as there are processors in truth.
func spareProcessors(cfg *config.Config) {
	if !cfg.MySQL() && os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < leastProcessors {
		runtime.GOMAXPROCS(leastProcessors)
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

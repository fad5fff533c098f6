package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/reseed-project/reseed/config"
)

// Reload reads the templates folder, its texts and looks, and the log's level
// again. If anything is wrong, what was read before stays, and the log says why.
func (a *App) Reload(ctx context.Context) {
	a.tellSystemd(ctx, nowReloading)
	defer a.tellSystemd(ctx, nowReady)
	fresh, err := a.Config.With(nil)
	if err == nil {
		a.level.Set(logLevel(fresh))
		err = a.ReloadTemplates()
	}
	if err != nil {
		a.Log.ErrorContext(ctx, "not reloaded; the former settings stay in effect", "err", err)
		return
	}
	a.Log.InfoContext(ctx, "reloaded", "log-level", fresh.LogLevel)
}

func (a *App) tellSystemd(ctx context.Context, state string) {
	if err := notify(ctx, state); err != nil {
		a.Log.WarnContext(ctx, "systemd could not be notified", "state", state, "err", err)
	}
}

func logLevel(cfg *config.Config) slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // it was validated
	return level
}

// processFile is in the data folder, and locked while a server runs with it.
const processFile = "server.pid"

// markRunning writes the process's number for "reseed reload". Of several
// servers in one folder the first one is reloaded. A folder that can't be
// written, or isn't there, is no fault: then only a signal reloads.
func markRunning(cfg *config.Config) (release func()) {
	f, err := os.OpenFile(filepath.Join(cfg.Data, processFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return func() {}
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return func() { _ = f.Close() }
	}
	_, errWrite := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	if errors.Join(errWrite, f.Truncate(int64(len(strconv.Itoa(os.Getpid()))+1))) != nil {
		return func() { _ = f.Close() }
	}
	return func() { _, _ = f.Truncate(0), f.Close() }
}

// errNotRunning is what RunningServer finds if no server holds the folder.
var errNotRunning = errors.New("no server runs with this data folder")

// RunningServer returns the process number of the server that runs with the data folder.
func RunningServer(cfg *config.Config) (int, error) {
	f, err := os.OpenFile(filepath.Join(cfg.Data, processFile), os.O_RDWR, 0)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNotRunning, err)
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		return 0, fmt.Errorf("%w: %s", errNotRunning, cfg.Data)
	}
	text, err := os.ReadFile(f.Name())
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("%s holds no process number", f.Name())
	}
	return pid, nil
}

// AskToReload tells the server that runs with the data folder to reload.
func AskToReload(cfg *config.Config) (pid int, err error) {
	if pid, err = RunningServer(cfg); err != nil {
		return 0, err
	}
	return pid, syscall.Kill(pid, syscall.SIGHUP)
}

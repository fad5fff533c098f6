package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
)

// Run serves until the context ends, as it does with INT or TERM.
func (c ServeCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if c.Test {
		return c.serveTests(ctx, std, cfg)
	}
	if c.Seed != "" || c.Force {
		return errors.New("--seed and --force are for test servers: add --test")
	}
	l, err := app.Listen(ctx, cfg)
	if err != nil {
		return err
	}
	a, err := app.NewServing(ctx, cfg, l, std.Out, std.Err)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer reloadOnHangup(ctx, a)()
	return errors.Join(a.Run(ctx, l), a.Close())
}

// reloadOnHangup reloads at each SIGHUP, until the function it returns is called.
func reloadOnHangup(ctx context.Context, a *app.App) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-hangups:
				a.Reload(ctx)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		cancel()
		<-ended
	}
}

// ReloadCmd is reseed reload.
type ReloadCmd struct{}

// Help shows an example.
func (ReloadCmd) Help() string { return example("reseed reload --data /var/lib/reseed") }

// Run has the server that runs with the data folder read its templates and its
// log level again, as SIGHUP does. What came of it is in the server's log.
func (ReloadCmd) Run(std *Console, cfg *config.Config) error {
	pid, err := app.AskToReload(cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.Err, "the server (process %d) reloads; its log says what came of it\n", pid)
	return nil
}

// Package demo is the guided run: sample data, and each step over HTTP with its mails.
package demo

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

//go:embed all:templates
var demoFiles embed.FS

// Run plays both services through both steps over HTTP in a fresh temporary
// folder and prints all that is said. Then it serves until ctx ends, unless once.
func Run(ctx context.Context, out io.Writer, cfg *config.Config, once bool) error {
	folder, err := os.MkdirTemp("", "reseed-demo-")
	if err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	err = runIn(ctx, out, demoConfig(cfg, folder), once)
	return errors.Join(err, os.RemoveAll(folder))
}

// demoConfig keeps the demo by itself, whatever is configured: its own data,
// its own templates, no mail that leaves the machine, no rule that the tour
// would break.
func demoConfig(cfg *config.Config, folder string) *config.Config {
	own := *cfg
	own.Data, own.Database, own.SMTP = folder, "", ""
	own.KeyFile = filepath.Join(folder, "token.key")
	own.Templates, own.GlobalTemplate = filepath.Join(folder, "templates"), ""
	own.Migrate, own.MinPassword, own.ClientRate, own.TotalRate = "auto", 8, new(int), 0
	if own.DevInbox == "off" {
		own.DevInbox = "loopback"
	}
	own.Complete() // a sender's domain, where SMTP asked for one of the operator's
	return &own
}

func runIn(ctx context.Context, out io.Writer, cfg *config.Config, once bool) error {
	if err := copyTemplates(cfg.Templates); err != nil {
		return err
	}
	l, err := app.Listen(ctx, cfg)
	if errors.Is(err, syscall.EADDRINUSE) {
		cfg.Listen = "127.0.0.1:0"
		l, err = app.Listen(ctx, cfg)
	}
	if err != nil {
		return err
	}
	a, err := app.NewReady(ctx, cfg, app.Deps{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := populate(ctx, a); err != nil {
		return errors.Join(err, l.Close(), a.Close())
	}
	a.Announce(out, l.Addr())
	return errors.Join(tourAndServe(ctx, a, out, l, once), a.Close())
}

func copyTemplates(folder string) error {
	files, err := fs.Sub(demoFiles, "templates")
	if err == nil {
		err = os.CopyFS(folder, files)
	}
	if err != nil {
		return fmt.Errorf("copy the demo's templates: %w", err)
	}
	return nil
}

// tourAndServe serves while the tour is on, and after it unless it is all there is to do.
func tourAndServe(ctx context.Context, a *app.App, out io.Writer, l net.Listener, once bool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return a.Run(ctx, l) })
	g.Go(func() error {
		t := &tour{out: out, base: "http://" + l.Addr().String(), prefix: a.Config.SitePrefix, capture: a.Capture, mails: a.Capture.Watch(ctx)}
		err := t.run(ctx)
		if err != nil || once {
			stop()
			return err
		}
		fmt.Fprintf(out, "\nServing on until interrupted. Try it:\n  %s in a browser: the forms, and the mails\n  curl -d email=ann@example.org %s/members/resetpassword\n", a.Config.Origin(), t.base)
		return nil
	})
	return g.Wait()
}

// populate adds two groups, whose mails look different, their members, and the
// Wix site of one of them.
func populate(ctx context.Context, a *app.App) error {
	var ids []int64
	for _, g := range []groups.Group{
		{Name: "acme-specs", Title: "Acme Specifications", Description: "Everything that is specified"},
		{Name: "globex-web", Title: "Globex Web", Description: "The public site"},
	} {
		id, err := a.Store.AddGroup(ctx, g)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	hash, err := a.Members.Hasher.Hash(ctx, "old-Garden-12-gate")
	if err != nil {
		return err
	}
	if _, err = a.Store.AddMembers(ctx, demoMembers(ids, hash)); err != nil {
		return err
	}
	return addSite(ctx, a, ids[0])
}

func demoMembers(group []int64, hash password.Hash) []members.NewMember {
	member := func(username, firstname, surname string, groups ...int64) members.NewMember {
		return members.NewMember{Groups: groups, Member: members.Member{
			Username: username, Email: username + "@example.org", Firstname: firstname, Surname: surname,
			Status: members.Activated, Password: hash,
		}}
	}
	return []members.NewMember{
		member("ann", "Ann", "Archer", group[0]),
		member("bob", "Bob", "Builder", group[1]),
		member("carl", "Carl", "Cook"),
	}
}

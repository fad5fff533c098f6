package main

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

	"reseed/groups"
	"reseed/members"
	"reseed/password"
)

//go:embed all:demo
var demoFiles embed.FS

// Run plays both services through both steps over HTTP in a fresh temporary
// folder, prints all that is said, and serves on until it is interrupted.
func (c DemoCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	folder, err := os.MkdirTemp("", "reseed-demo-")
	if err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	err = c.run(ctx, std, demoConfig(cfg, folder))
	return errors.Join(err, os.RemoveAll(folder))
}

// demoConfig keeps the demo by itself, whatever is configured: its own data,
// its own templates, no mail that leaves the machine, no rule that the tour
// would break.
func demoConfig(cfg *Config, folder string) *Config {
	own := *cfg
	own.Data, own.Database, own.SMTP = folder, "", ""
	own.KeyFile = filepath.Join(folder, "token.key")
	own.Templates, own.GlobalTemplate = filepath.Join(folder, "templates"), ""
	own.Migrate, own.MinPassword, own.ClientRate, own.TotalRate = "auto", 8, new(int), 0
	if own.DevInbox == "off" {
		own.DevInbox = "loopback"
	}
	own.complete() // a sender's domain, where SMTP asked for one of the operator's
	return &own
}

func (c DemoCmd) run(ctx context.Context, std *console, cfg *Config) error {
	if err := copyTemplates(cfg.Templates); err != nil {
		return err
	}
	l, err := listen(ctx, cfg)
	if errors.Is(err, syscall.EADDRINUSE) {
		cfg.Listen = "127.0.0.1:0"
		l, err = listen(ctx, cfg)
	}
	if err != nil {
		return err
	}
	a, err := newApp(ctx, cfg, outside{log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := a.populate(ctx); err != nil {
		return errors.Join(err, l.Close(), a.close())
	}
	a.announce(std, l.Addr())
	return errors.Join(a.tourAndServe(ctx, std.out, l, c.Once), a.close())
}

func copyTemplates(folder string) error {
	files, err := fs.Sub(demoFiles, "demo/templates")
	if err == nil {
		err = os.CopyFS(folder, files)
	}
	if err != nil {
		return fmt.Errorf("copy the demo's templates: %w", err)
	}
	return nil
}

// tourAndServe serves while the tour is on, and after it unless it is all there is to do.
func (a *app) tourAndServe(ctx context.Context, out io.Writer, l net.Listener, once bool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return a.serve(ctx, l) })
	g.Go(func() error {
		t := &tour{out: out, base: "http://" + l.Addr().String(), prefix: a.cfg.SitePrefix, capture: a.capture, mails: a.capture.Watch(ctx)}
		err := t.run(ctx)
		if err != nil || once {
			stop()
			return err
		}
		fmt.Fprintf(out, "\nServing on until interrupted. Try it:\n  %s in a browser: the forms, and the mails\n  curl -d email=ann@example.org %s/members/resetpassword\n", a.cfg.origin(), t.base)
		return nil
	})
	return g.Wait()
}

// populate adds two groups, whose mails look different, and their members.
func (a *app) populate(ctx context.Context) error {
	var ids []int64
	for _, g := range []groups.Group{
		{Name: "acme-specs", Title: "Acme Specifications", Description: "Everything that is specified"},
		{Name: "globex-web", Title: "Globex Web", Description: "The public site"},
	} {
		id, err := a.store.AddGroup(ctx, g)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	hash, err := a.members.Hasher.Hash(ctx, "old-Garden-12-gate")
	if err != nil {
		return err
	}
	_, err = a.store.AddMembers(ctx, demoMembers(ids, hash))
	return err
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

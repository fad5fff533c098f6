package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
)

// directory is the open store of a command, with look-ups by the names that
// people type.
type directory struct{ *store.Store }

// openDirectory opens the database and brings its schema up to date. The
// caller closes it.
func openDirectory(ctx context.Context, cfg *config.Config) (*directory, error) {
	s, err := app.OpenStore(ctx, cfg, time.Now, nil)
	if err != nil {
		return nil, err
	}
	return &directory{s}, nil
}

// viewDirectory opens the database for reading alone, and makes nothing.
func viewDirectory(ctx context.Context, cfg *config.Config) (*directory, error) {
	s, err := app.ViewStore(ctx, cfg, time.Now)
	if err != nil {
		return nil, err
	}
	return &directory{s}, nil
}

// administration is the open store of a command that changes something, with the
// use cases that services have, too.
type administration struct {
	*directory
	uses   *members.Service
	caller members.Caller
}

// administer opens the database for work that changes something.
func administer(ctx context.Context, std *Console, cfg *config.Config, work func(*administration) error) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	uses, err := app.Administration(cfg, d.Store, recorder{d, std}, std.Now)
	if err != nil {
		return err
	}
	return work(&administration{d, uses, members.Caller{Command: operator()}})
}

// withMember opens the database for work on the member of that name.
func withMember(ctx context.Context, std *Console, cfg *config.Config, name string, work func(*administration, members.Member) error) error {
	return administer(ctx, std, cfg, func(d *administration) error {
		m, err := d.member(ctx, name)
		if err != nil {
			return err
		}
		return work(d, m)
	})
}

// withGroup opens the database for work on the group of that name.
func withGroup(ctx context.Context, std *Console, cfg *config.Config, name string, work func(*administration, groups.Group) error) error {
	return administer(ctx, std, cfg, func(d *administration) error {
		g, err := d.group(ctx, name)
		if err != nil {
			return err
		}
		return work(d, g)
	})
}

// viewGroup opens the database for reading about the group of that name. The
// caller closes it.
func viewGroup(ctx context.Context, cfg *config.Config, name string) (*directory, groups.Group, error) {
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return nil, groups.Group{}, err
	}
	g, err := d.group(ctx, name)
	if err != nil {
		return nil, g, errors.Join(err, d.Close())
	}
	return d, g, nil
}

// refusal returns why a use case refused what a command asked for, without the
// code and the text that clients get.
func refusal(err error) error {
	var e *errcodes.Error
	if errors.As(err, &e) && e.Cause != nil && e.HTTPStatus() < 500 {
		return e.Cause
	}
	return err
}

// member returns the member of that name, which services read alike.
func (d *directory) member(ctx context.Context, name string) (members.Member, error) {
	m, err := members.Named(ctx, d, name)
	switch {
	case err != nil:
		return m, fmt.Errorf("find member: %w", err)
	case !m.Zero():
		return m, nil
	}
	if _, isID := members.ParseID(name); isID {
		return m, fmt.Errorf("there is no member %q; if that is a username, write ~%s", name, name)
	}
	return m, fmt.Errorf("there is no member %q", name)
}

// group returns the group of that name, which services read alike.
func (d *directory) group(ctx context.Context, name string) (groups.Group, error) {
	g, err := members.NamedGroup(ctx, d, name)
	if err != nil {
		return g, fmt.Errorf("find group: %w", err)
	}
	if g.Zero() {
		return g, fmt.Errorf("there is no group %q", name)
	}
	return g, nil
}

// groupIDs returns the ids of groups by id or name.
func (d *directory) groupIDs(ctx context.Context, names []string) ([]int64, error) {
	var ids []int64
	for _, name := range names {
		g, err := d.group(ctx, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, g.ID)
	}
	return ids, nil
}

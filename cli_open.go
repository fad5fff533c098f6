package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"reseed/groups"
	"reseed/members"
	"reseed/store"
)

// directory is the open store of a command, with look-ups by the names that
// people type.
type directory struct{ *store.Store }

// openDirectory opens the database and brings its schema up to date. The
// caller closes it.
func openDirectory(ctx context.Context, cfg *Config) (*directory, error) {
	s, err := openStore(ctx, cfg, time.Now, nil)
	if err != nil {
		return nil, err
	}
	return &directory{s}, nil
}

// openStore opens the database and brings its schema up to date, or makes sure that it is.
func openStore(ctx context.Context, cfg *Config, now func() time.Time, trace func(string)) (*store.Store, error) {
	s, err := connectStore(ctx, cfg, now, trace)
	if err != nil {
		return nil, err
	}
	if err := readySchema(ctx, s, cfg.Migrate); err != nil {
		_ = s.Close() // the first error says more
		return nil, err
	}
	return s, nil
}

// connectStore opens the database as it is. It doesn't wait for a server.
func connectStore(ctx context.Context, cfg *Config, now func() time.Time, trace func(string)) (*store.Store, error) {
	c, err := cfg.Store(now)
	if err != nil {
		return nil, err
	}
	c.Trace = trace
	return store.Open(ctx, c)
}

// withMember opens the database for work on the member of that name.
func withMember(ctx context.Context, cfg *Config, name string, work func(*directory, members.Member) error) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	m, err := d.member(ctx, name)
	if err != nil {
		return err
	}
	return work(d, m)
}

// member returns whom an id, an email or a username names. Digits are an id
// where there is such a member, and a username otherwise.
func (d *directory) member(ctx context.Context, name string) (members.Member, error) {
	var lookups []members.Lookup
	if id, ok := members.ParseID(name); ok && id > 0 {
		lookups = append(lookups, members.Lookup{ID: id})
	}
	if strings.Contains(name, "@") {
		lookups = append(lookups, members.Lookup{Email: name})
	} else if name != "" {
		lookups = append(lookups, members.Lookup{Username: name})
	}
	for _, l := range lookups {
		found, err := d.FindMember(ctx, l)
		if err != nil {
			return members.Member{}, fmt.Errorf("find member: %w", err)
		}
		if !found.Member.Zero() {
			return found.Member, nil
		}
	}
	return members.Member{}, fmt.Errorf("there is no member %q", name)
}

// group returns what an id or a full name, with or without ~ in front, names.
func (d *directory) group(ctx context.Context, name string) (groups.Group, error) {
	var g groups.Group
	var err error
	if id, ok := members.ParseID(name); ok && id > 0 {
		g, err = d.FindGroupID(ctx, id)
	} else {
		g, err = d.FindGroup(ctx, strings.TrimPrefix(name, "~"))
	}
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

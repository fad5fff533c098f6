package main

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"reseed/groups"
	"reseed/members"
	"reseed/password"
	"reseed/store"
	"reseed/store/mariadbtest"
	"reseed/store/sqlitetest"
)

// SQLite files are migrated and filled once for each state and then copied;
// the ids in them are kept by the state's name.
var (
	sqliteCopies sqlitetest.Copies
	sqliteIDs    sync.Map
)

// testDSN returns a fresh database on the private MariaDB, with the schema, but
// without data. Its user may SELECT, INSERT, UPDATE and DELETE, which is all
// that a server needs (LOG-9).
func testDSN(t testing.TB) string {
	t.Helper()
	return mariadbtest.Start(t).NewCopy(t, "migrated", func(dsn string) error {
		return inStore(store.Config{DSN: dsn}, func(ctx context.Context, s *store.Store) error { return s.Migrate(ctx) })
	})
}

// emptyDSN returns a fresh database on the private MariaDB without a schema,
// and its administrator.
func emptyDSN(t testing.TB) string {
	t.Helper()
	return mariadbtest.Start(t).NewDatabase(t)
}

// inStore opens a store for some work.
func inStore(c store.Config, work func(context.Context, *store.Store) error) error {
	c.Now = func() time.Time { return testTime }
	s, err := store.Open(context.Background(), c)
	if err != nil {
		return err
	}
	return errors.Join(work(context.Background(), s), s.Close())
}

// freshState puts a state into the database of a configuration, and makes that
// database where it is a file. It returns the ids of members by username, of
// groups by name and of API keys by the key.
func freshState(t testing.TB, cfg *Config, name string) map[string]int64 {
	t.Helper()
	c, err := cfg.Store(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !cfg.MySQL() {
		return freshFile(t, c.Path, name)
	}
	f := newFilling(t, name)
	if err := inStore(c, f.migrateAndFill); err != nil {
		t.Fatalf("state %s: %v", name, err)
	}
	return f.ids
}

func freshFile(t testing.TB, path, name string) map[string]int64 {
	t.Helper()
	sqliteCopies.Write(t, path, name, func(path string) error {
		f := newFilling(t, name)
		sqliteIDs.Store(name, f.ids)
		return inStore(store.Config{Path: path}, f.migrateAndFill)
	})
	ids, _ := sqliteIDs.Load(name)
	return maps.Clone(ids.(map[string]int64))
}

// filling puts a state straight into a store: all that a member may be.
type filling struct {
	state  stateFile
	hasher *password.Hasher
	ids    map[string]int64
}

func newFilling(t testing.TB, name string) *filling {
	t.Helper()
	hasher, err := password.NewHasher(password.Config{Params: cheapHashing})
	if err != nil {
		t.Fatal(err)
	}
	return &filling{state: readState(t, name), hasher: hasher, ids: map[string]int64{}}
}

func (f *filling) migrateAndFill(ctx context.Context, s *store.Store) error {
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	return f.fill(ctx, s)
}

func (f *filling) fill(ctx context.Context, s *store.Store) error {
	for _, g := range f.state.Group {
		id, err := s.AddGroup(ctx, groups.Group{Name: g.Name, Title: g.Title, Description: g.Description})
		if err != nil {
			return err
		}
		f.ids[g.Name] = id
	}
	return errors.Join(f.addSites(ctx, s), f.addMembers(ctx, s))
}

func (f *filling) addMembers(ctx context.Context, s *store.Store) error {
	var all []members.NewMember
	for _, m := range f.state.Member {
		n, err := f.member(ctx, m)
		if err != nil {
			return err
		}
		all = append(all, n)
	}
	ids, err := s.AddMembers(ctx, all)
	for i, id := range ids {
		f.ids[all[i].Username] = id
	}
	return err
}

func (f *filling) member(ctx context.Context, m stateMember) (members.NewMember, error) {
	n := members.NewMember{Member: members.Member{
		Username: m.Username, Email: m.Email, Firstname: m.Firstname, Surname: m.Surname,
		Status: members.Status(m.Status), Language: m.Language,
		Admin: m.Admin, APIAccount: m.APIAccount, Locked: m.Locked,
	}}
	if n.Status == "" {
		n.Status = members.Activated
	}
	for _, g := range m.Groups {
		n.Groups = append(n.Groups, f.ids[g])
	}
	var err error
	if m.LockedFor != "" {
		var d time.Duration
		d, err = time.ParseDuration(m.LockedFor)
		n.LockedUntil = testTime.Add(d)
	}
	if m.Password != "" && err == nil {
		n.Password, err = f.hasher.Hash(ctx, m.Password)
	}
	return n, err
}

// addSites adds the state's Wix sites and their keys.
func (f *filling) addSites(ctx context.Context, s *store.Store) error {
	for _, x := range f.state.Site {
		site := members.WixSite{UUID: x.ID, GroupID: f.ids[x.Group], Redirects: x.Redirects}
		if err := s.AddSite(ctx, site); err != nil {
			return err
		}
		site, err := s.FindSite(ctx, x.ID)
		if err != nil {
			return err
		}
		for _, k := range x.Key {
			id, err := s.AddKey(ctx, members.APIKey{Site: site, Scopes: k.Scopes}, password.HashToken(k.Key))
			if err != nil {
				return err
			}
			f.ids[k.Key] = id
		}
	}
	return nil
}

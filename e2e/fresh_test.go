package e2e

import (
	"os"

	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/seed"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/store/mariadbtest"
	"github.com/reseed-project/reseed/store/sqlitetest"
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
// database if it is a file. It returns the ids of members by username, of
// groups by name and of API keys by the key.
func freshState(t testing.TB, cfg *config.Config, name string) map[string]int64 {
	t.Helper()
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	c := cfg.Store(nil)
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
	seed   *seed.Document
	hasher *password.Hasher
	ids    map[string]int64
}

func newFilling(t testing.TB, name string) *filling {
	t.Helper()
	hasher, err := password.NewHasher(password.Config{Params: cheapHashing})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(casesFolder + "/states/" + name + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := seed.ParseTOML(raw)
	if err != nil {
		t.Fatalf("state %s: %v", name, err)
	}
	return &filling{seed: doc, hasher: hasher, ids: map[string]int64{}}
}

func (f *filling) migrateAndFill(ctx context.Context, s *store.Store) error {
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	seeder := seed.Seeder{Store: s, Hash: f.hasher.Hash, Now: func() time.Time { return testTime }}
	ids, err := seeder.Apply(ctx, f.seed)
	for _, of := range []map[string]int64{ids.Groups, ids.Members, ids.Keys} {
		maps.Copy(f.ids, of)
	}
	return err
}

package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"golang.org/x/tools/txtar"
)

// migrations has a text of each migration for either kind of database, as parts
// of a txtar archive that are named sqlite and mysql.
//
//go:embed migrations
var migrations embed.FS

// migrationsOf returns the migrations of one kind of database as files of a folder.
func migrationsOf(kind string) (fs.FS, error) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	texts := &txtar.Archive{}
	for _, e := range entries {
		content, err := migrations.ReadFile("migrations/" + e.Name())
		if err != nil {
			return nil, err
		}
		for _, part := range txtar.Parse(content).Files {
			if part.Name == kind {
				texts.Files = append(texts.Files, txtar.File{Name: e.Name(), Data: part.Data})
			}
		}
	}
	return txtar.FS(texts)
}

// versionTable records which migrations were applied.
const versionTable = "reseed_schema"

const (
	versionTableSQLite statement = `SELECT COUNT(name) FROM sqlite_master WHERE type = 'table' AND name = 'reseed_schema'`
	versionTableMySQL  statement = `
SELECT COUNT(table_name) FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name = 'reseed_schema'`
	schemaVersion statement = `SELECT COALESCE(MAX(version_id), 0) FROM reseed_schema WHERE is_applied = 1`
)

// ErrOldSchema is wrapped if the database lacks migrations.
var ErrOldSchema = errors.New("the database's schema is older than this program")

// Migrate brings the schema up to date. Several programs may call it at once:
// one of them does the work. Where nothing is to be done it takes no lock and
// needs no right to change tables. A schema newer than this program is left as
// it is, so that old and new servers can run side by side.
func (s *Store) Migrate(ctx context.Context) error {
	ctx = withoutBreaker(ctx)
	if err := s.CheckSchema(ctx); err == nil || !errors.Is(err, ErrOldSchema) {
		return err
	}
	db, err := s.migrator()
	if err != nil {
		return s.fail("migrate", err)
	}
	defer db.Close()
	// On a Galera cluster a table that another program makes undoes what is under way.
	return s.fail("migrate", retry(ctx, func() error { return s.migrate(ctx, db) }))
}

func (s *Store) migrate(ctx context.Context, db *sql.DB) error {
	dialect, kind, locker := goose.DialectSQLite3, "sqlite", lock.SessionLocker(&fileLock{path: s.path})
	if s.mysql {
		dialect, kind, locker = goose.DialectMySQL, "mysql", &serverLock{lease: clusterLease{holder: rand.Text()}}
	}
	files, err := migrationsOf(kind)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, files, goose.WithTableName(versionTable),
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// CheckSchema returns an error that wraps ErrOldSchema if migrations are
// missing, for programs that run without the right to migrate.
func (s *Store) CheckSchema(ctx context.Context) error {
	have, want, err := s.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	if have < want {
		return fmt.Errorf("%w: version %d, want %d", ErrOldSchema, have, want)
	}
	return nil
}

// SchemaVersion returns the version of the database's schema, 0 if it has
// none, and the one this program was made for.
func (s *Store) SchemaVersion(ctx context.Context) (have, want int64, err error) {
	ctx = withoutBreaker(ctx)
	if want, err = newest(); err != nil {
		return 0, 0, err
	}
	var tables int
	if err := s.row(ctx, s.choose(versionTableMySQL, versionTableSQLite), nil, &tables); err != nil {
		return 0, 0, s.fail("read schema version", err)
	}
	if tables == 0 {
		return 0, want, nil
	}
	err = s.row(ctx, schemaVersion, nil, &have)
	return have, want, s.fail("read schema version", err)
}

// newest returns the version of the last migration, by its file's name.
func newest() (int64, error) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return 0, err
	}
	return goose.NumericComponent(files[len(files)-1].Name())
}

// lockWait is how long a program waits for another one's migration.
const lockWait = 10 * time.Minute

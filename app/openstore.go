package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/store"
)

// OpenStore opens the database and brings its schema up to date, or makes sure that it is.
func OpenStore(ctx context.Context, cfg *config.Config, now func() time.Time, trace func(string)) (*store.Store, error) {
	s, err := ConnectStore(ctx, cfg, now, trace)
	if err != nil {
		return nil, err
	}
	if err := ensureSchema(ctx, s, cfg.Migrate); err != nil {
		_ = s.Close() // the first error says more
		return nil, err
	}
	if _, err := s.RefreshWebhooks(ctx); err != nil { // commands tell hooks what they do, too
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// ConnectStore opens the database as it is, and makes SQLite's folder and file
// if they are missing. It doesn't wait for a server.
func ConnectStore(ctx context.Context, cfg *config.Config, now func() time.Time, trace func(string)) (*store.Store, error) {
	if !cfg.MySQL() {
		if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make the data folder: %w", err)
		}
	}
	c := cfg.Store(now)
	c.Trace, c.Failpoint = trace, storeFailpoint
	return store.Open(ctx, c)
}

// ViewStore opens the database for reading alone. It makes nothing, and refuses
// a schema that this program doesn't know.
func ViewStore(ctx context.Context, cfg *config.Config, now func() time.Time) (*store.Store, error) {
	c := cfg.Store(now)
	c.ReadOnly = true
	if !cfg.MySQL() {
		if _, err := os.Stat(c.Path); errors.Is(err, fs.ErrNotExist) {
			folder, _ := filepath.Abs(cfg.Data)
			return nil, fmt.Errorf("there is no database in %s; --data names its folder, --database a server", folder)
		}
	}
	s, err := store.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := ensureSchema(ctx, s, "never"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

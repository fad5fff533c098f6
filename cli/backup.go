package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/store"
)

// BackupCmd is reseed backup.
type BackupCmd struct {
	File string `arg:"" help:"File to write; it must not exist yet."`
}

// Help shows an example.
func (BackupCmd) Help() string {
	return example("reseed backup --data /var/lib/reseed reseed-backup.db")
}

// Run copies the database as it is at one moment. Servers go on meanwhile.
func (c *BackupCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	s, err := app.ViewStore(ctx, cfg, std.Now)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Backup(ctx, c.File); err != nil {
		return err
	}
	fmt.Fprintf(std.Err, "backed up to %s; keep %s with it, by itself\n", c.File, cfg.KeyFile)
	return nil
}

// RestoreCmd is reseed restore.
type RestoreCmd struct {
	File  string `arg:"" help:"Backup to restore."`
	Force bool   `help:"Replace an existing database."`
}

// Help shows an example.
func (RestoreCmd) Help() string {
	return example("reseed restore --data /var/lib/reseed --force reseed-backup.db")
}

// Run puts the backup in place. No server may run with the data folder.
func (c *RestoreCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if cfg.MySQL() {
		return store.ErrNotSQLite
	}
	if pid, err := app.RunningServer(cfg); err == nil {
		return fmt.Errorf("a server (process %d) runs with %s: stop it first", pid, cfg.Data)
	}
	path := cfg.Store(std.Now).Path
	if _, err := os.Stat(path); !c.Force && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already; --force replaces it", path)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	if err := store.Restore(ctx, c.File, path, std.Now()); err != nil {
		return err
	}
	fmt.Fprintln(std.Err, "restored. Reset links and sessions from before are void. Passwords that were changed after the backup are the old ones again: tell their members, or lock them")
	return nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrNotSQLite is what Backup returns for a server: its own tools back it up.
var ErrNotSQLite = errors.New("only a SQLite database is backed up so; use mariadb-dump --single-transaction, or mysqldump, for a server")

// Backup writes a consistent copy of the SQLite database to a new file, readable
// by its owner alone, while others go on writing. The file appears complete or
// not at all.
func (s *Store) Backup(ctx context.Context, file string) (err error) {
	if s.mysql {
		return ErrNotSQLite
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("back up: %s is there already", file)
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".reseed-backup-*") // of mode 0600
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer os.Remove(temp.Name())
	db, err := sql.Open("sqlite", sqliteURI(s.path, "_pragma=busy_timeout(10000)"))
	if err != nil {
		return errors.Join(err, temp.Close())
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, temp.Name()); err != nil {
		return errors.Join(fmt.Errorf("back up: %w", err), temp.Close())
	}
	if err := errors.Join(temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return os.Rename(temp.Name(), file)
}

// Restore puts a backup in the place of a SQLite database that no server has
// open. Tokens, sessions and what else was handed out before the backup open
// nothing any more: some may have been spent or ended since.
func Restore(ctx context.Context, backup, path string, now time.Time) error {
	dir := filepath.Dir(path)
	temp, err := copyBeside(backup, dir)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer os.Remove(temp)
	if err := voidAll(ctx, temp, now); err != nil {
		return fmt.Errorf("restore %s: %w", backup, err)
	}
	for _, journal := range []string{"-wal", "-shm"} { // of the database that is replaced
		if err := os.Remove(path + journal); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("restore: %w", err)
		}
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func copyBeside(file, dir string) (name string, err error) {
	from, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer from.Close()
	to, err := os.CreateTemp(dir, ".reseed-restore-*") // of mode 0600
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Sync(), to.Close()); err != nil {
		return "", errors.Join(err, os.Remove(to.Name()))
	}
	return to.Name(), nil
}

// voidAll checks a database and takes back what it had handed out.
func voidAll(ctx context.Context, file string, now time.Time) (err error) {
	db, err := sql.Open("sqlite", sqliteURI(file, "_pragma=journal_mode(DELETE)&_pragma=synchronous(FULL)"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("the file is damaged: %s", found)
	}
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback()
	if _, err := t.ExecContext(ctx, string(voidAllTokens), now.UnixMicro()); err != nil {
		return fmt.Errorf("it is no backup of this program: %w", err)
	}
	for _, each := range revokeAll {
		var there int
		if err := t.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?`, each.table).Scan(&there); err != nil {
			return err
		}
		if there == 0 {
			continue // an older backup
		}
		if _, err := t.ExecContext(ctx, string(each.end)); err != nil {
			return err
		}
	}
	return t.Commit()
}

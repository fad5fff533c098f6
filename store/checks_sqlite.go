package store

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
)

const (
	journalMode statement = `PRAGMA journal_mode`
	synchronous statement = `PRAGMA synchronous`
)

const sqliteFull = 2 // of PRAGMA synchronous

func (s *Store) checkSQLite(ctx context.Context) ([]string, error) {
	var journal string
	if err := s.row(ctx, journalMode, nil, &journal); err != nil {
		return nil, s.fail("check database", err)
	}
	level, err := s.writerSynchronous(ctx)
	if err != nil {
		return nil, s.fail("check database", err)
	}
	network, err := networkFS(filepath.Dir(s.path))
	if err != nil {
		return nil, fmt.Errorf("check database: %w", err)
	}
	return sqliteWarnings(journal, level, network), nil
}

// writerSynchronous asks the connection that writes, since each has its own.
func (s *Store) writerSynchronous(ctx context.Context) (level int, err error) {
	s.trace(string(synchronous))
	rows, err := s.write.QueryContext(ctx, string(synchronous))
	if err != nil {
		return 0, err
	}
	return level, one(rows, []any{&level})
}

func sqliteWarnings(journal string, level int, network string) []string {
	var w []string
	if journal != "wal" {
		w = append(w, fmt.Sprintf("journal_mode is %s in spite of the setting: readers and the writer get in each other's way; put the data folder on a local file system", journal))
	}
	if level < sqliteFull {
		w = append(w, "synchronous is "+strconv.Itoa(level)+": a loss of power loses requests that were answered; want 2 (FULL)")
	}
	if network != "" {
		w = append(w, fmt.Sprintf("the data folder is on %s: SQLite's locks are not reliable there; put it on a local disk, or use MySQL or MariaDB", network))
	}
	return w
}

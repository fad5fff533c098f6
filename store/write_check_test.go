package store_test

import (
	"context"
	"database/sql"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reseed-project/reseed/store"
)

// A database that takes no writes, or is not there any more, is noticed though it can be read.
func TestCheckWrite(t *testing.T) {
	both(t, func(t *testing.T, e *env) {
		if err := e.CheckWrite(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestCheckWriteSeesALockedFile(t *testing.T) {
	e := newEnv(t, store.Config{Path: t.TempDir() + "/x.db"})
	other, err := sql.Open("sqlite", "file:"+e.config.Path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := e.CheckWrite(ctx); err == nil {
		t.Error("a locked file takes writes")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := e.CheckWrite(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCheckWriteSeesARemovedFile(t *testing.T) {
	e := newEnv(t, store.Config{Path: t.TempDir() + "/x.db"})
	if err := os.Remove(e.config.Path); err != nil {
		t.Fatal(err)
	}
	if err := e.CheckWrite(t.Context()); err == nil {
		t.Error("a removed file takes writes")
	}
	if err := os.WriteFile(e.config.Path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := e.CheckWrite(t.Context()); err == nil {
		t.Error("another file in its place takes writes")
	}
}

func TestWatchWritesReportsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, store.Config{Path: t.TempDir() + "/x.db"})
		moved := e.config.Path + ".moved"
		changes := make(chan error, 10)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- e.WatchWrites(ctx, func(err error) { changes <- err }) }()
		if err := os.Rename(e.config.Path, moved); err != nil {
			t.Fatal(err)
		}
		if err := <-changes; err == nil {
			t.Error("reported nil for a file that is gone")
		}
		if err := os.Rename(moved, e.config.Path); err != nil {
			t.Fatal(err)
		}
		if err := <-changes; err != nil {
			t.Errorf("reported %v, want nil", err)
		}
		stop()
		if err := <-ended; err != nil || len(changes) > 0 {
			t.Errorf("ended with %v and %d more reports", err, len(changes))
		}
		e.Close()
	})
}

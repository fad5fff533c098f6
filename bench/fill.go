package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/wait"
)

// fillBatch is how many rows one statement adds, and fillCommit how many
// statements one transaction has.
const (
	fillBatch  = 250
	fillCommit = 40
)

// fillStep is the time from one order to the next: a million in ten hours, as while
// a mail server was away. Their tokens are good for two more.
const fillStep = 36 * time.Millisecond

const (
	fillInsert = `INSERT INTO mails (id, template, reason, purpose, member_id, addressed, group_id, token_hash,
	created_at, expires_at, options, state, due_at, sent_at, settled_at) VALUES `
	fillRow = `(?, 'reset-password-confirm', 'member', 'reset', ?, 1, 0, ?, ?, ?, '{}', ?, ?, ?, ?)`
)

// filler adds orders as they are after days of work: some that wait, and many
// that were sent.
type filler struct {
	db      *sql.DB
	lite    bool
	keys    password.Keys
	members int
	keep    bool     // the tokens of what is added
	tokens  []string // that were kept
}

// fill adds the orders that the options ask for, while no server runs.
func fill(ctx context.Context, dir, dsn, keyFile string, o options) error {
	if o.waiting == 0 && o.old == 0 {
		return nil
	}
	f, err := openFiller(dir, dsn, keyFile, o.members)
	if err != nil {
		return err
	}
	defer f.db.Close()
	now := time.Now().UTC().Truncate(time.Millisecond)
	if err := f.add(ctx, o.old, "sent", now.Add(-48*time.Hour)); err != nil {
		return err
	}
	if err := f.add(ctx, o.waiting, "pending", now.Add(-time.Duration(o.waiting)*fillStep-time.Minute)); err != nil {
		return err
	}
	return f.settle(ctx)
}

// settle has the database and the machine write what they put off. Otherwise the
// rounds would wait for the disk until that is done.
func (f *filler) settle(ctx context.Context) error {
	if f.lite {
		_, err := f.db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		syscall.Sync()
		return err
	}
	if _, err := f.db.ExecContext(ctx, "SET GLOBAL innodb_max_dirty_pages_pct = 0"); err != nil {
		return err
	}
	for dirty := 1; dirty > 0; {
		var name string
		if err := f.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'").Scan(&name, &dirty); err != nil {
			return err
		}
		if err := wait.For(ctx, time.Second); err != nil {
			return err
		}
	}
	syscall.Sync()
	_, err := f.db.ExecContext(ctx, "SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT")
	return err
}

// openFiller opens the database of a server that is not running, with its key.
func openFiller(dir, dsn, keyFile string, members int) (*filler, error) {
	keys, err := password.LoadOrCreateKeyFile(keyFile, rand.Reader)
	if err != nil {
		return nil, err
	}
	f := &filler{lite: dsn == "", keys: keys, members: members}
	if f.lite {
		f.db, err = sql.Open("sqlite", "file:"+filepath.Join(dir, "data", "reseed.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	} else {
		f.db, err = sql.Open("mysql", dsn+"?parseTime=true")
	}
	return f, err
}

// add adds n orders in a state, made fillStep after another from then on.
func (f *filler) add(ctx context.Context, n int, state string, from time.Time) error {
	for done := 0; done < n; {
		tx, err := f.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for range fillCommit {
			size := min(fillBatch, n-done)
			if size == 0 {
				break
			}
			if err := f.rows(ctx, tx, done, size, state, from); err != nil {
				_ = tx.Rollback()
				return err
			}
			done += size
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) rows(ctx context.Context, tx *sql.Tx, first, size int, state string, from time.Time) error {
	args := make([]any, 0, size*9)
	for i := range size {
		at := from.Add(time.Duration(first+i) * fillStep)
		id, err := mail.NewID(at, rand.Reader)
		if err != nil {
			return err
		}
		member := int64((first+i)%f.members + 1)
		text := f.keys.Token(password.Reset, id, member)
		if f.keep {
			f.tokens = append(f.tokens, text)
		}
		token := password.HashToken(text)
		made := f.at(at)
		sent := any(nil)
		if state == "sent" {
			sent = made
		}
		args = append(args, id[:], member, token[:], made, f.at(at.Add(12*time.Hour)), state, made, sent, sent)
	}
	query := fillInsert + strings.Repeat(fillRow+",", size-1) + fillRow
	_, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return nil
}

// at is a time as the database stores it.
func (f *filler) at(t time.Time) any {
	if f.lite {
		return t.UnixMicro()
	}
	return t.UTC()
}

package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/reseed-project/reseed/mail"
)

// bare is the database without Reseed: the same two statements, prepared, over
// as many connections.
type bare struct {
	read, write *sql.DB
	find, add   *sql.Stmt
	mysql       bool
	members     int64
}

const (
	bareFind = `SELECT id, email FROM members WHERE email_key = ?`
	bareAdd  = `INSERT INTO mails (id, template, reason, purpose, member_id, addressed, group_id, token_hash,
	created_at, expires_at, options, state, due_at, settled_at)
	VALUES (?, 'reset-password-confirm', 'member', 'reset', 1, 1, 0, ?, ?, ?, '{}', 'sent', ?, ?)`
)

func openBare(ctx context.Context, dir, dsn string, o options) (b *bare, err error) {
	b = &bare{mysql: dsn != "", members: int64(o.members)}
	if b.mysql {
		if b.read, err = sql.Open("mysql", dsn+"?parseTime=true"); err != nil {
			return nil, err
		}
		b.read.SetMaxOpenConns(o.clients)
		b.read.SetMaxIdleConns(o.clients)
		b.write = b.read
	} else {
		file := "file:" + filepath.Join(dir, "data", "reseed.db") + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
		if b.read, err = sql.Open("sqlite", file); err != nil {
			return nil, err
		}
		if b.write, err = sql.Open("sqlite", file); err != nil {
			return nil, err
		}
		b.write.SetMaxOpenConns(1)
		b.read.SetMaxOpenConns(8)
		b.read.SetMaxIdleConns(8)
	}
	if b.find, err = b.read.PrepareContext(ctx, bareFind); err != nil {
		return nil, err
	}
	b.add, err = b.write.PrepareContext(ctx, bareAdd)
	return b, err
}

func (b *bare) client(context.Context) (worker, error) { return bareClient{b}, nil }

// Close closes the connections.
func (b *bare) Close() error {
	_ = b.write.Close()
	return b.read.Close()
}

type bareClient struct{ *bare }

func (c bareClient) do(ctx context.Context, n int64) error {
	var id int64
	var email string
	key := fmt.Sprintf("user%d@example.org", n%c.members)
	arg := any(key)
	if c.mysql {
		arg = []byte(key) // no collation in play
	}
	if err := c.find.QueryRowContext(ctx, arg).Scan(&id, &email); err != nil {
		return err
	}
	now := time.Now().UTC()
	order, err := mail.NewID(now, rand.Reader)
	if err != nil {
		return err
	}
	token := sha256.Sum256(order[:])
	at, until := any(now), any(now.Add(time.Hour))
	if !c.mysql {
		at, until = now.UnixMicro(), now.Add(time.Hour).UnixMicro()
	}
	_, err = c.add.ExecContext(ctx, order[:], token[:], at, until, at, at)
	return err
}

func (bareClient) Close() error { return nil }

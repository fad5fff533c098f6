package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// serverLock is a named lock of a MySQL server, which ends with its session.
// The name holds the database's, since such locks are the whole server's. On a
// Galera cluster it is a lease.
type serverLock struct {
	lease   clusterLease
	cluster bool
}

const (
	getLock     statement = `SELECT COALESCE(GET_LOCK(CONCAT('reseed.', SHA1(DATABASE())), 2), 0)`
	releaseLock statement = `SELECT COALESCE(RELEASE_LOCK(CONCAT('reseed.', SHA1(DATABASE()))), 0)`
)

// The table of versions is made here and not by goose, which does not recover
// from a crash between the table and its first row. Each statement may be
// repeated.
const (
	makeVersions statement = `
CREATE TABLE IF NOT EXISTS reseed_schema (
	id BIGINT NOT NULL AUTO_INCREMENT,
	version_id BIGINT NOT NULL,
	is_applied BOOLEAN NOT NULL,
	tstamp DATETIME NULL DEFAULT CURRENT_TIMESTAMP,
	PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`
	zeroVersion statement = `
INSERT INTO reseed_schema (version_id, is_applied)
SELECT 0, 1 FROM (SELECT 1 AS one) AS one
WHERE NOT EXISTS (SELECT v.id FROM reseed_schema AS v WHERE v.version_id = 0)`
)

// SessionLock waits for the lock, in short turns so that ctx can end it, and
// makes sure of the table of versions.
func (l *serverLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if err := l.wait(ctx, conn); err != nil {
		return fmt.Errorf("wait for migration lock: %w", err)
	}
	err := retry(ctx, func() error {
		if _, err := conn.ExecContext(ctx, string(makeVersions)); err != nil {
			return fmt.Errorf("make table of versions: %w", err)
		}
		if _, err := conn.ExecContext(ctx, string(zeroVersion)); err != nil {
			return fmt.Errorf("start table of versions: %w", err)
		}
		return nil
	})
	if err != nil {
		return errors.Join(err, l.SessionUnlock(context.WithoutCancel(ctx), conn))
	}
	return nil
}

func (l *serverLock) wait(ctx context.Context, conn *sql.Conn) (err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	if l.cluster, err = onCluster(ctx, conn); err != nil {
		return err
	}
	if l.cluster {
		return l.lease.take(ctx, conn)
	}
	for {
		var got int
		if err := conn.QueryRowContext(ctx, string(getLock)).Scan(&got); err != nil || got == 1 {
			return err
		}
	}
}

// SessionUnlock gives the lock back.
func (l *serverLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	if l.cluster {
		return l.lease.end(ctx, conn)
	}
	var released int
	return conn.QueryRowContext(ctx, string(releaseLock)).Scan(&released)
}

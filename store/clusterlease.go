package store

import (
	"context"
	"database/sql"
	"errors"
)

// clusterLease keeps programs at several nodes of a Galera cluster from
// migrating at once, where a named lock is one node's alone. It is a row: of
// those who change it at the same time all but one fail. If its holder died
// it ends by itself, lockWait after it was taken.
type clusterLease struct {
	holder string // unlike any other's
}

const (
	clusterNode statement = `SHOW GLOBAL VARIABLES WHERE Variable_name = 'wsrep_on' AND Value = 'ON'`
	makeLease   statement = `
CREATE TABLE IF NOT EXISTS reseed_lease (
	id     INT           NOT NULL,
	holder VARBINARY(64) NOT NULL,
	until  DATETIME(6)   NOT NULL,
	PRIMARY KEY (id)
) ENGINE = InnoDB`
	openLease statement = `
INSERT INTO reseed_lease (id, holder, until) VALUES (1, '', UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE id = 1`
	takeLease statement = `
UPDATE reseed_lease SET holder = ?, until = UTC_TIMESTAMP(6) + INTERVAL ? SECOND
WHERE id = 1 AND until <= UTC_TIMESTAMP(6)`
	endLease statement = `UPDATE reseed_lease SET until = UTC_TIMESTAMP(6) WHERE id = 1 AND holder = ?`
)

// onCluster reports whether the server is a node of a Galera cluster.
func onCluster(ctx context.Context, conn *sql.Conn) (bool, error) {
	var name, value string
	err := conn.QueryRowContext(ctx, string(clusterNode)).Scan(&name, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// take waits for the lease.
func (l clusterLease) take(ctx context.Context, conn *sql.Conn) error {
	err := retry(ctx, func() error {
		if _, err := conn.ExecContext(ctx, string(makeLease)); err != nil {
			return err
		}
		_, err := conn.ExecContext(ctx, string(openLease))
		return err
	})
	for err == nil {
		var n int64
		n, err = affected(conn.ExecContext(ctx, string(takeLease), l.holder, int(lockWait.Seconds())))
		if n == 1 {
			return nil
		}
		if err == nil || again(err) {
			err = pause(ctx, tries)
		}
	}
	return err
}

// end gives the lease back, if it is still ours.
func (l clusterLease) end(ctx context.Context, conn *sql.Conn) error {
	return retry(ctx, func() error {
		_, err := conn.ExecContext(ctx, string(endLease), l.holder)
		return err
	})
}

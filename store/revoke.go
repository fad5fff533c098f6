package store

import (
	"context"
	"errors"
	"time"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
)

// revokeAll ends everything that was given out to members, of every kind, by
// the table that holds it.
var revokeAll = []struct {
	table string
	end   statement
}{
	{"sessions", `DELETE FROM sessions`},
	{"access_tokens", `DELETE FROM access_tokens`},
	{"refresh_tokens", `DELETE FROM refresh_tokens`},
	{"site_tokens", `DELETE FROM site_tokens`},
}

const voidAllTokens statement = `UPDATE mails SET used_at = ? WHERE used_at IS NULL AND token_hash IS NOT NULL`

// RevokeAll voids every reset and recovery token and ends every session and
// access token, and returns how many tokens it voided. It is for a database that
// was restored, in which what was used since the backup is unused again, and
// for a key that others may have.
func (s *Store) RevokeAll(ctx context.Context, now time.Time) (tokens int, err error) {
	err = s.inTx(ctx, func(t tx) error {
		n, err := t.exec(ctx, voidAllTokens, t.at(now))
		if err != nil {
			return err
		}
		tokens = int(n)
		for _, each := range revokeAll {
			end := each.end
			if _, err := t.exec(ctx, end); err != nil {
				return err
			}
		}
		return nil
	})
	return tokens, s.fail("revoke everything", err)
}

const waitingTokens statement = `
SELECT COUNT(*) FROM mails AS o
WHERE o.state IN ('new', 'pending') AND o.addressed = 1 AND o.used_at IS NULL AND o.token_hash IS NOT NULL AND o.expires_at > ?`

// WaitingTokens returns how many mails with a token wait to be sent, which takes
// the key that the tokens were made with; 0 if the database has no tables yet.
func (s *Store) WaitingTokens(ctx context.Context, now time.Time) (int, error) {
	n := 0
	err := s.row(ctx, waitingTokens, []any{s.at(now)}, &n)
	if noTable(err) {
		return 0, nil
	}
	return n, s.fail("count waiting tokens", err)
}

func noTable(err error) bool {
	var server *mysql.MySQLError
	var lite *sqlite.Error
	return errors.As(err, &server) && server.Number == mysqlNoTable ||
		errors.As(err, &lite) && lite.Code()&0xff == sqliteError
}

// sqliteError is SQLite's code for a statement that doesn't fit the schema.
const sqliteError = 1

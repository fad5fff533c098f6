package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/reseed-project/reseed/errcodes"
)

// ErrAmbiguous is wrapped by the error of a change whose COMMIT went out and
// whose answer did not come back: it may have happened or not. Such a change is
// not repeated by the store.
var ErrAmbiguous = errors.New("outcome unknown")

// Numbers of MySQL and MariaDB errors (server error reference of both).
const (
	mysqlDuplicate = 1062
	mysqlNoTable   = 1146
)

// mysqlAgain are the errors after which the whole transaction may be run once
// more: lock wait timeout, deadlock or certification failure, changed record
// (MariaDB 11), roll-back by group replication.
var mysqlAgain = map[uint16]bool{1205: true, 1213: true, 1020: true, 3101: true}

// mysqlUnavailable are the errors that go away by themselves or by an
// operator's work on the server, and are no fault of the statement.
var mysqlUnavailable = map[uint16]bool{
	1021: true,                                     // disk full
	1037: true,                                     // out of memory
	1038: true,                                     // out of sort memory
	1040: true,                                     // too many connections
	1041: true,                                     // out of resources
	1047: true,                                     // the node is not ready (Galera)
	1053: true,                                     // shutdown in progress
	1114: true,                                     // table full
	1129: true,                                     // host is blocked
	1158: true, 1159: true, 1160: true, 1161: true, // network
	1203: true,                         // too many connections of the user
	1226: true,                         // the user's limits
	1290: true, 1792: true, 1836: true, // read-only
	1317: true,             // interrupted
	1665: true,             // the binary log's format
	1927: true,             // connection killed
	1969: true, 3024: true, // statement took too long
}

// sqliteUnavailable are SQLite's primary result codes of the same kind.
var sqliteUnavailable = map[int]bool{
	sqlite3.SQLITE_BUSY: true, sqlite3.SQLITE_LOCKED: true, sqlite3.SQLITE_NOMEM: true,
	sqlite3.SQLITE_READONLY: true, sqlite3.SQLITE_INTERRUPT: true, sqlite3.SQLITE_IOERR: true,
	sqlite3.SQLITE_FULL: true, sqlite3.SQLITE_CANTOPEN: true, sqlite3.SQLITE_PROTOCOL: true,
}

// fail returns err for callers: with what was being done, with its place among
// the errcodes, and without values of the statement.
func (s *Store) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	var known *errcodes.Error
	if errors.As(err, &known) {
		return err
	}
	if disconnected(err) || timedOut(err) {
		s.recheckSoon()
	}
	err = fmt.Errorf("%s: %w", doing, scrub(err))
	if unavailable(err) {
		return errcodes.Wrap(errcodes.Unavailable, err)
	}
	return err
}

// serverError is a MySQL server's error without the values in its text.
type serverError struct {
	number uint16
	text   string
}

func (e *serverError) Error() string { return fmt.Sprintf("server error %d: %s", e.number, e.text) }

// scrub takes values out of a server's error: a duplicate's text, say, quotes
// the row. What is between the first and the last quote goes.
func scrub(err error) error {
	var server *mysql.MySQLError
	if !errors.As(err, &server) {
		return tlsCure(err)
	}
	text := server.Message
	first, last := strings.IndexByte(text, '\''), strings.LastIndexByte(text, '\'')
	if first >= 0 {
		text = text[:first+1] + "..." + text[last:]
	}
	return &serverError{server.Number, text}
}

func unavailable(err error) bool {
	var server *serverError
	if errors.As(err, &server) {
		return mysqlUnavailable[server.number] || mysqlAgain[server.number]
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return sqliteUnavailable[lite.Code()&0xff]
	}
	return disconnected(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// disconnected reports whether the link to the server is gone or never was.
func disconnected(err error) bool {
	var link net.Error
	for _, gone := range []error{driver.ErrBadConn, mysql.ErrInvalidConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return errors.As(err, &link)
}

// unsent is the text of the driver's error for what could not even be sent. The
// error has no name, and comes out of Connect and Commit.
const unsent = "bad connection"

// nameless gives the driver's nameless error the name that database/sql knows.
func nameless(err error) error {
	if err != nil && err.Error() == unsent {
		return driver.ErrBadConn
	}
	return err
}

// mysqlNotPrepared are the errors of prepared statements alone: a proxy or a
// fail-over lost them, the table changed, or the server has too many.
var mysqlNotPrepared = map[uint16]bool{1243: true, 1295: true, 1461: true, 1615: true}

// notPrepared reports whether a statement failed only because it was prepared;
// as text it may work.
func notPrepared(err error) bool {
	var server *mysql.MySQLError
	return errors.As(err, &server) && mysqlNotPrepared[server.Number]
}

// again reports whether the database rolled the transaction back for the sake
// of another one.
func again(err error) bool {
	var server *mysql.MySQLError
	if errors.As(err, &server) {
		return mysqlAgain[server.Number]
	}
	return false
}

// unsettled reports whether a COMMIT that failed with err may have been done:
// the link broke, or the server was interrupted in it.
func unsettled(err error) bool {
	var server *mysql.MySQLError
	if errors.As(err, &server) {
		return server.Number == 1053 || server.Number == 1317 || server.Number == 1927
	}
	return disconnected(err)
}

// duplicate reports whether a unique key refused the row.
func duplicate(err error) bool {
	var server *mysql.MySQLError
	if errors.As(err, &server) {
		return server.Number == mysqlDuplicate
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) &&
		(lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// constraint reports whether SQLite refused one row, which undoes that
// statement and not its transaction.
func constraint(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
}

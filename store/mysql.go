package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mysqlMode makes the server refuse what it would otherwise cut or bend.
const mysqlMode = "'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"

// mysqlIsolation is set for the session since its variable is called
// differently by MySQL and MariaDB.
const mysqlIsolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"

// mysqlCausal makes a Galera node's reads wait for what other nodes committed
// before, so that a token mailed by one server is known to all, and a lock set
// at one holds at all. MySQL takes the comment as nothing.
const mysqlCausal = "SET SESSION /*M!100600 wsrep_sync_wait = 1, */ time_zone = '+00:00'"

const mysqlNoVariable = 1193 // of a MariaDB built without Galera

const mysqlMaxConns = 25

func (s *Store) openMySQL(c Config) error {
	cfg, err := parseDSN(c.DSN)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	session(cfg)
	pool, err := mysqlPool(cfg)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	n := c.MaxConns
	if n <= 0 {
		n = mysqlMaxConns
	}
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	pool.SetConnMaxLifetime(3 * time.Minute)
	pool.SetConnMaxIdleTime(time.Minute)
	s.read, s.write, s.mysql, s.conns = pool, pool, true, n
	s.readQueue = newPoolQueue(n, s.now)
	s.writeQueue = s.readQueue
	s.migrator = func() (*sql.DB, error) {
		slow := cfg.Clone()
		slow.ReadTimeout = 0 // a migration of a big table takes its time
		return mysqlPool(slow)
	}
	s.prober = func() (*sql.DB, error) {
		quick := cfg.Clone()
		quick.Timeout, quick.ReadTimeout, quick.WriteTimeout = probeTimeout, probeTimeout, probeTimeout
		return openPool(quick, false) // a node that lags is not unavailable
	}
	return nil
}

// session sets what the statements of this package rely on, whatever the DSN says.
func session(cfg *mysql.Config) {
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	cfg.Params["autocommit"] = "1" // else what was answered is undone when the connection ends
	cfg.Params["sql_mode"] = mysqlMode
	cfg.Params["time_zone"] = "'+00:00'"
	cfg.Params["innodb_lock_wait_timeout"] = "5"
	cfg.ParseTime = true
	cfg.Loc = time.UTC
	cfg.ClientFoundRows = true
	cfg.InterpolateParams = true
	cfg.MultiStatements = false
	cfg.AllowAllFiles = false
	cfg.RejectReadOnly = true
	cfg.CheckConnLiveness = true
	cfg.ColumnsWithAlias = false
	cfg.Logger = &mysql.NopLogger{}
	cfg.Timeout = orElse(cfg.Timeout, 5*time.Second)
	cfg.ReadTimeout = orElse(cfg.ReadTimeout, 10*time.Second)
	cfg.WriteTimeout = orElse(cfg.WriteTimeout, 10*time.Second)
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

func mysqlPool(cfg *mysql.Config) (*sql.DB, error) {
	_, own := cfg.Params["wsrep_sync_wait"]
	return openPool(cfg, !own)
}

func openPool(cfg *mysql.Config, causal bool) (*sql.DB, error) {
	cfg = cfg.Clone()
	if err := cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin")); err != nil {
		return nil, errDSN("character set")
	}
	inner, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, errDSN("parameters")
	}
	return sql.OpenDB(connector{inner, causal}), nil
}

// connector sets the isolation level of each new connection, and that its
// reads are causal unless the DSN says wsrep_sync_wait itself.
type connector struct {
	driver.Connector
	causal bool
}

// Connect returns a new connection at READ COMMITTED.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, nameless(err)
	}
	if err := c.set(ctx, conn.(driver.ExecerContext)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (c connector) set(ctx context.Context, conn driver.ExecerContext) error {
	if _, err := conn.ExecContext(ctx, mysqlIsolation, nil); err != nil || !c.causal {
		return err
	}
	_, err := conn.ExecContext(ctx, mysqlCausal, nil)
	var server *mysql.MySQLError
	if errors.As(err, &server) && server.Number == mysqlNoVariable {
		return nil
	}
	return err
}

// CheckDSN returns what is wrong with the address of a MySQL database, without
// connecting. It repeats nothing of it.
func CheckDSN(dsn string) error {
	cfg, err := parseDSN(dsn)
	if err != nil {
		return err
	}
	pool, err := mysqlPool(cfg)
	if err != nil {
		return err
	}
	return pool.Close()
}

// errDSN names the part that was not understood. The text of a parser's error
// could repeat the password.
func errDSN(part string) error {
	return errors.New("database address: can't read its " + part)
}

func parseDSN(dsn string) (*mysql.Config, error) {
	if strings.HasPrefix(dsn, "mysql://") || strings.HasPrefix(dsn, "mariadb://") {
		return parseURL(dsn)
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errDSN("parts; want mysql://user:password@host:port/name or user:password@tcp(host:port)/name")
	}
	return named(cfg)
}

func parseURL(dsn string) (*mysql.Config, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errDSN("user, host or port; special characters need %-escapes")
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errDSN("parameters")
	}
	socket := params.Get("socket")
	params.Del("socket")
	cfg, err := mysql.ParseDSN("/?" + params.Encode())
	if err != nil {
		return nil, errDSN("parameters")
	}
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	cfg.Net, cfg.Addr = "tcp", hostPort(u)
	if socket != "" {
		cfg.Net, cfg.Addr = "unix", socket
	}
	return named(cfg)
}

func hostPort(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "3306"
	}
	return net.JoinHostPort(host, port)
}

// named refuses what could not be connected to. A network that the driver does
// not know may be a misplaced password, which errors would repeat.
func named(cfg *mysql.Config) (*mysql.Config, error) {
	switch cfg.Net {
	case "tcp", "tcp4", "tcp6", "unix":
	default:
		return nil, errDSN("protocol; want tcp or unix")
	}
	if cfg.DBName == "" {
		return nil, errDSN("database name: there is none")
	}
	return cfg, requireTLS(cfg)
}

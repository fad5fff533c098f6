package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// paramCA is the parameter of a database's address that names a file with the
// certificates of its authority, in PEM.
const paramCA = "tls-ca"

// requireTLS has the link to a database on another machine encrypted and its
// certificate checked, unless the address says otherwise by tls=...: password
// hashes and addresses of members go over it.
func requireTLS(cfg *mysql.Config) error {
	ca := cfg.Params[paramCA]
	delete(cfg.Params, paramCA)
	asked := cfg.TLSConfig == "true" // the driver would check it for the host that it had by then
	if ca == "" && !asked && (cfg.TLSConfig != "" || !elsewhere(cfg)) {
		return nil
	}
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		host = cfg.Addr
	}
	cfg.TLSConfig, cfg.TLS = "", &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if ca == "" {
		return nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return fmt.Errorf("database address: %s: %w", paramCA, err)
	}
	cfg.TLS.RootCAs = x509.NewCertPool()
	if !cfg.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("database address: %s: %s holds no certificate in PEM", paramCA, ca)
	}
	return nil
}

// elsewhere reports whether a database is on another machine.
func elsewhere(cfg *mysql.Config) bool {
	if cfg.Net == "unix" {
		return false
	}
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		host = cfg.Addr
	}
	if ip := net.ParseIP(host); ip != nil {
		return !ip.IsLoopback()
	}
	return !strings.EqualFold(host, "localhost")
}

// Unprotected reports whether the address of a database has its link go over a
// network in clear, or to a server whose certificate nobody checks. Malformed
// addresses are not: CheckDSN refuses them.
func Unprotected(dsn string) bool {
	cfg, err := parseDSN(dsn)
	return err == nil && elsewhere(cfg) && (cfg.TLS == nil || cfg.TLS.InsecureSkipVerify || cfg.AllowFallbackToPlaintext)
}

// tlsCure says what helps if the link could not be encrypted; otherwise it
// returns the error as it is.
func tlsCure(err error) error {
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, mysql.ErrNoTLS):
		return errors.New("the database server offers no TLS, which is required for another machine's: set it up there, " +
			"or end the address in ?tls=false to send everything in clear")
	case errors.As(err, &untrusted):
		return fmt.Errorf("the database server's certificate is not trusted: end the address in ?%s=FILE to name its authority (%w)", paramCA, err)
	}
	return err
}

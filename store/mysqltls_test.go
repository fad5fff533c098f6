package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// TestDatabaseElsewhereIsEncrypted holds that the link to another machine is
// encrypted and its certificate checked unless the address says otherwise.
func TestDatabaseElsewhereIsEncrypted(t *testing.T) {
	for dsn, want := range map[string]struct {
		server      string // whose certificate is checked; "": none is
		unprotected bool
	}{
		"mysql://u:p@db.example.org/n":                 {"db.example.org", false},
		"mysql://u:p@db.example.org/n?tls=true":        {"db.example.org", false},
		"mysql://u:p@192.0.2.7:3307/n":                 {"192.0.2.7", false},
		"mysql://u:p@[2001:db8::1]/n":                  {"2001:db8::1", false},
		"u:p@tcp(db:3306)/n":                           {"db", false},
		"u:p@tcp(db:3306)/n?tls=true":                  {"db", false},
		"mysql://u:p@db.example.org/n?tls=false":       {"", true},
		"mysql://u:p@db.example.org/n?tls=skip-verify": {"", true},
		"mysql://u:p@db.example.org/n?tls=preferred":   {"", true},
		"mysql://u:p@127.0.0.1/n":                      {"", false},
		"mysql://u:p@127.0.0.1/n?tls=true":             {"127.0.0.1", false},
		"mysql://u:p@[::1]/n":                          {"", false},
		"mysql://u:p@localhost/n":                      {"", false},
		"mysql:///n":                                   {"", false},
		"mysql://u:p@db/n?socket=/run/mysqld.sock":     {"", false},
	} {
		cfg, err := parseDSN(dsn)
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		server := ""
		if cfg.TLS != nil && !cfg.TLS.InsecureSkipVerify {
			server = cfg.TLS.ServerName
		}
		if server != want.server || Unprotected(dsn) != want.unprotected {
			t.Errorf("%s: checks the certificate of %q, unprotected %v, want %+v", dsn, server, Unprotected(dsn), want)
		}
	}
}

func TestDatabaseAuthority(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".missing"} {
		if err := CheckDSN("mysql://u:hunter2@db/n?tls-ca=" + file); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestNoTLSNamesTheCure holds that a server without TLS is refused with what helps.
func TestNoTLSNamesTheCure(t *testing.T) {
	dsn := mariadbtest.Start(t).NewDatabase(t)
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	s, err := Open(t.Context(), Config{DSN: dsn + separator + "tls=true", Now: time.Now})
	if err == nil {
		defer s.Close()
		err = s.Ping(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "?tls=false") {
		t.Errorf("%v does not name the cure", err)
	}
}

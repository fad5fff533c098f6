package store

import (
	"testing"
	"time"
)

func TestParseDSN(t *testing.T) {
	for dsn, want := range map[string]struct{ user, password, net, addr, name string }{
		"mysql://u:p@h:3307/n":             {"u", "p", "tcp", "h:3307", "n"},
		"mysql://u@h/n":                    {"u", "", "tcp", "h:3306", "n"},
		"mariadb://u:p%40%2F%3A%25@h/n":    {"u", "p@/:%", "tcp", "h:3306", "n"},
		"mysql://u:p@[::1]:3306/n":         {"u", "p", "tcp", "[::1]:3306", "n"},
		"mysql:///n":                       {"", "", "tcp", "127.0.0.1:3306", "n"},
		"mysql://u:p@/n?socket=/run/m/s":   {"u", "p", "unix", "/run/m/s", "n"},
		"mysql://u:p@h/n?socket=%2Frun%2F": {"u", "p", "unix", "/run/", "n"},
		"u:p@tcp(h:1)/n":                   {"u", "p", "tcp", "h:1", "n"},
		"u:p@/:@unix(/run/s)/n":            {"u", "p@/:", "unix", "/run/s", "n"},
	} {
		cfg, err := parseDSN(dsn)
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		got := struct{ user, password, net, addr, name string }{cfg.User, cfg.Passwd, cfg.Net, cfg.Addr, cfg.DBName}
		if got != want {
			t.Errorf("%s: %+v, want %+v", dsn, got, want)
		}
	}
}

// What the statements rely on holds whatever the DSN says.
func TestSessionOverrulesTheDSN(t *testing.T) {
	cfg, err := parseDSN("mysql://u@h/n?multiStatements=true&parseTime=false&clientFoundRows=false&loc=Local" +
		"&sql_mode=''&autocommit=0&time_zone='%2B05:00'&readTimeout=3s&interpolateParams=false&allowAllFiles=true")
	if err != nil {
		t.Fatal(err)
	}
	session(cfg)
	if cfg.MultiStatements || cfg.AllowAllFiles || !cfg.ParseTime || !cfg.ClientFoundRows || !cfg.InterpolateParams ||
		cfg.Loc != time.UTC || cfg.Params["sql_mode"] != mysqlMode || cfg.Params["autocommit"] != "1" || cfg.Params["time_zone"] != "'+00:00'" {
		t.Errorf("%+v", cfg)
	}
	if cfg.ReadTimeout != 3*time.Second || cfg.WriteTimeout <= 0 || cfg.Timeout <= 0 {
		t.Errorf("timeouts %v %v %v", cfg.ReadTimeout, cfg.WriteTimeout, cfg.Timeout)
	}
}

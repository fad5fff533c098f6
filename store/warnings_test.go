package store

import (
	"strings"
	"testing"
	"time"
)

func TestServerVersions(t *testing.T) {
	for version, want := range map[string]bool{
		"10.11.19-MariaDB-0+deb12u1": false, "10.6.0-MariaDB": false, "10.5.28-MariaDB": true, "11.4.2-MariaDB": false,
		"5.5.5-10.5.1-MariaDB": true, "5.5.5-10.11.1-MariaDB": false,
		"8.0.36": false, "8.0.1-dmr": false, "8.0.0": true, "5.7.44-log": true, "9.1.0": false,
		"8.0.11-TiDB-v7.5.0": false, "something": false,
	} {
		if got := tooOld(version); got != want {
			t.Errorf("%s: too old %v, want %v", version, got, want)
		}
	}
}

// Each fact that endangers something has one warning, which says what to change.
func TestWarnings(t *testing.T) {
	good := func() facts {
		return facts{version: "10.11.19-MariaDB", mode: "STRICT_ALL_TABLES,X", zone: "+00:00", collation: "utf8mb4_bin",
			skew: 4 * time.Second, server: map[string]string{"innodb_flush_log_at_trx_commit": "1", "log_bin": "ON", "sync_binlog": "1",
				"binlog_format": "MIXED", "completion_type": "NO_CHAIN",
				"innodb_doublewrite": "ON", "read_only": "OFF", "wsrep_on": "ON", "wsrep_sync_wait": "1"}}
	}
	if w := good().warnings(); len(w) > 0 {
		t.Errorf("warnings for nothing: %q", w)
	}
	for want, spoil := range map[string]func(*facts){
		"SKIP LOCKED":         func(f *facts) { f.version = "10.5.1-MariaDB" },
		"STRICT_ALL_TABLES":   func(f *facts) { f.mode = "" },
		"time_zone":           func(f *facts) { f.zone = "SYSTEM" },
		"collation":           func(f *facts) { f.collation = "latin1_swedish_ci" },
		"set it to 1":         func(f *facts) { f.server["innodb_flush_log_at_trx_commit"] = "2" },
		"sync_binlog is 0":    func(f *facts) { f.server["sync_binlog"] = "0" },
		"ROW or MIXED":        func(f *facts) { f.server["binlog_format"] = "STATEMENT" },
		"completion_type is":  func(f *facts) { f.server["completion_type"] = "CHAIN" },
		"innodb_doublewrite":  func(f *facts) { f.server["innodb_doublewrite"] = "OFF" },
		"read_only":           func(f *facts) { f.server["read_only"] = "ON" },
		"wsrep_sync_wait is":  func(f *facts) { f.server["wsrep_sync_wait"] = "0" },
		"clock is 6s off":     func(f *facts) { f.skew = 6 * time.Second },
		"clock is -1h0m0s of": func(f *facts) { f.skew = -time.Hour },
	} {
		f := good()
		spoil(&f)
		if w := f.warnings(); len(w) != 1 || !strings.Contains(w[0], want) {
			t.Errorf("%q: %q", want, w)
		}
	}
	off := good()
	off.server["log_bin"], off.server["sync_binlog"], off.server["binlog_format"] = "OFF", "0", "STATEMENT"
	off.server["wsrep_on"], off.server["wsrep_sync_wait"] = "OFF", "0"
	if w := off.warnings(); len(w) > 0 {
		t.Errorf("what is off needs no setting: %q", w)
	}
}

func TestSQLiteWarnings(t *testing.T) {
	if w := sqliteWarnings("wal", 2, ""); len(w) != 0 {
		t.Errorf("warnings for nothing: %q", w)
	}
	for want, w := range map[string][]string{
		"journal_mode is delete":  sqliteWarnings("delete", 2, ""),
		"synchronous is 1":        sqliteWarnings("wal", 1, ""),
		"the data folder is on N": sqliteWarnings("wal", 2, "NFS"),
	} {
		if len(w) != 1 || !strings.Contains(w[0], want) {
			t.Errorf("%q: %q", want, w)
		}
	}
}

func TestNetworkFileSystems(t *testing.T) {
	for magic, want := range map[uint32]string{0x6969: "NFS", 0xFE534D42: "SMB", 0xEF53: "", 0x58465342: "", 0x01021994: ""} {
		if got := networkName(magic); got != want {
			t.Errorf("%#x: %q, want %q", magic, got, want)
		}
	}
}

// The tables that the check looks at are those that the migrations make.
func TestTablesOfTheMigrations(t *testing.T) {
	ours, err := tables()
	if err != nil || !ours["members"] || !ours["mails"] || !ours["events"] || !ours["memberships"] {
		t.Errorf("%v, %v", ours, err)
	}
}

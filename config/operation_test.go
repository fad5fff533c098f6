package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOperationDefaults(t *testing.T) {
	c, _, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.AdminListen, c.TrustedProxies, c.ForwardedHeader, c.ClientRate, c.TotalRate, c.MaxInFlight, c.MaxConnections,
		c.RequestTimeout, c.StartTimeout, c.StopDelay, c.Migrate, c.Keep, c.AuditIdentifiers, c.AuditAddresses, c.NoticeAddresses}
	want := []any{"", "", "x-forwarded-for", (*int)(nil), 30000, 256, 8192, 10 * time.Second, 10 * time.Minute, time.Duration(0), "auto", 720 * time.Hour, "hashed", "plain", "shortened"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOperationFaults(t *testing.T) {
	for setting, values := range map[string][]string{
		"admin-listen":      {"'9090'", "'127.0.0.1:x'"},
		"trusted-proxies":   {"'10.0.0.0/33'", "'proxy.example.org'", "'10.0.0.1, x'", "'::ffff:10.0.0.0/104'"},
		"forwarded-header":  {"'x-real-ip'"},
		"client-rate":       {"-1"},
		"total-rate":        {"-1"},
		"max-in-flight":     {"0"},
		"max-connections":   {"0"},
		"request-timeout":   {"'1ms'", "'0s'"},
		"start-timeout":     {"'-1s'"},
		"stop-delay":        {"'-1s'"},
		"migrate":           {"'yes'"},
		"keep":              {"'47h'", "'-1h'"},
		"audit-identifiers": {"'off'"},
		"audit-addresses":   {"''"},
		"notice-addresses":  {"'off'", "''"},
	} {
		for _, v := range values {
			_, _, err := load(t, setting+" = "+v+"\n")
			if err == nil || !strings.Contains(err.Error(), setting+": ") {
				t.Errorf("%s = %s: %v", setting, v, err)
			}
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	c, _, err := load(t, "trusted-proxies = '10.1.2.3/8, 192.0.2.7,fd00::1/8'\nkeep = '0s'\nclient-rate = 0\n")
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Proxies()
	if got := fmt.Sprint(list); err != nil || got != "[10.0.0.0/8 192.0.2.7/32 fd00::/8]" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAdminListenWarning(t *testing.T) {
	for addr, want := range map[string]int{"127.0.0.1:9090": 0, "[::1]:9090": 0, "localhost:9090": 0, ":9090": 1, "192.0.2.1:9090": 1} {
		_, warnings, err := load(t, "admin-listen = '"+addr+"'\n")
		if err != nil || len(warnings) != want {
			t.Errorf("%s: warnings %q, err %v", addr, warnings, err)
		}
	}
}

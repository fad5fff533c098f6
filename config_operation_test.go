package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reseed/server"
)

func TestOperationDefaults(t *testing.T) {
	c, _, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.AdminListen, c.TrustedProxies, c.ForwardedHeader, c.rates(), c.MaxInFlight, c.MaxConnections,
		c.RequestTimeout, c.StartTimeout, c.StopDelay, c.Migrate, c.Keep, c.AuditIdentifiers, c.AuditAddresses}
	want := []any{"", "", "x-forwarded-for", server.Rates{Client: 600, Total: 30000, SpareHere: true}, 512, 8192, 10 * time.Second, 10 * time.Minute, time.Duration(0), "auto", 720 * time.Hour, "hashed", "plain"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Only a server that mails nothing, and was not told a rate, spares its own machine.
func TestClientRate(t *testing.T) {
	for settings, want := range map[string]server.Rates{
		"client-rate = 600\n": {Client: 600, Total: 30000},
		"client-rate = 0\n":   {Total: 30000},
		"smtp = 'smtp://127.0.0.1:25?starttls=never'\nemail-domain = 'example.org'\n": {Client: 600, Total: 30000},
	} {
		c, _, err := load(t, settings)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.rates(); got != want {
			t.Errorf("%s%+v, want %+v", settings, got, want)
		}
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
	list, err := c.proxies()
	if got := fmt.Sprint(list); err != nil || got != "[10.0.0.0/8 192.0.2.7/32 fd00::/8]" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAdminListenWarning(t *testing.T) {
	for addr, want := range map[string]int{"127.0.0.1:9090": 0, "[::1]:9090": 0, "localhost:9090": 0, ":9090": 1, "192.0.2.1:9090": 1} {
		_, l, err := load(t, "admin-listen = '"+addr+"'\n")
		if err != nil || len(l.warnings) != want {
			t.Errorf("%s: warnings %q, err %v", addr, l.warnings, err)
		}
	}
}

package config

import (
	"strings"
	"testing"
)

// The bounds of signing in are validated like all settings; a hundred failures
// in a row are the most that can be allowed (LOD-8).
func TestAccessSettings(t *testing.T) {
	for setting, bad := range map[string][]string{
		"min-bad-logins": {"0", "-1", "101", "x"}, "max-bad-logins": {"4", "101"},
		"min-account-lockout": {"0s", "721h"}, "max-account-lockout": {"14m", "721h"},
		"session-timeout": {"59s", "721h"}, "session-life": {"59s"}, "access-token-life": {"59s"},
		"version-build": {"-1", "1000000000"}, "time-zone": {"Nowhere/Land", "Local", "", "../etc/passwd"},
	} {
		for _, value := range bad {
			if _, _, err := load(t, "", "--"+setting+"="+value); err == nil || !strings.Contains(err.Error(), setting+": ") {
				t.Errorf("%s = %q: %v", setting, value, err)
			}
		}
	}
}

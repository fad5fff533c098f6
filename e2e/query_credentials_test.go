package e2e

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/reseed-project/reseed/app"
)

// While credentials in the query are off, the log says once which setting turns
// them on, and never what they were; once they are on it says nothing (contract 1.5).
func TestLogNamesTheSettingForQueryCredentials(t *testing.T) {
	t.Parallel()
	const password = "old-Garden-12-gate"
	for settings, want := range map[string]struct {
		outcome string
		hints   int
	}{
		"":                            {"0101", 1},
		"query-credentials = true\n":  {"200", 0},
		"query-credentials = false\n": {"0101", 1},
	} {
		var log bytes.Buffer
		site := startSite(t, siteConfig{state: "identity", settings: settings, log: app.NewLogger(&log)})
		for range 3 {
			for _, path := range []string{"/ps/service/self", "/self.json", "/self/memberships"} {
				call := [3]string{http.MethodGet, path + "?username=ann&password=" + password, ""}
				w := site.send(t, call, func(*http.Request) {})
				if (w.Code == http.StatusOK) != (want.outcome == "200") {
					t.Errorf("%q: %s: %d", settings, path, w.Code)
				}
			}
		}
		if n := strings.Count(log.String(), "query-credentials = true"); n != want.hints {
			t.Errorf("%q: %d hints:\n%s", settings, n, log.String())
		}
		if strings.Contains(log.String(), password) {
			t.Errorf("%q: the log holds the password", settings)
		}
	}
}

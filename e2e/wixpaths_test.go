package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/server/wix"
)

// The table of paths in the docs is what the router serves, row by row.
func TestWixPathsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/moving-from-wix.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "### Paths\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var got, want []string
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "| `") {
			got = append(got, line)
		}
	}
	for _, r := range wix.Routes() {
		want = append(want, "| `"+r.Name+"` | `"+r.Method+"` | `"+strings.Join(r.Paths, "`, `")+"` |")
	}
	if diff := cmp.Diff(want, got); !found || len(want) < 10 || diff != "" {
		t.Errorf("docs/moving-from-wix.md and wix.Routes() differ (-served +documented):\n%s", diff)
	}
}

// Each path of the vendor's answers in its shape with the request id, whether it
// is served or not: no XML, whatever is asked for (contract 2.2).
func TestWixPathsNeverAnswerXML(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{})
	segment := regexp.MustCompile(`\{\w+\}`)
	ask := func(method, host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}"))
		r.Host = host
		r.Header.Set("Accept", "application/xml")
		w := httptest.NewRecorder()
		site.Handler.ServeHTTP(w, r)
		var answer struct {
			Message string
			Details map[string]any
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Message == "" || w.Header().Get("X-Wix-Request-Id") == "" {
			t.Errorf("%s %s%s: %d %q %v", method, host, path, w.Code, w.Body, err)
		}
		return w
	}
	for _, r := range wix.Routes() {
		for _, path := range r.Paths {
			path = segment.ReplaceAllString(path, "00000000-0000-4000-8000-000000000001")
			if w := ask(http.MethodDelete, "accounts.example.org", path); w.Code != http.StatusMethodNotAllowed {
				t.Errorf("DELETE %s: %d", path, w.Code)
			}
			if w := ask(http.MethodPost, "accounts.example.org", path+"/more"); w.Code != http.StatusNotFound {
				t.Errorf("POST %s/more: %d", path, w.Code)
			}
		}
	}
	for _, path := range []string{
		"/", "/ps/service/self", "/contacts/v4/contacts", "/_api/iam/authentication/v1/sign-on", "/_api/iam/verification/v1/start",
		"/stores/v1/products/query", "/members/resetpassword", "/email/resetpassword", "/dev/mail", "/favicon.ico",
	} {
		if w := ask(http.MethodPost, "www.wixapis.com", path); w.Code != http.StatusNotFound {
			t.Errorf("POST %s at the vendor's host: %d", path, w.Code)
		}
	}
}

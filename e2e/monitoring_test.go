package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

var metricName = regexp.MustCompile(`\breseed_[a-z_]+`)

// The dashboard and the alert rules ask for metrics that there are.
func TestMonitoringNamesMetricsThatExist(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{})
	source, err := os.ReadFile("metrics/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, name := range metricName.FindAllString(string(source)+site.scraped(t), -1) {
		there[name] = true
		there[name+"_bucket"] = true // a histogram without values shows none
	}
	for _, file := range []string{"examples/monitoring/alerts.yaml", "examples/monitoring/grafana.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", file)
		}
		names := metricName.FindAllString(string(text), -1)
		if len(names) < 8 {
			t.Errorf("%s names only %q", file, names)
		}
		for _, name := range names {
			if !there[name] {
				t.Errorf("%s names %s, which is not there", file, name)
			}
		}
	}
}

// scraped returns what /metrics shows.
func (s *testSite) scraped(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.AdminHandler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("/metrics: status %d", w.Code)
	}
	return w.Body.String()
}

// A mail's age is observed when it is sent, a wait when a password is hashed.
func TestWaitsAreObserved(t *testing.T) {
	t.Parallel()
	site := startSite(t, siteConfig{})
	ask := [3]string{"POST", "/members/resetpassword", "email=ann@example.org"}
	if got := site.outcome(t, ask, func(*http.Request) {}); got != "200" {
		t.Fatal(got)
	}
	site.clock.advance(t, "42s")
	if mails := site.deliver(t); len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	site.login(t)
	shown := site.scraped(t)
	for _, want := range []string{
		"reseed_mail_age_seconds_sum 42\n", "reseed_mail_age_seconds_count 1\n", "reseed_mail_age_seconds_bucket{le=\"30\"} 0\n",
		"reseed_hashing_wait_seconds_count 1\n",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("/metrics doesn't show %q", want)
		}
	}
}

// Prometheus's own tool reads all metrics, and finds no fault with ours.
func TestPrometheusTakesTheMetrics(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is missing; make setup installs it")
	}
	site := startSite(t, siteConfig{})
	ask := [3]string{"POST", "/members/resetpassword", "email=ann@example.org"}
	if got := site.outcome(t, ask, func(*http.Request) {}); got != "200" {
		t.Fatal(got)
	}
	site.deliver(t)
	cmd := exec.CommandContext(t.Context(), tool, "check", "metrics")
	cmd.Stdin = strings.NewReader(site.scraped(t))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) { // 3: it finds something
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "go_goroutines no help text") || strings.Contains(string(out), "reseed_") {
		t.Errorf("promtool finds:\n%s", out)
	}
}

// Grafana's own types take the dashboard, panels strictly but for their queries, of
// which promtool takes each expression.
func TestGrafanaTakesTheDashboard(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is missing; make setup installs it")
	}
	text, err := os.ReadFile("examples/monitoring/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	plugins.RegisterDefaultPlugins()
	var board dashboard.Dashboard //nolint:staticcheck // the form that every Grafana imports
	var parts struct{ Panels []json.RawMessage }
	if err := errors.Join(json.Unmarshal(text, &board), json.Unmarshal(text, &parts)); err != nil {
		t.Fatal(err)
	}
	if err := board.Validate(); err != nil && err.Error() != "" {
		t.Error(err)
	}
	// Panels one by one: their union gives up at the empty list of errors that each returns.
	for _, part := range parts.Panels {
		var p dashboard.Panel
		if err := p.UnmarshalJSONStrict(part); err != nil && err.Error() != "" {
			t.Errorf("%v in %s", err, part)
		}
	}
	rules := "groups:\n- name: dashboard\n  rules:\n"
	queries := 0
	for _, p := range board.Panels {
		for _, target := range p.Panel.Targets {
			query, ok := target.(*prometheus.Dataquery)
			if !ok {
				query = new(target.(prometheus.Dataquery))
			}
			if !metricName.MatchString(query.Expr) {
				t.Errorf("%s: %q names no metric", *p.Panel.Title, query.Expr)
			}
			queries++
			rules += fmt.Sprintf("  - record: query:%d\n    expr: %q\n", queries, query.Expr)
		}
	}
	if queries < 12 {
		t.Errorf("only %d queries", queries)
	}
	file := filepath.Join(t.TempDir(), "queries.yaml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

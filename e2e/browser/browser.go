// Package browser drives a headless Chromium for tests, and holds pages
// against axe-core's rules of accessibility.
package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The environment variables that, set to 1, make a missing Chromium or npm
// fail the tests instead of skipping them.
const (
	RequireChromium = "RESEED_TEST_REQUIRE_CHROMIUM"
	RequireNPM      = "RESEED_TEST_REQUIRE_NPM"
)

// patience is how long a test may drive one browser.
const patience = 10 * time.Minute

// Start starts a browser of its own with a fresh profile, which ends with the
// test; more options come on top. Where Chromium is not installed it skips the
// test, or fails it with RequireChromium.
func Start(t testing.TB, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := find(t)
	dir, err := os.MkdirTemp("", "reseed-browser-")
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // Chromium's sandbox does not run as root, nor in most containers
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Env("TMPDIR="+dir), // it leaves folders behind
	)
	options = append(options, more...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	ctx, cancelBrowser := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		cancelBrowser()
		cancelAllocator()
		cancel()
		chromedp.FromContext(ctx).Allocator.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

// Tab opens a tab with cookies and history of its own.
func Tab(browser context.Context, t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open tab: %v", err)
	}
	return ctx
}

func find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, RequireChromium, "Chromium is not installed (Debian package chromium)")
	return ""
}

func missing(t testing.TB, variable, what string) {
	t.Helper()
	if os.Getenv(variable) == "1" {
		t.Fatalf("%s, and %s=1 requires it", what, variable)
	}
	t.Skipf("SKIPPED: %s", what)
}

// Axe returns the source of axe-core, in the version that package-lock.json
// pins. Where npm can't provide it the test is skipped, or fails with RequireNPM.
func Axe(t testing.TB) string {
	t.Helper()
	file := filepath.Join(folder(), "node_modules", "axe-core", "axe.min.js")
	if source, err := os.ReadFile(file); err == nil {
		return string(source)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund")
	install.Dir = folder()
	if out, err := install.CombinedOutput(); err != nil {
		missing(t, RequireNPM, fmt.Sprintf("npm can't provide axe-core: %v %s", err, out))
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// folder finds this package's folder from any package of the module.
func folder() string {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return filepath.Join(dir, "e2e", "browser")
}

// violations runs axe-core over the page, frames aside, and lists what it
// finds, with the rules of WCAG 2.2 AA and those of good practice.
const violations = `axe.run(document, {preload: false, iframes: false}).then(r => JSON.stringify(
	r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join("; "))))`

// Violations returns what axe-core, whose source Axe returned, finds on the
// page that is open.
func Violations(ctx context.Context, axe string) ([]string, error) {
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe+";null")); err != nil {
		return nil, fmt.Errorf("load axe-core: %w", err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](violations, chromedp.EvalAwaitPromise))
	if err != nil {
		return nil, fmt.Errorf("run axe-core: %w", err)
	}
	var list []string
	if err := json.Unmarshal([]byte(found), &list); err != nil {
		return nil, fmt.Errorf("read what axe-core found: %w", err)
	}
	return list, nil
}

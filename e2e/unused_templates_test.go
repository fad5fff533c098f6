package e2e

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A folder of templates or pages that no group leads to is named at the start,
// once, and no other is (MAI-5).
func TestUnusedTemplateFoldersAreNamed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{
		"Acme/notification/change-password.txt", "acme-specs/page/style.css", "house/notification/change-password.txt",
		"acme-spec/notification/change-password.txt", "acme-spec/page/style.css", "globx/page/style.css", "default/page/style.css",
	} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("/**/"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settings := "templates = \"" + folder + "\"\nglobal-template = \"House\"\n"
	log := &lockedLog{}
	startSite(t, siteConfig{settings: settings, log: slog.New(slog.NewTextHandler(log, nil))})
	if got := namedFolders(log); got != "acme-spec default globx" {
		t.Errorf("named %q", got)
	}

	s := serveApp(t, siteConfig{settings: settings}) // without any group
	s.until(t, 200, 10*time.Second)
	if got := namedFolders(s.log); got != "acme acme-spec acme-specs default globx" {
		t.Errorf("named at the start: %q", got)
	}
	s.end(t)
}

func namedFolders(log *lockedLog) string {
	var named []string
	for line := range strings.Lines(log.String()) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), "has this name\" folder="); ok {
			named = append(named, name)
		}
	}
	return strings.Join(named, " ")
}

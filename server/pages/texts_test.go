package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/reseed-project/reseed/templates"
)

// Every text that a page asks for by name is there, and none is there that no
// page could ask for.
func TestPagesAskForTheTextsThatThereAre(t *testing.T) {
	content, err := fs.ReadFile(templates.Defaults(), "default/page/texts.toml")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]any
	if err := toml.Unmarshal(content, &texts); err != nil {
		t.Fatal(err)
	}
	source := sources(t)
	found := regexp.MustCompile(`(?:\.Text |\.text\()"([a-z0-9-]+)"( ?\+)?`).FindAllStringSubmatch(source, -1)
	if len(found) < 50 {
		t.Fatalf("%d texts are asked for", len(found))
	}
	for _, m := range found {
		if whole := m[2] == ""; whole && texts[m[1]] == nil {
			t.Errorf("there is no text %q", m[1])
		}
	}
	for key, text := range texts {
		if _, ok := text.(string); ok && !mentions(source, key) {
			t.Errorf("no page asks for the text %q", key)
		}
	}
}

// mentions reports whether the source has the key in quotation marks, or what
// stands before one of its dashes, with or without the dash, to be completed.
func mentions(source, key string) bool {
	for end := len(key); end > 0; end = strings.LastIndexByte(key[:end], '-') {
		if strings.Contains(source, `"`+key[:end]+`"`) || end < len(key) && strings.Contains(source, `"`+key[:end+1]+`"`) {
			return true
		}
	}
	return false
}

// sources is the code and the markup of the pages.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"*.go", "html/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(content)
		}
	}
	return all.String()
}

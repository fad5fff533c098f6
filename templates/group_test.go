package templates

import (
	"strings"
	"testing"
	"testing/fstest"
)

// A group's own template always has its group; one that serves the whole site may not.
func TestOnlySiteWideTemplatesMustDoWithoutAGroup(t *testing.T) {
	text := &fstest.MapFile{Data: []byte("{{.Group.Title}} {{.Link}}\n")}
	if _, err := Load(fstest.MapFS{"acme-specs/notification/reset-password-confirm.txt": text}, Options{}); err != nil {
		t.Errorf("a group's template: %v", err)
	}
	_, err := Load(fstest.MapFS{"acme/notification/reset-password-confirm.txt": text}, Options{GlobalTemplate: "acme"})
	if err == nil || !strings.Contains(err.Error(), "acme/notification/reset-password-confirm.txt") {
		t.Errorf("the global template: %v, want an error that names the file", err)
	}
}

package groups

import (
	"strings"
	"testing"
)

func TestValidName(t *testing.T) {
	for _, name := range []string{"acme", "acme-specs", "Acme-v1.2_x", "a", "2024-plans", "acme-1", "1.2", strings.Repeat("a", MaxName)} {
		if err := ValidName(name); err != nil {
			t.Errorf("ValidName(%q) = %v", name, err)
		}
	}
	for _, name := range []string{
		"", "-", "acme-", "-acme", "acme--specs", "123", ".", "..", "acme-..", "a/b", "a b", "~acme", "a;b", "é",
		"a\x00", "a\n", "a@b", "a\\b", "ａ", strings.Repeat("a", MaxName+1),
	} {
		if ValidName(name) == nil {
			t.Errorf("ValidName(%q) = nil, want an error", name)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := Validate(Group{Name: "acme", Title: "Zoë's", Description: strings.Repeat("a", MaxDescription)}); err != nil {
		t.Errorf("Validate() = %v", err)
	}
	for _, g := range []Group{
		{Name: "a b"},
		{Name: "acme", Title: "a\r\nb"},
		{Name: "acme", Description: "\xff"},
		{Name: "acme", Description: strings.Repeat("a", MaxDescription+1)},
		{Name: "acme", Title: strings.Repeat("a", MaxTitle+1)},
	} {
		if Validate(g) == nil {
			t.Errorf("Validate(%+v) = nil, want an error", g)
		}
	}
}

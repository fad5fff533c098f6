package members

import (
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"abc", "abc"},
		{"VVega@Example.ORG", "vvega@example.org"},
		{"AZaz@[`{", "azaz@[`{"}, // the neighbours of the folded ranges
		{"a b ", "a b "},
		{"\x00A\xff\xc1", "\x00a\xff\xc1"},
	} {
		if got := Fold(c.in); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// Every code point beyond ASCII keeps its bytes, whatever Unicode says.
func TestFoldLeavesEverythingBeyondASCII(t *testing.T) {
	for r := rune(0x80); r <= 0x1F9FF; r++ {
		s := string(r)
		if got := Fold(s); got != s {
			t.Fatalf("Fold(%q) = %q", s, got)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("ABC")
	f.Add("\u212a\u0130\u0131\u017f")
	f.Fuzz(func(t *testing.T, s string) {
		got := Fold(s)
		if len(got) != len(s) || Fold(got) != got {
			t.Fatalf("Fold(%q) = %q: not stable", s, got)
		}
		if strings.ContainsAny(got, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			t.Fatalf("Fold(%q) = %q: upper case left", s, got)
		}
	})
}

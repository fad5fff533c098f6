package fold

import (
	"strings"
	"testing"
)

func TestASCII(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"abc", "abc"},
		{"VVega@Example.ORG", "vvega@example.org"},
		{"AZaz@[`{", "azaz@[`{"}, // the neighbours of the folded ranges
		{"a b ", "a b "},
		{"\x00A\xff\xc1", "\x00a\xff\xc1"},
	} {
		if got := ASCII(c.in); got != c.want {
			t.Errorf("ASCII(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// Every code point beyond ASCII keeps its bytes, whatever Unicode says.
func TestASCIILeavesEverythingBeyondASCII(t *testing.T) {
	for r := rune(0x80); r <= 0x1F9FF; r++ {
		s := string(r)
		if got := ASCII(s); got != s {
			t.Fatalf("ASCII(%q) = %q", s, got)
		}
	}
}

func FuzzASCII(f *testing.F) {
	f.Add("ABC")
	f.Add("\u212a\u0130\u0131\u017f")
	f.Fuzz(func(t *testing.T, s string) {
		got := ASCII(s)
		if len(got) != len(s) || ASCII(got) != got {
			t.Fatalf("ASCII(%q) = %q: not stable", s, got)
		}
		if strings.ContainsAny(got, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			t.Fatalf("ASCII(%q) = %q: upper case left", s, got)
		}
	})
}

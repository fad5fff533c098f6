package templates

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"line ends", "a\r\nb\u2028c\u2029d\u0085e\x00f", "a b c d e f"},
		{"terminal escapes", "a\x1b[31mb\x07c\x7fd\u009be", "a [31mb c d e"},
		{"space", "  a \t\u00a0 b  ", "a b"},
		{"reordering", "a\u202e\u2066b\u200e", "ab\u200e"},
		{"no form", "a\u200b\ufeff\u00ad\ufffeb", "ab"},
		{"joiners of a script", "می\u200cخواهم 👩\u200d💻", "می\u200cخواهم 👩\u200d💻"},
		{"bad UTF-8", "a\xffb", "a\uFFFDb"},
		{"URL", "see https://x.example/", "see https: //x. example/"},
		{"host names", "a.bb.cc", "a. bb. cc"},
		{"full-width dot", "evil。example", "evil。 example"},
		{"initials", "J.R. Smith Jr. 2.0", "J.R. Smith Jr. 2.0"},
		{"long", strings.Repeat("é", 201), strings.Repeat("é", 199) + "…"},
		{"just not too long", strings.Repeat("é", 200), strings.Repeat("é", 200)},
	}
	for _, tt := range tests {
		if got := personal(tt.in); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

package mail

import (
	"bufio"
	"bytes"
	"io"
	"net/textproto"
	"strings"
	"testing"
)

func TestDotStuff(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ".\r\n"},
		{"a", "a\r\n.\r\n"},
		{"a\r\n", "a\r\n.\r\n"},
		{".", "..\r\n.\r\n"},
		{"a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
		{"a\r\n.\r\nMAIL FROM:<x@example.org>\r\n", "a\r\n..\r\nMAIL FROM:<x@example.org>\r\n.\r\n"},
		{"a\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"},
		{"a\r.\r\nb", "a\r\n..\r\nb\r\n.\r\n"},
		{"a\r\r\n.b", "a\r\n\r\n..b\r\n.\r\n"},
		{"..a\n\n", "...a\r\n\r\n.\r\n"},
	}
	for _, test := range tests {
		if got := string(dotStuff([]byte(test.in))); got != test.want {
			t.Errorf("%q: got %q, want %q", test.in, got, test.want)
		}
	}
}

// FuzzDotStuff is MAI-3: whatever the message, a server sees one message, and
// the same one, however freely it takes line ends.
func FuzzDotStuff(f *testing.F) {
	for _, s := range []string{"", ".", "a\r\n.\r\nb", "a\n.\nb", "a\r.\rb", "\r\n.\r", "a\n.\r\nMAIL FROM:<>\n", "..\r\n.", "\x00\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		wire := dotStuff(message)
		if rest := strings.NewReplacer("\r\n", "").Replace(string(wire)); strings.ContainsAny(rest, "\r\n") {
			t.Fatalf("bare CR or LF in %q", wire)
		}
		if bytes.Index(append([]byte("\r\n"), wire...), []byte("\r\n.\r\n")) != len(wire)-3 {
			t.Fatalf("another end within %q", wire)
		}
		r := bufio.NewReader(bytes.NewReader(wire))
		got, err := io.ReadAll(textproto.NewReader(r).DotReader())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.ReadByte(); err != io.EOF {
			t.Fatalf("bytes after the end of %q", wire)
		}
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(message))
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		if string(got) != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

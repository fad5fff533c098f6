package xslt

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// fromProcess is a frame as a renderer writes it.
func fromProcess(kind byte, number uint32, length uint32, payload string) string {
	b := []byte{kind}
	b = binary.BigEndian.AppendUint32(b, number)
	b = binary.BigEndian.AppendUint32(b, length)
	return string(append(b, payload...))
}

// Whatever a renderer prints, it is frames of known kinds and bounded length, byte
// for byte what was printed, and then an error.
func FuzzFrames(f *testing.F) {
	f.Add(fromProcess('R', 0, 0, "") + fromProcess('O', 1, 8, "rendered") + fromProcess('E', 2, 4, "oops"))
	f.Add(fromProcess('R', 0, 0, "") + "debug: rendering\n")
	f.Add(fromProcess('O', 1, 1<<32-1, "x"))
	f.Add(fromProcess('O', 1, maxOutput+1025, strings.Repeat("x", 2000)))
	f.Add(fromProcess('O', 1, 9, "half"))
	f.Add(fromProcess('F', 1, 0, ""))
	f.Add("O\x00\x00")
	f.Add("")
	f.Fuzz(func(t *testing.T, printed string) {
		b := bufio.NewReader(strings.NewReader(printed))
		var again bytes.Buffer
		for {
			frame, err := decode(b)
			if err != nil {
				break
			}
			if !strings.ContainsRune("ROE", rune(frame.kind)) || len(frame.payload) > maxOutput+1024 {
				t.Fatalf("a frame %q of %d bytes", frame.kind, len(frame.payload))
			}
			again.WriteString(fromProcess(frame.kind, frame.number, uint32(len(frame.payload)), string(frame.payload)))
		}
		if !strings.HasPrefix(printed, again.String()) {
			t.Errorf("read as %q", again.Bytes())
		}
	})
}

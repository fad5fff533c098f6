package xmlresp

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/reseed-project/reseed/errcodes"
)

// A second reader, libxml2, takes what the encoder makes of any text for
// well-formed, too (WEB-5). That it refuses what isn't is tried along.
func TestLibxml2ReadsEveryAnswer(t *testing.T) {
	program, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is missing: make setup")
	}
	random := rand.New(rand.NewChaCha8([32]byte{5}))
	text := func() string {
		alphabet := []string{"a", "<", ">", "&", "]]>", "<!--", "-->", "<?", "&#0;", "&lt;", "'", `"`, "\x00", "\x01", "\x0b", "\x1f", "\x7f", "\u0085",
			"\u2028", "\ud7ff", "\ue000", "\ufdd0", "\ufffd", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff", "\xff", "\xed\xa0\x80", "\xc0\xaf", "\r", "\n", "\t"}
		s := ""
		for range random.IntN(12) {
			s += alphabet[random.IntN(len(alphabet))]
		}
		return s
	}
	dir := t.TempDir()
	args := []string{"--noout", "--nonet"}
	for i := range 1000 {
		file := filepath.Join(dir, fmt.Sprintf("%d.xml", i))
		out := Encode(XML, ErrorDoc{Code: errcodes.Internal, Request: text(), Message: text()})
		if err := os.WriteFile(file, out, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("%v\n%.2000s", err, out)
	}
	broken := filepath.Join(dir, "broken.xml")
	if err := os.WriteFile(broken, []byte("<a>\x01</a>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := exec.CommandContext(t.Context(), program, "--noout", broken).Run(); err == nil {
		t.Error("a control character is taken for well-formed")
	}
}

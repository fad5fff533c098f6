package mail

import (
	"strings"
	"testing"
)

func TestASCIIDomain(t *testing.T) {
	for _, c := range []struct{ from, want string }{
		{"bücher.example", "xn--bcher-kva.example"},
		{"BÜCHER.Example", "xn--bcher-kva.example"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"straße.example", "xn--strae-oqa.example"}, // not strasse.example
		{"日本語.example", "xn--wgv71a119e.example"},
		{"مثال.example", "xn--mgbh0fb.example"},
		{"क्\u200dष.example", "xn--11b2ezcw70k.example"}, // a joiner where its script has it
		{"pаypal.example", "xn--pypal-4ve.example"},      // Cyrillic а: another domain
		{"Example.ORG", "Example.ORG"},                   // ASCII stays, folded as all identifiers are
		{strings.Repeat("ü", 50) + ".example", "xn--td" + strings.Repeat("a", 50) + ".example"},
	} {
		got := ASCIIDomain(c.from)
		if got != c.want || !ValidAddress("ann@"+got) {
			t.Errorf("%q becomes %q, want %q", c.from, got, c.want)
		}
	}
}

// Domains that Unicode's mappings would join with another, and such that are none,
// are refused: they stay as they are and make no valid address.
func TestASCIIDomainRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"Kelvin sign":          "\u212aelvin.example",
		"dotted capital I":     "\u0130x.example",
		"long s":               "\u017fx.example",
		"capital sharp s":      "stra\u1e9ee.example",
		"full-width":           "\uff45xample.org",
		"ideographic stop":     "bücher\u3002example",
		"full-width stop":      "bücher\uff0eexample",
		"decomposed":           "bu\u0308cher.example",
		"ligature":             "\ufb01x.example",
		"superscript":          "ü\u00b2.example",
		"soft hyphen":          "ü\u00ad.example",
		"zero width space":     "ü\u200b.example",
		"joiner":               "a\u200db.example",
		"non-joiner":           "a\u200cb.example",
		"right-to-left mark":   "ü\u200f.example",
		"mixed directions":     "עa.example",
		"symbol":               "i❤.example",
		"division slash":       "example.org\u2215x.example",
		"leading hyphen":       "-ü.example",
		"hyphens of a prefix":  "ab--ü.example",
		"underscore":           "ü_x.example",
		"empty label":          "bücher..example",
		"first label empty":    ".bücher.example",
		"last label empty":     "bücher.example.",
		"one label":            "bücher",
		"label too long":       strings.Repeat("ü", 59) + ".example",
		"domain too long":      strings.Repeat("ü.", 60) + "example",
		"last label of digits": "bücher.12",
		"not UTF-8":            "b\xfccher.example",
		"space":                "bücher example",
		"line break":           "bücher.example\r\nBcc: eve",
		"at sign":              "bücher@x.example",
	} {
		if got := ASCIIAddress("ann@" + s); ValidUTF8Address(got) {
			t.Errorf("%s: %q is taken for %q", name, s, got)
		}
	}
}

func TestReadableAddress(t *testing.T) {
	for _, c := range []struct{ from, want string }{
		{"ann@xn--bcher-kva.example", "ann@bücher.example"},
		{"Ann@XN--bcher-KVA.Example", "Ann@bücher.example"},
		{"ann@xn--strae-oqa.example", "ann@straße.example"},
		{"ann@xn--wgv71a119e.example", "ann@日本語.example"},
		{"ann@Example.ORG", "ann@Example.ORG"},
		{"ann@xn--pypal-4ve.example", "ann@xn--pypal-4ve.example"}, // Latin and Cyrillic
		{"ann@xn--i-7iq.example", "ann@xn--i-7iq.example"},         // a symbol, which does not read back
		{"ann@xn--a.example", "ann@xn--a.example"},                 // no letters behind it
		{"ann@xn--example-hy68a.org", "ann@xn--example-hy68a.org"},
		{"vvega", "vvega"},
		{"xn--00c", "xn--00c"}, // a name, no address
		{"", ""},
	} {
		if got := ReadableAddress(c.from); got != c.want {
			t.Errorf("%q is shown as %q, want %q", c.from, got, c.want)
		}
	}
}

func TestValidUTF8Address(t *testing.T) {
	for _, s := range []string{"jürgen@example.org", "用户@example.org", "अ.ann+x@example.org", "ann@example.org", "иван@xn--bcher-kva.example"} {
		if !ValidUTF8Address(s) || ValidAddress(s) != (s == "ann@example.org") {
			t.Errorf("%q: %v, %v", s, ValidUTF8Address(s), ValidAddress(s))
		}
	}
	for name, s := range map[string]string{
		"Kelvin sign": "\u212aann@example.org", "full-width": "\uff41nn@example.org", "decomposed": "ju\u0308rgen@example.org",
		"zero width": "a\u200bnn@example.org", "variation selector": "ann\ufe0f@example.org", "grapheme joiner": "a\u034fnn@example.org",
		"direction": "ann\u202e@example.org", "symbol": "❤@example.org", "no-break space": "a\u00a0nn@example.org", "control": "a\u0085nn@example.org",
		"not UTF-8": "j\xfcrgen@example.org", "long": strings.Repeat("ü", 33) + "@example.org", "domain": "jürgen@bücher.example",
	} {
		if ValidUTF8Address(s) {
			t.Errorf("%s: %q is taken for an address", name, s)
		}
	}
}

// What is read as an address in ASCII is one that stays as it is, and what it is
// shown as is read as the same one again.
func FuzzASCIIAddress(f *testing.F) {
	for _, s := range []string{
		"ann@bücher.example", "ANN@BÜCHER.EXAMPLE", "ann@xn--bcher-kva.example", "ann@stra\u1e9ee.example", "ann@\u212aelvin.example", "ann@日本語.example",
		"ann@מa.example", "ann@xn--.example", "ann@xn--pypal-4ve.example", "ann@b\xfccher.example", "a@b@bücher.example", "Xn--00C", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ascii := ASCIIAddress(s)
		if ASCIIAddress(ascii) != ascii {
			t.Fatalf("%q becomes %q, and that %q", s, ascii, ASCIIAddress(ascii))
		}
		at := strings.LastIndexByte(ascii, '@') + 1
		readable := ReadableAddress(ascii)
		if again := ASCIIAddress(readable); again != ascii && again != ascii[:at]+strings.ToLower(ascii[at:]) {
			t.Fatalf("%q is shown as %q, which is %q", ascii, readable, again)
		}
	})
}

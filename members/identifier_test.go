package members

import "testing"

// TestPastedIdentifiers holds that what comes along when a name is pasted is no
// part of it: a tab, a line break, direction marks and zero-width characters.
func TestPastedIdentifiers(t *testing.T) {
	for _, around := range []string{"", "\t", " ", "\r\n", "\u00a0", "\u200b", "\u200e", "\u202a", "\u202c", "\ufeff", "\u2028"} {
		for _, name := range []string{"ann@example.org", "vvega", "ann smith"} {
			if got := CleanIdentifier(around + name + around); got != name {
				t.Errorf("%q is read as %q", around+name+around, got)
			}
		}
	}
	for _, name := range []string{"a\tnn@example.org", "a\u200bnn", ""} {
		if got := CleanIdentifier(name); got != name {
			t.Errorf("%q is read as %q", name, got)
		}
	}
}

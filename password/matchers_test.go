package password

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/ccojocar/zxcvbn-go/adjacency"
)

// TestNoTablesAtStart holds that a start doesn't pay for the tables of the
// strength estimate: the packages that build them in an init function are not
// linked.
func TestNoTablesAtStart(t *testing.T) {
	deps, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, slow := range []string{"zxcvbn-go/matching", "zxcvbn-go/frequency"} {
		if strings.Contains(string(deps), slow+"\n") {
			t.Errorf("%s is linked: it takes 60 ms of every start", slow)
		}
	}
}

func TestPatternsAreFound(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"xqwertyx", "spatial qwerty"},
		{"7896", "spatial 7896"},
		{"kAaAk", "repeat AaA"},
		{"1abcd1", "sequence abcd"},
		{"1DCBA1", "sequence DCBA"},
		{"x9876x", "sequence 9876"},
		{"ab2031", "year 2031"},
		{"on 24/12/1999!", "date 24/12/1999"},
		{"on 1999-12-24!", "date 1999-12-24"},
		{"24121999", "date 24121999"},
		{"991224", "date 991224"},
		{"1-2-88", "date 1-2-88"},
	} {
		var found []string
		for _, m := range patternMatches(c.in) {
			if m.Token != c.in[m.I:m.J+1] {
				t.Errorf("%q: %d to %d is not %q", c.in, m.I, m.J, m.Token)
			}
			if m.Entropy <= 0 && m.Pattern != "sequence" {
				t.Errorf("%q: %s %q has %v bits", c.in, m.Pattern, m.Token, m.Entropy)
			}
			found = append(found, m.Pattern+" "+m.Token)
		}
		if !strings.Contains(strings.Join(found, "\n"), c.want) {
			t.Errorf("%q: found %q, want %q", c.in, found, c.want)
		}
	}
}

func TestPatternsAreNotSeenEverywhere(t *testing.T) {
	for _, s := range []string{"", "a", "ab", "aZ", "za@", "9:;", "YZ[", "yz{", "a1b2"} {
		if found := append(sequenceMatches(s), repeatMatches(s)...); found != nil {
			t.Errorf("%q holds the %s %q", s, found[0].Pattern, found[0].Token)
		}
	}
	for _, s := range []string{"99/99/1999", "00-00-1999", "1813", "99/99/80"} {
		if found := dateMatches(s); found != nil {
			t.Errorf("%q holds the date %q", s, found[0].Token)
		}
	}
	if found := keyboardMatches("qzp", adjacency.GraphMap["qwerty"]); found != nil {
		t.Errorf("keys far apart are the run %q", found[0].Token)
	}
}

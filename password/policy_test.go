package password

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/reseed-project/reseed/fold"
)

var vega = Subject{
	Username: "vvega", Email: "vincent.vega@example.org", Firstname: "Vincent", Surname: "Vega",
	Context: []string{"PageSeeder", "acme-specs", "Acme Specifications"},
}

func newPolicy(t testing.TB, c PolicyConfig) *Policy {
	t.Helper()
	p, err := NewPolicy(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reasonOf returns why Check refuses, "identity", or nothing.
func reasonOf(t *testing.T, err error) Reason {
	t.Helper()
	var weak *TooWeakError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrIsIdentity) && !errors.Is(err, ErrTooWeak):
		return "identity"
	case errors.As(err, &weak) && errors.Is(err, ErrTooWeak) && !errors.Is(err, ErrIsIdentity):
		return weak.Reason
	default:
		t.Fatalf("unexpected error: %v", err)
		return ""
	}
}

// strong has as many characters as asked for, none of them easy to guess.
func strong(characters int) string {
	const s = "vK8#qZ2!mX6$wR4%tB9&yL3*pN7(hJ5)"
	return strings.Repeat(s, 4)[:characters]
}

// TestPolicyCheck holds lengths in code points, 8 to 99 (PWD-1), that there are
// no rules about kinds of characters (PWD-2), that 64 characters of any script
// are taken (PWD-4), and that common passwords and names are not (PWD-8).
func TestPolicyCheck(t *testing.T) {
	p := newPolicy(t, PolicyConfig{})
	for _, c := range []struct {
		password string
		want     Reason
	}{
		{"", TooShort},
		{strong(7), TooShort},
		{strong(8), ""},
		{strong(64), ""},
		{strong(99), ""},
		{strong(100), TooLong},
		{strings.Repeat("a", MaxBytes+1), TooLong},
		{strings.Repeat("\xff", MaxBytes+1), TooLong},
		{"жЯшфЩыЮ", TooShort},                // 7 letters, 14 bytes
		{"жЯшфЩыЮэ", ""},                     // 8 letters
		{"e\u0301e\u0301e\u0301e", TooShort}, // combining marks are characters of their own
		{"😀🐙🌵🚲🍋🎻🧲", TooShort},
		{"😀🐙🌵🚲🍋🎻🧲🪁", ""},
		{strings.Repeat("😀🐙🌵🚲🍋🎻🧲🪁🔑", 11), ""},
		{strings.Repeat("😀🐙🌵🚲🍋🎻🧲🪁🔑🐌", 10), TooLong},
		{strong(9) + "\xff", NotText},
		{strong(9) + "\xed\xa0\x80", NotText},
		{strong(9) + "\x00", ""},
		{"12345678", Common},
		{"password1", Common},
		{"PassWord1", Common},
		{"pa\u017f\u017fword1", ""}, // another word, not another spelling
		{"password1 ", Guessable},
		{"correct horse battery staple", ""}, // no rules about kinds of characters
		{"zxcvbnm,./", Guessable},
		{"P@$$w0rd2024", Guessable},
		{"éééééééé", Guessable},
		{"😀😀😀😀😀😀😀😀😀😀", Guessable},
		{"aXaXaXaXaXaX", Guessable},
		{"1987-06-05", Guessable},
		{"Vincent1987!", Guessable},
		{"V1nc3nt-1987", Guessable},
		{"acme-specs-2024", Guessable},
		{"PageSeeder2024!", Guessable},
		{"vvega", TooShort},
		{"vincent.vega@example.org", "identity"},
		{"VINCENT.vega@Example.ORG", "identity"},
		{"vincent.vega@example.org1", Guessable},
	} {
		err := p.Check(c.password, vega)
		if got := reasonOf(t, err); got != c.want {
			t.Errorf("Check(%q) = %q, want %q", c.password, got, c.want)
		}
		if err != nil && len(c.password) > 6 && strings.Contains(err.Error(), c.password) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestIdentityIsTheLastFault holds the order of contract 1.3: 1015, then 1016.
func TestIdentityIsTheLastFault(t *testing.T) {
	p := newPolicy(t, PolicyConfig{})
	for _, c := range []struct {
		name string
		want Reason
	}{
		{"jsmith", TooShort},
		{"password1", Common},
		{"aaaaaaaaaa", Guessable},
		{strong(100), TooLong},
		{strong(12), "identity"},
		{"Purple-Otter-42-Canyon", "identity"},
		{"purple-otter-42-\u017fanyon", "identity"},
	} {
		for _, who := range []Subject{{Username: c.name}, {Email: c.name}, {Username: c.name, Admin: true}} {
			if got := reasonOf(t, p.Check(c.name, who)); got != c.want {
				t.Errorf("Check(%q, %+v) = %q, want %q", c.name, who, got, c.want)
			}
		}
	}
	longS := Subject{Username: "purple-otter-42-\u017fanyon"}
	if got := reasonOf(t, p.Check("purple-otter-42-sanyon", longS)); got == "identity" {
		t.Error("a name is folded beyond A-Z")
	}
	if got := reasonOf(t, p.Check("", Subject{})); got != TooShort {
		t.Errorf("nobody's empty password is %q", got)
	}
}

func TestAdministratorsNeedStrong(t *testing.T) {
	p := newPolicy(t, PolicyConfig{})
	const medium = "opensesame99"
	if s := p.Strength(medium, Subject{}); s != Medium {
		t.Fatalf("Strength(%q) = %d, the test needs %d", medium, s, Medium)
	}
	if err := p.Check(medium, Subject{}); err != nil {
		t.Errorf("a member's medium password: %v", err)
	}
	var weak *TooWeakError
	err := p.Check(medium, Subject{Admin: true})
	if !errors.As(err, &weak) {
		t.Fatalf("an administrator's medium password: %v", err)
	}
	if diff := cmp.Diff(&TooWeakError{Reason: Guessable, Limit: int(Strong)}, weak); diff != "" {
		t.Error(diff)
	}
	if err := p.Check("purple-otter-42-canyon", Subject{Admin: true}); err != nil {
		t.Errorf("an administrator's strong password: %v", err)
	}
}

// TestPolicyIsConfigurable also shows that the limits told are those in force.
func TestPolicyIsConfigurable(t *testing.T) {
	p := newPolicy(t, PolicyConfig{Min: 6, Max: 20, Member: Strong})
	for password, want := range map[string]*TooWeakError{
		strong(5):      {Reason: TooShort, Limit: 6},
		strong(21):     {Reason: TooLong, Limit: 20},
		"opensesame99": {Reason: Guessable, Limit: int(Strong)},
	} {
		var got *TooWeakError
		errors.As(p.Check(password, Subject{}), &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", password, diff)
		}
	}
	if got, want := p.Config(), (PolicyConfig{Min: 6, Max: 20, Member: Strong, Admin: Strong}); got != want {
		t.Errorf("Config() = %+v, want %+v", got, want)
	}
	for _, c := range []PolicyConfig{
		{Min: -1}, {Min: 10, Max: 9}, {Max: MaxBytes + 1}, {Member: VeryStrong + 1}, {Admin: -1},
	} {
		if _, err := NewPolicy(c); err == nil {
			t.Errorf("NewPolicy(%+v) succeeded", c)
		}
	}
}

// Names of the member and of the site are words that are guessed first (PWD-8).
func TestStrengthCountsNamesAsGuessed(t *testing.T) {
	p := newPolicy(t, PolicyConfig{})
	const password = "Zbigniewska-Quxfoobar7"
	stranger := p.Strength(password, Subject{})
	for name, who := range map[string]Subject{
		"username":   {Username: "zbigniewska-quxfoobar"},
		"local part": {Email: "ZBIGNIEWSKA-quxfoobar@example.org"},
		"names":      {Firstname: "Quxfoobar", Surname: "Zbigniewska"},
		"context":    {Context: []string{"Quxfoobar", "zbigniewska"}},
	} {
		if s := p.Strength(password, who); s >= stranger || s > Weak {
			t.Errorf("%s: score %d, a stranger's %d", name, s, stranger)
		}
	}
	if s := p.Strength(strong(12), Subject{Username: "v", Firstname: "Q", Context: []string{"K8", "mX"}}); s != VeryStrong {
		t.Errorf("short names make a strong password score %d", s)
	}
}

func TestScoreSteps(t *testing.T) {
	for bits, want := range map[float64]Score{
		0: VeryWeak, 20.9: VeryWeak, 21: Weak, 27.5: Weak, 27.6: Medium,
		34.2: Medium, 34.3: Strong, 40.8: Strong, 40.9: VeryStrong, 500: VeryStrong,
	} {
		if got := scoreOf(bits); got != want {
			t.Errorf("scoreOf(%v) = %d, want %d", bits, got, want)
		}
	}
}

// TestStrengthIsBounded has what would keep a library busy for long: every sign
// that stands for a letter, and many short keyboard runs; and a long password that
// repeats nothing, of which no more than the start is scored. The best of some runs
// counts, since the machine may be busy with something else.
func TestStrengthIsBounded(t *testing.T) {
	p := newPolicy(t, PolicyConfig{})
	best := func(password string) time.Duration {
		best := time.Hour
		for range 3 {
			start := time.Now()
			p.Strength(password, vega)
			best = min(best, time.Since(start))
		}
		return best
	}
	for _, password := range adversarial() {
		if took := best(password); took > 3*time.Second { // 0.1 s, and 0.4 with the race detector
			t.Errorf("Strength of %d bytes took %v", len(password), took)
		}
	}
	var b strings.Builder
	for i := range MaxBytes / 4 {
		fmt.Fprintf(&b, "%c%03d", "pqwz"[i%4], i)
	}
	long := b.String()
	if full, start := best(long), best(long[:scored]); full > 50*start { // 500 times without the bound
		t.Errorf("Strength of %d bytes took %v, of its first %d %v", len(long), full, scored, start)
	}
}

func adversarial() []string {
	return []string{
		strings.Repeat("@4({[<3691!|7$5+7%208abc", 4) + "x",
		strings.Repeat("dfg1", 24) + "q",
		strings.Repeat("qwezxc123", 10) + "#",
		strings.Repeat("a", 98) + "b",
		strings.Repeat("😀", 98) + "b",
		strings.Repeat("@4({[<3691!|7$5+7%208abc", 40_000),
	}
}

// TestCommonList holds that the list has many times the 3000 entries of PWD-8,
// and that each is found.
func TestCommonList(t *testing.T) {
	list := unpackCommon()
	lines := strings.Split(strings.TrimSuffix(list, "\n"), "\n")
	if len(lines) < 10_000 {
		t.Fatalf("%d common passwords", len(lines))
	}
	for i, line := range lines {
		if i > 0 && lines[i-1] >= line {
			t.Fatalf("line %d is out of order", i+1)
		}
		if line == "" || line != fold.ASCII(line) || !utf8.ValidString(line) {
			t.Fatalf("line %d is empty or not folded", i+1)
		}
		if !hasLine(list, line) {
			t.Fatalf("line %d is not found", i+1)
		}
		if hasLine(list, line+"\n") || hasLine(list, "\n"+line) {
			t.Fatalf("line %d is found with its end", i+1)
		}
	}
	for _, other := range []string{"", "!", "\x00", "\xff", "zzzzzzzzzzzzzzzzzz", "passwordpasswor", "password1\npassword2", strong(10)} {
		if hasLine(list, other) {
			t.Errorf("%q is found", other)
		}
	}
}

func TestPolicyServesManyAtOnce(t *testing.T) {
	p := newPolicy(t, PolicyConfig{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := reasonOf(t, p.Check("password1", vega)); got != Common {
				t.Errorf("got %q", got)
			}
			if err := p.Check("qwer-tyui-Zqpw81", vega); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func FuzzStrength(f *testing.F) {
	for _, s := range adversarial()[:5] {
		f.Add(s, "vvega")
	}
	f.Add("İstanbul\u0130ſ1999", "İ")
	f.Add("\xff\x00\u2028", "\xff")
	p := newPolicy(f, PolicyConfig{})
	f.Fuzz(func(t *testing.T, password, name string) {
		s := p.Strength(password, Subject{Username: name, Email: name + "@x", Context: []string{password}})
		if s < VeryWeak || s > VeryStrong {
			t.Fatalf("score %d", s)
		}
		who := Subject{Username: name, Email: password}
		err := p.Check(password, who)
		if err == nil {
			t.Fatal("a password that is the email is accepted")
		}
	})
}

package members

import (
	netmail "net/mail"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/mail"
)

// Whatever is given for a name: what is accepted is text on one line within the
// contract's limits, means itself and nothing beside, and stays so when it is
// folded; a username is never an address (contract 1.6, PAR-2, PAR-5).
func FuzzIdentifier(f *testing.F) {
	for _, seed := range []string{
		"", "ann", "Bob.Builder@Example.ORG", "a@b.c,d@e.f", "Evil <a@b.c>", `"a b"@c.d`, "a@b.c(comment)", "a@[127.0.0.1]",
		"\u212ann@example.org", "m\u0131ke@example.org", "ann\r\nBcc: eve@example.org", "ann@example.org ", "a\x00b", "\xff", "\u202eann",
		"Ann@BÜCHER.example", "ann@xn--bcher-kva.example", "ann@stra\u1e9ee.example", "ann@\uff45xample.org", "ann@example\u3002org",
		"a@" + strings.Repeat("b.", 60) + "org", strings.Repeat("\u00e9", MaxIdentifier), strings.Repeat("x", MaxIdentifier+1),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if emailFault(s, false) == "" && s != "" {
			holdEmail(t, s)
		}
		if clean := CleanIdentifier(s); CleanIdentifier(clean) != clean {
			t.Errorf("%q becomes %q, and that %q", s, clean, CleanIdentifier(clean))
		}
		if usernameFault(s) == "" {
			holdUsername(t, s)
		}
		email, username := Validate(NewMember{Member: Member{Email: s, Status: Activated}}, false), Validate(NewMember{Member: Member{Username: s, Status: Activated}}, false)
		if (email == nil) != (s != "" && emailFault(s, false) == "") || (username == nil) != (s != "" && usernameFault(s) == "") {
			t.Errorf("%q: as an email %v, as a username %v", s, email, username)
		}
		for _, err := range []error{email, username} {
			if err != nil && len(s) > 8 && strings.Contains(err.Error(), s) {
				t.Errorf("the error repeats %q", s)
			}
		}
	})
}

// holdEmail wants an accepted address to be what a mail program reads it as,
// before and after folding.
func holdEmail(t *testing.T, s string) {
	t.Helper()
	for _, form := range []string{s, fold.ASCII(s)} {
		parsed, err := netmail.ParseAddress(form)
		if err != nil || parsed.Name != "" || parsed.Address != form {
			t.Errorf("%q is read as %v: %v", form, parsed, err)
		}
		if !mail.ValidAddress(form) || ASCIIAddress(form) != form || emailFault(form, false) != "" {
			t.Errorf("%q is not an address, but %q is", form, s)
		}
	}
	if len(s) > MaxIdentifier || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		t.Errorf("%q was accepted", s)
	}
	if strings.Count(s, "@") != 1 || strings.ContainsAny(s, "<>()[],;:\\\"") {
		t.Errorf("%q was accepted", s)
	}
	if usernameFault(s) == "" {
		t.Errorf("%q is a username, too", s)
	}
}

func holdUsername(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > MaxIdentifier || strings.ContainsAny(s, "@,\r\n\x00") || strings.ContainsFunc(s, unicode.IsControl) {
		t.Errorf("%q was accepted", s)
	}
	if folded := fold.ASCII(s); usernameFault(folded) != "" || fold.ASCII(folded) != folded || !strings.EqualFold(folded, s) {
		t.Errorf("%q becomes %q", s, folded)
	}
}

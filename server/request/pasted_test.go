package request

import "testing"

// TestLinksAsMailProgramsPassThem holds that a token is read without what mail
// programs and people leave around a link, in every parameter that carries one.
func TestLinksAsMailProgramsPassThem(t *testing.T) {
	const token = "7QXbeaZyCUst54uTB1lC1wXvO-vbKHrA"
	for _, name := range []string{"token", "key", "forgotPasswordToken"} {
		for _, end := range []string{"", ".", ",", ")", "%3E", ">", "/", "%20", "+", "%2520", "%E2%80%8B", "%0D%0A", "%09", "!", "%22", "*", "]"} {
			for _, before := range []string{"member=12&", "member=12&amp;", "amp;"} {
				p := Params{}
				if err := p.Add(before + name + "=" + token + end); err != nil || p.Get(name) != token {
					t.Errorf("%s%s=TOKEN%s: %q, %v", before, name, end, p.Get(name), err)
				}
			}
		}
	}
}

func TestPastedNamesInParameters(t *testing.T) {
	for _, name := range []string{"email", "member-username", "username"} {
		p := Params{}
		if err := p.Add(name + "=%09ann%40example.org%E2%80%8B%0A"); err != nil || p.Get(name) != "ann@example.org" {
			t.Errorf("%s: %q, %v", name, p.Get(name), err)
		}
		if err := (Params{}).Add(name + "=a%09nn"); err == nil {
			t.Errorf("%s with a tab within is accepted", name)
		}
	}
}

// TestJSONReadsAsTheOtherSideDoes holds that null is as good as absent and that
// a byte order mark is skipped.
func TestJSONReadsAsTheOtherSideDoes(t *testing.T) {
	p := Params{}
	err := p.addJSON([]byte("\ufeff{\"email\":null,\"member-username\":\"ann\"}"), 10)
	if err != nil || p.Get("email") != "" || p.Get("member-username") != "ann" {
		t.Errorf("%v, %v", p, err)
	}
}

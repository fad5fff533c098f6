package members

import (
	"strings"
	"testing"

	"github.com/reseed-project/reseed/password"
)

func valid(change func(*NewMember)) NewMember {
	m := NewMember{Member: Member{
		Username: "vvega", Email: "vvega@example.org", Firstname: "Vincent", Surname: "Vega", Status: Activated,
	}}
	change(&m)
	return m
}

func TestValidateAccepts(t *testing.T) {
	for name, change := range map[string]func(*NewMember){
		"as it is":          func(*NewMember) {},
		"no email":          func(m *NewMember) { m.Email = "" },
		"no username":       func(m *NewMember) { m.Username = "" },
		"no names":          func(m *NewMember) { m.Firstname, m.Surname = "", "" },
		"longest names":     func(m *NewMember) { m.Firstname, m.Surname = strings.Repeat("é", 50), strings.Repeat("é", 50) },
		"longest username":  func(m *NewMember) { m.Username = strings.Repeat("é", 99) },
		"space in username": func(m *NewMember) { m.Username = "vincent vega" },
		"language":          func(m *NewMember) { m.Language = "pt-BR" },
		"other status":      func(m *NewMember) { m.Status = SetPassword },
	} {
		if err := Validate(valid(change), false); err != nil {
			t.Errorf("%s: Validate() = %v", name, err)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*NewMember)
	}{
		{"username and email", func(m *NewMember) { m.Username, m.Email = "", "" }},
		{"firstname", func(m *NewMember) { m.Firstname = strings.Repeat("a", 51) }},
		{"firstname", func(m *NewMember) { m.Firstname = "a\xff" }},
		{"surname", func(m *NewMember) { m.Surname = strings.Repeat("a", 51) }},
		{"surname", func(m *NewMember) { m.Surname = "Vega\r\nBcc: x@example.org" }},
		{"surname", func(m *NewMember) { m.Surname = "Vega\u202e" }},
		{"surname", func(m *NewMember) { m.Surname = "Vega\u2028" }},
		{"username", func(m *NewMember) { m.Username = strings.Repeat("a", 100) }},
		{"username", func(m *NewMember) { m.Username = "a@b" }},
		{"username", func(m *NewMember) { m.Username = "a,b" }},
		{"username", func(m *NewMember) { m.Username = "a\x00" }},
		{"username", func(m *NewMember) { m.Username = " vvega" }},
		{"email", func(m *NewMember) { m.Email = strings.Repeat("a", 60) + "@" + strings.Repeat("b", 35) + ".org" }},
		{"email", func(m *NewMember) { m.Email = "nobody" }},
		{"email has letters beyond ASCII", func(m *NewMember) { m.Email = "jürgen@example.org" }},
		{"email", func(m *NewMember) { m.Email = "Evil <a@example.org>" }},
		{"status", func(m *NewMember) { m.Status = "" }},
		{"status", func(m *NewMember) { m.Status = "Activated" }},
		{"language", func(m *NewMember) { m.Language = "english language" }},
		{"language", func(m *NewMember) { m.Language = "../en" }},
		{"language", func(m *NewMember) { m.Language = "en" + strings.Repeat("-abc", 9) }},
		{"password_hash", func(m *NewMember) { m.Password = "secret" }},
	} {
		m := valid(c.change)
		err := Validate(m, false)
		if err == nil || !strings.HasPrefix(err.Error(), c.field+" ") {
			t.Errorf("Validate(%+v) = %v, want a fault of %s", m, err, c.field)
		}
	}
}

func TestValidateReportsAllFaults(t *testing.T) {
	err := Validate(NewMember{Member: Member{Status: "x", Language: "!", Password: password.Hash("canary-hash")}}, false)
	if err == nil {
		t.Fatal("Validate() = nil")
	}
	for _, want := range []string{"username and email", "status", "language", "password_hash"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("%q holds the hash", err)
	}
}

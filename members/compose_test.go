package members

import (
	"bytes"
	"errors"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// The longest names that a member may have, in any alphabet, are no reason to
// give up a mail.
func TestLongestNamesAreMailed(t *testing.T) {
	for _, letter := range []string{"a", "Ж", "ก", "😀", `"`} {
		name := strings.Repeat(letter, MaxName)
		m := NewMember{Member: Member{Email: "ann@example.org", Firstname: name, Surname: name, Status: Activated}}
		if err := Validate(m, false); err != nil {
			t.Errorf("%s: %v", letter, err)
		}
		message := mail.Message{
			Date: time.Now(), Domain: "example.org", Text: "x",
			From: netmail.Address{Address: "pageseeder@example.org"},
			To:   netmail.Address{Name: m.Fullname(), Address: m.Email},
		}
		raw, err := message.Bytes()
		if err != nil {
			t.Errorf("%s: %v", letter, err)
			continue
		}
		read, err := netmail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		to, err := read.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Name != name+" "+name {
			t.Errorf("%s reads back as %v: %v", letter, to, err)
		}
	}
}

// What an order leads to is decided when its mail is about to be sent: since it
// was placed, the token may have been spent and the member have gone.
func TestUndeliverable(t *testing.T) {
	s := NewService(Config{})
	for name, c := range map[string]struct {
		change func(*MailInput)
		state  mail.State // "": it is mailed
	}{
		"in order":                   {func(*MailInput) {}, ""},
		"for nobody":                 {func(d *MailInput) { d.Order.Addressed = false }, mail.Dropped},
		"the member is gone":         {func(d *MailInput) { d.Member = Member{} }, mail.Dropped},
		"the address is gone":        {func(d *MailInput) { d.Member.Email = "" }, mail.Dropped},
		"spent or voided":            {func(d *MailInput) { d.Used = true }, mail.Dropped},
		"over the limit":             {func(d *MailInput) { d.OverLimit = true }, mail.Dropped},
		"an administrator's":         {func(d *MailInput) { d.Order.Reason, d.OverLimit = "admin", true }, ""},
		"a notice":                   {func(d *MailInput) { d.Order.Purpose, d.Order.Reason, d.OverLimit = password.None, "", true }, ""},
		"a header in the address":    {func(d *MailInput) { d.Member.Email = "ann@example.org\r\nBcc: eve@example.org" }, mail.Dead},
		"a list in the address":      {func(d *MailInput) { d.Member.Email = "ann@example.org,eve@example.org" }, mail.Dead},
		"a parameter in the address": {func(d *MailInput) { d.Member.Email = "ann@example.org> SIZE=1" }, mail.Dead},
	} {
		d := MailInput{
			Order:  Order{MemberID: 3, Addressed: true, Purpose: password.Reset, Reason: "member"},
			Member: Member{ID: 3, Email: "ann@example.org"},
		}
		c.change(&d)
		var state mail.State
		if none := (*mail.Undeliverable)(nil); errors.As(s.undeliverable(d), &none) {
			state = none.State
		}
		if state != c.state {
			t.Errorf("%s: %q, want %q", name, state, c.state)
		}
	}
}

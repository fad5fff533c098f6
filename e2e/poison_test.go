package e2e

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/cli"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

// Rows that were put into the database with something in them that could start
// a header, a recipient or a command are given up when they are to be sent: no
// word of them reaches the mail server, they are not tried again, and the mails
// beside them go out (MAI-1, MAI-2).
func TestPoisonedRowsAreAbandoned(t *testing.T) {
	t.Setenv("RESEED_MAILS_PER_HOUR", "100")
	onBoth(t, func(t *testing.T, dsn string) {
		mta := startMTA(t)
		site := startSMTPSite(t, dsn, mta)
		db := site.open(t)
		poison := []struct{ column, value string }{
			{"email", "carl@example.org\r\nBcc: eve@example.net"},
			{"email", "carl@example.org, eve@example.net"},
			{"email", "<carl@example.org> NOTIFY=NEVER"},
			{"email", "carl@example.org\x00"},
			{"firstname", "Carl\r\nBcc: eve@example.net"},
			{"surname", "Cook\nX-Evil: yes"},
			{"surname", "Cook\u202e"},
		}
		for i, p := range poison {
			for _, q := range []struct {
				query string
				args  []any
			}{
				{"UPDATE members SET email = 'carl@example.org', firstname = 'Carl', surname = 'Cook' WHERE id = ?", []any{site.ids["carl"]}},
				{"UPDATE members SET " + p.column + " = ? WHERE id = ?", []any{p.value, site.ids["carl"]}},
			} {
				if _, err := db.ExecContext(t.Context(), q.query, q.args...); err != nil {
					t.Fatal(err)
				}
			}
			// Of each two, the poisoned one is the older.
			site.ask(t, "member-username=carl")
			site.ask(t, "member-username=ann")
			site.sendAll(t)
			if m := mta.next(t); m.to != "ann@example.org" || bytes.Contains(m.data, []byte("eve@")) {
				t.Errorf("%s %q: to %q:\n%s", p.column, p.value, m.to, m.data)
			}
			if n := len(mta.mails); n != 0 {
				t.Fatalf("%s %q: %d mails more", p.column, p.value, n)
			}
			dead := site.mails(t, mail.Dead)
			if len(dead) != i+1 || dead[0].Outcome == "" || dead[0].Attempts != 1 || strings.Contains(dead[0].Outcome, "eve") {
				t.Errorf("%s %q: %d dead, the last one %+v", p.column, p.value, len(dead), dead[0])
			}
		}
		if left := site.waiting(t); len(left) != 0 {
			t.Errorf("%d mails are tried again", len(left))
		}
	})
}

// ask sends a request for a mail to the site's handler.
func (s *testSite) ask(t *testing.T, form string) {
	t.Helper()
	if w := s.send(t, [3]string{"POST", "/members/resetpassword", form}, anybody); w.Code != 200 {
		t.Fatalf("%s: %d %s", form, w.Code, w.Body)
	}
}

// sendAll makes one attempt for every order that waits, the oldest first.
func (s *testSite) sendAll(t *testing.T) {
	t.Helper()
	pending := s.waiting(t)
	for i := range pending {
		_ = s.Worker.Deliver(t.Context(), pending[len(pending)-1-i].ID) // how it went shows in the queue
	}
}

func (s *testSite) mails(t *testing.T, state mail.State) []members.OrderStatus {
	t.Helper()
	list, err := s.Store.Mails(t.Context(), members.MailFilter{State: state})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Dead letters are listed, shown and counted with their reason, and go out when
// a command has put them back and the reason is gone (MAI-20).
func TestDeadLettersComeBackByCommand(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		mta := startMTA(t)
		site := startSMTPSite(t, dsn, mta)
		db := site.open(t)
		rename := func(email string) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), "UPDATE members SET email = ? WHERE id = ?", email, site.ids["carl"]); err != nil {
				t.Fatal(err)
			}
		}
		rename("no address")
		for range 3 {
			site.ask(t, "member-username=carl")
		}
		site.sendAll(t)
		dead := site.mails(t, mail.Dead)
		if len(dead) != 3 {
			t.Fatalf("%d dead letters, want 3", len(dead))
		}
		if list := site.command(t, "mail", "list", "--state", "dead"); strings.Count(list, "\tdead\treset-password-confirm\t") != 3 || strings.Count(list, "the member's address is not an address") != 3 {
			t.Errorf("mail list:\n%s", list)
		}
		if count := site.command(t, "mail", "count"); !strings.Contains(count, "dead\t3\n") || !strings.Contains(count, "pending\t0\n") {
			t.Errorf("mail count:\n%s", count)
		}
		id := dead[0].ID.String()
		if show := site.command(t, "mail", "show", id); !strings.Contains(show, "state\tdead\n") || !strings.Contains(show, "attempts\t1\n") {
			t.Errorf("mail show:\n%s", show)
		}
		rename("carl@example.org")
		if out := site.command(t, "mail", "retry", id); out != id+"\n" {
			t.Errorf("mail retry prints %q", out)
		}
		if out := site.command(t, "mail", "retry", "--all"); strings.Count(out, "\n") != 2 || strings.Contains(out, id) {
			t.Errorf("mail retry --all prints %q", out)
		}
		if count := site.command(t, "mail", "count"); !strings.Contains(count, "dead\t0\n") || !strings.Contains(count, "pending\t3\n") {
			t.Errorf("mail count after the retry:\n%s", count)
		}
		site.sendAll(t)
		for range 3 {
			if m := mta.next(t); m.to != "carl@example.org" {
				t.Errorf("a mail to %q", m.to)
			}
		}
		if n := len(site.mails(t, mail.Sent)); n != 3 {
			t.Errorf("%d mails are sent", n)
		}
	})
}

// command runs a command of the program on the site's data and returns what it prints.
func (s *testSite) command(t *testing.T, args ...string) string {
	t.Helper()
	settings := []string{"--data", s.Config.Data, "--key-file", s.Config.KeyFile}
	t.Setenv("RESEED_DATABASE", s.Config.Database.Reveal())
	var out, errs bytes.Buffer
	if code := cli.Run(t.Context(), append(args, settings...), &cli.Console{In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now}); code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
	}
	return out.String()
}

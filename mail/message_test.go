package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testID(t testing.TB, n byte) ID {
	t.Helper()
	id, err := NewID(time.Date(2026, 11, 22, 10, 15, 0, 123e6, time.UTC), bytes.NewReader(bytes.Repeat([]byte{n}, 10)))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func testMessage(t testing.TB) *Message {
	return &Message{
		ID:      testID(t, 1),
		Date:    time.Date(2026, 11, 22, 21, 15, 0, 0, time.FixedZone("", 11*3600)),
		From:    netmail.Address{Name: "PageSeeder (DO NOT REPLY)", Address: "pageseeder@example.org"},
		To:      netmail.Address{Address: "jjones@example.org"},
		Subject: "Update your password",
		Text:    "Hello Zoë\n.\nhttps://example.org/ps/email/changepassword?member=12&token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2\n",
		HTML:    "<p>Hello Zoë</p>\n" + strings.Repeat("x", 3000),
		Domain:  "example.org",
	}
}

// TestMessageBytes holds the header fields and their order (MAI-8).
func TestMessageBytes(t *testing.T) {
	m := testMessage(t)
	m.Text, m.HTML = "Hello Zoë\n", "<p>Hello</p>"
	got, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`Date: Sun, 22 Nov 2026 10:15:00 +0000
From: "PageSeeder (DO NOT REPLY)" <pageseeder@example.org>
To: jjones@example.org
Subject: Update your password
Message-ID: <{ID}@example.org>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_{ID}"

--=_{ID}
Content-Transfer-Encoding: base64
Content-Type: text/plain; charset=UTF-8

SGVsbG8gWm/Dqw0K

--=_{ID}
Content-Transfer-Encoding: 7bit
Content-Type: text/html; charset=UTF-8

<p>Hello</p>
--=_{ID}--
`, "\n", "\r\n")
	want = strings.ReplaceAll(want, "{ID}", m.ID.String())
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// Whoever opens or searches the file of a captured mail finds its link whole:
// a text is quoted only if it could not be mailed as it is.
func TestLinksAreWholeInTheMessage(t *testing.T) {
	const link = "https://example.org/ps/email/changepassword?member=12&token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2"
	for name, c := range map[string]struct {
		text, html string
		whole      int // of the two links
	}{
		"both":            {link, "<a href=\"" + link + "\">", 2},
		"text alone":      {link + "\n-- \n.\nFrom me\n", "", 1},
		"HTML alone":      {"", link, 1},
		"not ASCII":       {"Zoë " + link, link, 1},
		"longest line":    {link, link + strings.Repeat("x", 998-len(link)), 2},
		"line too long":   {link, link + strings.Repeat("x", 999-len(link)), 1},
		"a boundary":      {link, "--=_\n" + link, 1},
		"control":         {link, link + "\x07", 1},
		"tab and all":     {"\t !~\r\n" + link, link, 2},
		"library's quote": {"a=3D" + link, link, 2},
	} {
		m := testMessage(t)
		m.Text, m.HTML = c.text, c.html
		raw, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		checkMessage(t, m, raw)
		_, bodies := parts(t, raw)
		for kind, want := range map[string]string{"text/plain": c.text, "text/html": c.html} {
			if got := bodies[kind]; strings.ReplaceAll(got, "\r\n", "\n") != strings.ReplaceAll(want, "\r\n", "\n") {
				t.Errorf("%s: %s is read as %q", name, kind, got)
			}
		}
		if got := strings.Count(string(raw), link); got != c.whole {
			t.Errorf("%s: %d whole links, want %d\n%s", name, got, c.whole, raw)
		}
	}
}

// Sent again, a mail is the same bytes with the same Message-ID (MAI-8, MAI-11).
func TestMessageIsDeterministic(t *testing.T) {
	m := testMessage(t)
	first, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		again := *m
		again.Date = m.Date.UTC()
		got, err := again.Bytes()
		if err != nil || !bytes.Equal(first, got) {
			t.Fatalf("bytes differ (%v):\n%s\n%s", err, first, got)
		}
	}
	other := *m
	other.ID = testID(t, 2)
	if got, _ := other.Bytes(); bytes.Equal(first, got) {
		t.Error("another order gives the same bytes")
	}
}

// parts returns the decoded bodies by media type.
func parts(t testing.TB, raw []byte) (netmail.Header, map[string]string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(map[string]string)
	if !strings.HasPrefix(kind, "multipart/") {
		b, err := io.ReadAll(decoded(m.Header.Get("Content-Transfer-Encoding"), m.Body))
		if err != nil {
			t.Fatal(err)
		}
		bodies[kind] = string(b)
		return m.Header, bodies
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m.Header, bodies
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		b, err := io.ReadAll(decoded(p.Header.Get("Content-Transfer-Encoding"), p))
		if err != nil {
			t.Fatal(err)
		}
		bodies[kind] += string(b)
	}
}

func TestMessageParts(t *testing.T) {
	m := testMessage(t)
	raw, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	_, got := parts(t, raw)
	want := map[string]string{
		"text/plain": strings.ReplaceAll(m.Text, "\n", "\r\n"),
		"text/html":  strings.ReplaceAll(m.HTML, "\n", "\r\n"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	m.HTML = ""
	raw, err = m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	delete(want, "text/html")
	if _, got := parts(t, raw); !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
}

// What could start a header, a recipient or a command is refused (MAI-1, MAI-2).
func TestMessageRefusesPoison(t *testing.T) {
	tests := map[string]func(*Message){
		"recipient CRLF":     func(m *Message) { m.To.Address = "a@example.org\r\nBcc: b@example.org" },
		"recipient list":     func(m *Message) { m.To.Address = "a@example.org,b@example.org" },
		"recipient empty":    func(m *Message) { m.To.Address = "" },
		"recipient bracket":  func(m *Message) { m.To.Address = "a@example.org> BODY=8BITMIME" },
		"recipient NUL":      func(m *Message) { m.To.Address = "a\x00@example.org" },
		"recipient name":     func(m *Message) { m.To.Name = "A\nBcc: b@example.org" },
		"sender LF":          func(m *Message) { m.From.Address = "a@example.org\nX: y" },
		"sender name CR":     func(m *Message) { m.From.Name = "A\rX: y" },
		"reply CRLF":         func(m *Message) { m.ReplyTo.Address = "a@example.org\r\n" },
		"subject LF":         func(m *Message) { m.Subject = "a\nBcc: b@example.org" },
		"subject NUL":        func(m *Message) { m.Subject = "a\x00" },
		"subject separator":  func(m *Message) { m.Subject = "a\u2028b" },
		"subject reversed":   func(m *Message) { m.Subject = "a\u202eb" },
		"subject not UTF-8":  func(m *Message) { m.Subject = "a\xff" },
		"subject too long":   func(m *Message) { m.Subject = strings.Repeat("a", 901) },
		"domain":             func(m *Message) { m.Domain = "example.org>\r\nX: y" },
		"domain empty":       func(m *Message) { m.Domain = "" },
		"nothing to say":     func(m *Message) { m.Text, m.HTML = "", "" },
		"too much to say":    func(m *Message) { m.Text = strings.Repeat("a", maxBody+1) },
		"date of the future": func(m *Message) { m.Date = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) },
	}
	for name, poison := range tests {
		t.Run(name, func(t *testing.T) {
			m := testMessage(t)
			poison(m)
			raw, err := m.Bytes()
			var e *Error
			if !errors.As(err, &e) || e.Class != Permanent || e.Stage != StageMessage || raw != nil {
				t.Fatalf("got %q, %v", raw, err)
			}
		})
	}
}

// Any text reads back the same from headers of short ASCII lines (MAI-8).
// decoded takes a transfer encoding off.
func decoded(encoding string, r io.Reader) io.Reader {
	if encoding == "base64" {
		return base64.NewDecoder(base64.StdEncoding, r)
	}
	return r
}

// The link stands whole in both decoded parts for names in any script, and no
// line is too long for a mail server (the issue: quoted-printable cut it in two).
func TestLinkIsWholeForNamesInEightScripts(t *testing.T) {
	const link = "https://example.org/ps/email/changepassword?member=12&token=ujHidAn9kKjObQuVbl_vLMc9npOjAKj2"
	for _, name := range []string{
		"Zoë", "Müller", "Łukasz", "İpek", "José", "Ελένη", "Γιώργος", "Наталья", "Жанна", "Ђорђе", "王小明", "李",
		"さくら", "タロウ", "김민수", "יעל", "דוד", "محمد", "فاطمة", "สมชาย",
	} {
		m := testMessage(t)
		m.To.Name, m.Subject = name, "For "+name
		m.Text = "Hello " + name + ",\r\n\r\n" + link + "\r\n" + strings.Repeat(name, 600)
		m.HTML = "<p>Hello " + name + "</p><a href=\"" + link + "\">" + strings.Repeat(name, 600) + "</a>"
		raw, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		_, bodies := parts(t, raw)
		for kind, body := range bodies {
			if !strings.Contains(body, link) || !strings.Contains(body, name) {
				t.Errorf("%s: no whole link in %s", name, kind)
			}
		}
		for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
			if len(line) > 998 {
				t.Errorf("%s: a line of %d bytes", name, len(line))
			}
		}
		if bytes.Contains(raw, []byte("quoted-printable")) {
			t.Errorf("%s: quoted-printable", name)
		}
	}
}

func TestHeaderEncoding(t *testing.T) {
	tests := []struct{ name, subject string }{
		{"Zoë Müller", "Réinitialiser votre mot de passe"},
		{`A "quoted" \ name`, `plain (text), "quoted"`},
		{"Jones, John", "  spaces at both ends  "},
		{"two  spaces", "two  spaces within"},
		{"=?utf-8?q?Evil?=", "=?utf-8?q?Evil?= subject"},
		{strings.Repeat("密码", 30), strings.Repeat("密码 ", 100)},
		{strings.Repeat("long name ", 19) + "end", strings.Repeat("a long subject ", 50) + "end"},
		{"x", strings.Repeat("x", 900)},
		{"👩‍👩‍👧 family", "a_b=c?d 👩‍👩‍👧"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := testMessage(t)
			m.From.Name, m.To.Name, m.Subject = test.name, test.name, test.subject
			m.ReplyTo = netmail.Address{Name: test.name, Address: "help@example.org"}
			raw, err := m.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			checkMessage(t, m, raw)
		})
	}
}

// checkMessage holds the bytes against the message: the header fields are those
// intended and no others, each reads back the same, lines are bounded, ASCII,
// ended by CRLF.
func checkMessage(t *testing.T, m *Message, raw []byte) {
	t.Helper()
	header, bodies := parts(t, raw)
	names := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "To"}
	if m.ReplyTo.Address != "" {
		names = append(names, "Reply-To")
	}
	if m.Subject != "" {
		names = append(names, "Subject")
	}
	if m.Text == "" || m.HTML == "" {
		names = append(names, "Content-Transfer-Encoding")
	}
	slices.Sort(names)
	var got []string
	for name, values := range header {
		for range values {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("header fields: %s\n%s", diff, raw)
	}
	for name, want := range map[string]netmail.Address{"From": m.From, "To": m.To, "Reply-To": m.ReplyTo} {
		if want.Address == "" {
			continue
		}
		list, err := header.AddressList(name)
		if err != nil || len(list) != 1 || *list[0] != want {
			t.Errorf("%s: got %v, %v, want %v", name, list, err, want)
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil || subject != m.Subject {
		t.Errorf("subject: got %q, %v, want %q", subject, err, m.Subject)
	}
	if len(bodies) == 0 {
		t.Error("no body")
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") || !needsUTF8(m.To.Address) && needsUTF8(string(line)) {
			t.Errorf("line %q", line)
		}
	}
}

func TestValidAddress(t *testing.T) {
	good := []string{
		"a@b.co", "jjones@example.org", "first.last+tag@sub.example.org", "o'hara@example.org",
		"!#$%&'*+-/=?^_`{|}~@example.org", "a@xn--bcher-kva.example", "a@1.example", "a@b-c.de",
		strings.Repeat("a", 64) + "@example.org", "A@EXAMPLE.ORG",
		"a@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 33), // 99 bytes
	}
	bad := []string{
		"", "a", "@", "a@", "@b.co", "a@b", "a@b.", "a@.b", "a@b..c", "a@-b.co", "a@b-.co", "a@b_c.co",
		".a@b.co", "a.@b.co", "a..b@b.co", "a b@c.de", `"a b"@c.de`, `"a"@c.de`, "a@[127.0.0.1]", "a@127.0.0.1",
		"Evil <a@b.co>", "<a@b.co>", "a@b.co(comment)", "(c)a@b.co", "a@b.co,c@d.de", "a@b.co;c@d.de", "a@b@c.de",
		"a@b.co\r\n", "a\n@b.co", "a\x00@b.co", "a@b.co\x00", " a@b.co", "a@b.co ", "a\t@b.co", "mıke@example.org",
		"a@exämple.org", "a@b.co\u200b", "a\xff@b.co", strings.Repeat("a", 65) + "@example.org",
		"a@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 34), // 100 bytes
		"a@" + strings.Repeat("b", 64) + ".co", "a@b.co\\", `a\@b.co`, "a,b@c.de", "a:b@c.de",
	}
	for _, s := range good {
		if !ValidAddress(s) {
			t.Errorf("ValidAddress(%q) = false", s)
		}
	}
	for _, s := range bad {
		if ValidAddress(s) {
			t.Errorf("ValidAddress(%q) = true", s)
		}
	}
}

func TestSenderMayBeOnOneLabel(t *testing.T) {
	m := testMessage(t)
	m.From.Address, m.Domain = "pageseeder@localhost", "localhost"
	if _, err := m.Bytes(); err != nil {
		t.Error(err)
	}
}

// Whatever its values, a message is refused or has the intended header fields
// and one recipient (MAI-1, MAI-16).
func FuzzMessage(f *testing.F) {
	f.Add("a@example.org", "Name", "Subject", "text", "<p>html</p>", "example.org")
	f.Add("a@example.org\r\nBcc: b@example.org", "N\r\nX: y", "S\nBcc: c@example.org", "\r\n.\r\n", "--=_", "d>\r\n")
	f.Add("a@b.co", `"\`, "=?utf-8?q?=0D=0A?=", "\x00\xff", "", "localhost")
	f.Add("a@b.co", "", strings.Repeat("é ", 300), "", "=\r\n--\r\n", "localhost")
	f.Fuzz(func(t *testing.T, to, name, subject, text, html, domain string) {
		m := testMessage(t)
		m.To = netmail.Address{Name: name, Address: to}
		m.From.Name = name
		m.Subject, m.Text, m.HTML, m.Domain = subject, text, html, domain
		raw, err := m.Bytes()
		if err != nil {
			return
		}
		checkMessage(t, m, raw)
		e, err := (&SMTP{}).seal(m)
		if err != nil || e.to != to || strings.ContainsAny(e.to+e.from, " <>\r\n\x00") {
			t.Errorf("envelope %q, %v", e.to, err)
		}
	})
}

// An address that counts as valid gets through to header and envelope as it is,
// alone, and one that doesn't makes no message.
func FuzzValidAddress(f *testing.F) {
	for _, seed := range []string{
		"jjones@example.org", "o'hara+tag@sub.example.org", "a@xn--bcher-kva.example", "A@EXAMPLE.ORG", "!#$%&'*+-/=?^_`{|}~@example.org",
		"", "@", "a@b", "a@b..co", "a b@c.de", `"a b"@c.de`, "a@[127.0.0.1]", "a@127.0.0.1", "Evil <a@b.co>", "a@b.co(comment)", "a@b.co,c@d.de",
		"a@b.co\r\nBcc: c@d.de", "a@b.co> SIZE=1", "a\x00@b.co", "mıke@example.org", "a@exämple.org", "a\xff@b.co", strings.Repeat("a", 65) + "@example.org",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		m := testMessage(t)
		m.To = netmail.Address{Name: "Ann", Address: address}
		raw, err := m.Bytes()
		if valid := ValidUTF8Address(address); valid != (err == nil) || ValidAddress(address) && !valid {
			t.Fatalf("ValidUTF8Address(%q) = %v, message: %v", address, valid, err)
		}
		if err != nil {
			return
		}
		read, err := netmail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		to, err := read.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != address || to[0].Name != "Ann" {
			t.Errorf("%q reads back as %v, %v", address, to, err)
		}
	})
}

func BenchmarkMessageBytes(b *testing.B) {
	m := testMessage(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}

package members

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/templates"
)

// Whatever a member's name is written in, the link stands whole in both parts.
func TestLinkIsWholeForNamesOfEightScripts(t *testing.T) {
	library, err := templates.NewLibrary(nil, templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"Ann", "Zoë", "O'Brien", "Łukasz", "Jürgen Groß", "Владимир", "Наталія", "Ελένη", "Γιώργος", "דוד", "שרה כהן", "محمد", "فاطمة الزهراء",
		"नरेंद्र", "प्रिया", "王小明", "山田太郎", "김민수", "สมชาย", "😀 Smile",
	} {
		for _, language := range []string{"", "de", "fr", "es"} {
			n := templates.SampleNotification(templates.ResetPasswordConfirm, templates.ReasonMember, "acme")
			n.Member.Firstname, n.Member.Fullname, n.Language = name, name, language
			r, err := library.Render(t.Context(), []string{"acme"}, n)
			if err != nil {
				t.Fatal(err)
			}
			m := mail.Message{
				Date: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Domain: "example.org", Subject: r.Subject, Text: r.Text, HTML: r.HTML,
				From: netmail.Address{Name: r.Settings.FromName, Address: "pageseeder@example.org"},
				To:   netmail.Address{Name: name, Address: "ann@example.org"},
			}
			raw, err := m.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			parts := decodedParts(t, raw)
			if len(parts) != 2 || !strings.Contains(parts[0], n.Link) || !strings.Contains(parts[1], `href="`+strings.ReplaceAll(n.Link, "&", "&amp;")+`"`) ||
				!strings.Contains(parts[0], name) {
				t.Errorf("%s in %q: %q", name, language, parts)
			}
		}
	}
}

// decodedParts reads a mail as its readers do, and refuses lines over 998 bytes.
func decodedParts(t *testing.T, raw []byte) []string {
	t.Helper()
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	read, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(read.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for mr := multipart.NewReader(read.Body, params["boundary"]); ; {
		p, err := mr.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = p
		switch p.Header.Get("Content-Transfer-Encoding") {
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, p)
		case "quoted-printable":
			body = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(b))
	}
}

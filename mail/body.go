package mail

import (
	"bytes"
	"encoding/base64"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
)

// content returns the MIME body and the header fields that describe it: a text,
// or plain text and HTML as alternatives (RFC 2046 5.1.4).
func (m *Message) content() (textproto.MIMEHeader, []byte, error) {
	var parts []part
	if m.Text != "" {
		parts = append(parts, newPart("text/plain; charset=UTF-8", m.Text))
	}
	if m.HTML != "" {
		parts = append(parts, newPart("text/html; charset=UTF-8", m.HTML))
	}
	if len(parts) == 1 {
		return parts[0].header, parts[0].body, nil
	}
	boundary := "=_" + m.ID.String() // a mail that is sent again must be the same bytes
	body, err := alternatives(parts, boundary)
	head := textproto.MIMEHeader{"Content-Type": {`multipart/alternative; boundary="` + boundary + `"`}}
	return head, body, err
}

// part is a text as it is mailed.
type part struct {
	header textproto.MIMEHeader
	body   []byte
}

// newPart gives ASCII as it is, and the rest in base64. Quoted-printable would cut
// links in two, and several clients show or copy the broken half. And not 8bit,
// even to a server that offers 8BITMIME: one further on may not, and recodes the
// text, into quoted-printable mostly, which breaks the signature and the links.
// Texts of a few KB don't gain by a third less.
func newPart(mediaType, text string) part {
	body, encoding := crlf(text), "7bit"
	if !sevenBit(body) {
		body, encoding = inBase64(body), "base64"
	}
	return part{textproto.MIMEHeader{"Content-Type": {mediaType}, "Content-Transfer-Encoding": {encoding}}, body}
}

// crlf makes all ends of lines those of mail.
func crlf(text string) []byte {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	return []byte(strings.ReplaceAll(text, "\n", "\r\n"))
}

// alternatives puts the parts between that boundary.
func alternatives(parts []part, boundary string) ([]byte, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		return nil, err
	}
	for _, p := range parts {
		to, err := w.CreatePart(p.header)
		if err != nil {
			return nil, err
		}
		if _, err := to.Write(p.body); err != nil {
			return nil, err
		}
	}
	err := w.Close() // before the bytes are taken
	return b.Bytes(), err
}

// base64Line is how long lines of base64 may be (RFC 2045 6.8).
const base64Line = 76

func inBase64(text []byte) []byte {
	var b bytes.Buffer
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(text)), base64Line) {
		b.Write(line)
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// maxLine is the longest line that mail servers must take, in bytes (RFC 5322 2.1.1).
const maxLine = 998

// sevenBit reports whether a text can be mailed as it is (RFC 2045 2.7): ASCII,
// in lines of bounded length, without control characters. A line that looks
// like a boundary of ours needs quoting.
func sevenBit(text []byte) bool {
	for line := range bytes.SplitSeq(text, []byte("\r\n")) {
		if len(line) > maxLine || bytes.HasPrefix(line, []byte("--=_")) {
			return false
		}
		for _, c := range line {
			if c < ' ' && c != '\t' || c > '~' {
				return false
			}
		}
	}
	return true
}

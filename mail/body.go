package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"slices"
	"time"

	"github.com/jordan-wright/email"
)

// content has the library build the MIME body and returns it with the header
// fields that describe it. What the library does that we replace:
//   - its header comes in the order of a map and splits names at commas;
//   - its boundaries are random: a mail that is sent again must be the same bytes;
//   - it quotes all texts (quoted-printable), which cuts links in two, and several
//     clients show or copy the broken half: ASCII goes as it is, the rest in base64;
//   - its Message-Id and Date are the host's name and the time of the call.
func (m *Message) content() (textproto.MIMEHeader, []byte, error) {
	e := email.NewEmail()
	e.Text, e.HTML = []byte(m.Text), []byte(m.HTML)
	e.Headers.Set("Message-Id", m.MessageID())
	e.Headers.Set("Date", m.Date.UTC().Format(time.RFC1123Z))
	raw, err := e.Bytes()
	if err != nil {
		return nil, nil, err
	}
	head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	fields, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(head, "\r\n\r\n"...)))).ReadMIMEHeader()
	if err != nil {
		return nil, nil, err
	}
	mediaType, params, err := mime.ParseMediaType(fields.Get("Content-Type"))
	if err != nil {
		return nil, nil, err
	}
	if params["boundary"] == "" {
		body, err = unquote(fields, body)
		return fields, body, err
	}
	boundary := "=_" + m.ID.String()
	fields.Set("Content-Type", mediaType+`; boundary="`+boundary+`"`)
	body, err = rewrite(multipart.NewReader(bytes.NewReader(body), params["boundary"]), boundary)
	return fields, body, err
}

// rewrite puts the parts between that boundary, unquoted.
func rewrite(parts *multipart.Reader, boundary string) ([]byte, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		return nil, err
	}
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			err = w.Close() // before the bytes are taken
			return b.Bytes(), err
		}
		if err != nil {
			return nil, err
		}
		if err := rewritePart(w, p); err != nil {
			return nil, err
		}
	}
}

func rewritePart(w *multipart.Writer, p *multipart.Part) error {
	quoted, err := io.ReadAll(p)
	if err != nil {
		return err
	}
	text, err := unquote(p.Header, quoted)
	if err != nil {
		return err
	}
	part, err := w.CreatePart(p.Header)
	if err != nil {
		return err
	}
	_, err = part.Write(text)
	return err
}

// unquote takes quoted-printable off a text and says so in its header.
func unquote(header textproto.MIMEHeader, quoted []byte) ([]byte, error) {
	text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(quoted)))
	if err != nil {
		return nil, err
	}
	if sevenBit(text) {
		header.Set("Content-Transfer-Encoding", "7bit")
		return text, nil
	}
	// Not 8bit, even to a server that offers 8BITMIME: one further on may not, and
	// recodes the text, into quoted-printable mostly, which breaks the signature and
	// the links. Texts of a few KB don't gain by a third less.
	header.Set("Content-Transfer-Encoding", "base64")
	return inBase64(text), nil
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

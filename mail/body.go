package mail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"time"

	"github.com/jordan-wright/email"
)

// content has the library build the MIME body and returns it with the header
// fields that describe it. The library's own header isn't used: it comes in the
// order of a map and splits names at commas.
func (m *Message) content() (textproto.MIMEHeader, []byte, error) {
	e := email.NewEmail()
	e.Text, e.HTML = []byte(m.Text), []byte(m.HTML)
	e.Headers.Set("Message-Id", m.MessageID()) // else the library reads the clock and the host's name
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

// rewrite puts the parts between boundaries that stay the same, where the
// library's are random, and unquotes them.
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

// unquote takes quoted-printable off a text that needs none, and says so in its
// header. The library quotes all texts, which cuts links in two: whoever opens
// the file of a captured mail, or searches it, is to find them whole.
func unquote(header textproto.MIMEHeader, quoted []byte) ([]byte, error) {
	text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(quoted)))
	if err != nil {
		return nil, err
	}
	if !sevenBit(text) {
		return quoted, nil
	}
	header.Set("Content-Transfer-Encoding", "7bit")
	return text, nil
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

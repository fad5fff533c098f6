// Package inbox takes captured mails apart, for the pages that show them, for
// programs that read them as JSON, and for tests.
package inbox

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxPart bounds a part of a mail that is shown, in bytes.
const maxPart = 2 << 20

// Summary is a line of the inbox.
type Summary struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"` // of the order, UTC
	From    string    `json:"from"`
	To      string    `json:"to"` // the address alone
	Subject string    `json:"subject"`
	Size    int64     `json:"size"` // bytes
}

// Exact is the time for people.
func (s Summary) Exact() string { return s.Time.UTC().Format("2006-01-02 15:04:05 UTC") }

// Mail is a captured mail, taken apart. What can't be read is left empty: a
// mail that is no good MIME has empty parts and its raw bytes.
type Mail struct {
	Summary
	Links   []string `json:"links"`
	Token   string   `json:"token,omitempty"` // of the first link that carries one
	Text    string   `json:"text"`
	HTML    string   `json:"html"`
	Headers []Header `json:"headers"`
	Raw     []byte   `json:"-"`
}

// Link returns the link that a reader is after: the first that carries a
// token, else the first, "" if there is none.
func (m *Mail) Link() string {
	for _, link := range m.Links {
		if m.Token != "" && tokenOf(link) == m.Token {
			return link
		}
	}
	if len(m.Links) > 0 {
		return m.Links[0]
	}
	return ""
}

// Matches reports whether a text stands in the mail's subject, addresses or
// text, whatever its case.
func (m *Mail) Matches(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc([]string{m.Subject, m.From, m.To, m.Text}, func(field string) bool {
		return strings.Contains(strings.ToLower(field), text)
	})
}

// Source is the mail as it is sent, for people to read.
func (m *Mail) Source() string { return strings.ToValidUTF8(string(m.Raw), "\uFFFD") }

// Header is a header field, unfolded and decoded.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Open takes a mail apart.
func Open(id string, at time.Time, raw []byte) *Mail {
	m := &Mail{Raw: raw, Links: []string{}, Summary: Summary{ID: id, Time: at, Size: int64(len(raw))}}
	msg, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m
	}
	m.Headers = headers(msg.Header)
	m.From, m.To, m.Subject = m.Header("From"), m.Header("To"), m.Header("Subject")
	if to, err := netmail.ParseAddress(msg.Header.Get("To")); err == nil {
		m.To = to.Address
	}
	m.addPart(textproto.MIMEHeader(msg.Header), msg.Body, 0)
	m.findLinks()
	return m
}

// Header returns the first field of that name, "" if there is none.
func (m *Mail) Header(name string) string {
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func headers(h netmail.Header) []Header {
	var list []Header
	for name, values := range h {
		for _, value := range values {
			list = append(list, Header{name, decodeWords(value)})
		}
	}
	slices.SortStableFunc(list, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func decodeWords(s string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		return s
	}
	return decoded
}

// addPart keeps the first text and the first HTML part, also of nested parts.
func (m *Mail) addPart(h textproto.MIMEHeader, body io.Reader, depth int) {
	kind, attributes, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && depth < 4 {
		parts := multipart.NewReader(body, attributes["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return
			}
			m.addPart(part.Header, part, depth+1)
		}
	}
	content, err := io.ReadAll(io.LimitReader(decode(h.Get("Content-Transfer-Encoding"), body), maxPart))
	if err != nil {
		return
	}
	text := strings.ReplaceAll(strings.ToValidUTF8(string(content), "\uFFFD"), "\r\n", "\n")
	switch {
	case kind == "text/plain" && m.Text == "":
		m.Text = text
	case kind == "text/html" && m.HTML == "":
		m.HTML = text
	}
}

func decode(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	default:
		return body
	}
}

// findLinks collects the addresses in the text.
func (m *Mail) findLinks() {
	for word := range strings.FieldsSeq(m.Text) {
		u, err := url.Parse(strings.Trim(word, "<>().,;\"'"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || slices.Contains(m.Links, u.String()) {
			continue
		}
		m.Links = append(m.Links, u.String())
		if m.Token == "" {
			m.Token = tokenOf(u.String())
		}
	}
}

// tokenOf returns the token that a link carries, "" if it carries none.
func tokenOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return cmp.Or(u.Query().Get("token"), u.Query().Get("forgotPasswordToken"))
}

package server

import (
	"bytes"
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

// mailSummary is a line of the inbox.
type mailSummary struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"` // of the order, UTC
	From    string    `json:"from"`
	To      string    `json:"to"` // the address alone
	Subject string    `json:"subject"`
	Size    int64     `json:"size"` // bytes
}

// openedMail is a captured mail, taken apart. The inbox shows what is there:
// a mail that is no good MIME has empty parts and its raw bytes.
type openedMail struct {
	mailSummary
	Links   []string     `json:"links"`
	Token   string       `json:"token,omitempty"` // of the first link that carries one
	Text    string       `json:"text"`
	HTML    string       `json:"html"`
	Headers []mailHeader `json:"headers"`
	raw     []byte
}

// mailHeader is a header field as it came, unfolded and decoded.
type mailHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func openMail(entry MailEntry, raw []byte) *openedMail {
	m := &openedMail{raw: raw, Links: []string{}, mailSummary: mailSummary{ID: entry.ID, Time: entry.Time, Size: entry.Size}}
	msg, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m
	}
	m.Headers = headersOf(msg.Header)
	m.From, m.Subject = decodeHeader(msg.Header.Get("From")), decodeHeader(msg.Header.Get("Subject"))
	m.To = decodeHeader(msg.Header.Get("To"))
	if to, err := netmail.ParseAddress(msg.Header.Get("To")); err == nil {
		m.To = to.Address
	}
	m.addPart(textproto.MIMEHeader(msg.Header), msg.Body, 0)
	m.findLinks()
	return m
}

func headersOf(h netmail.Header) []mailHeader {
	var list []mailHeader
	for name, values := range h {
		for _, value := range values {
			list = append(list, mailHeader{name, decodeHeader(value)})
		}
	}
	slices.SortFunc(list, func(a, b mailHeader) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func decodeHeader(s string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		return s
	}
	return decoded
}

// addPart keeps the first text and the first HTML part, also of nested parts.
func (m *openedMail) addPart(h textproto.MIMEHeader, body io.Reader, depth int) {
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
	content, err := io.ReadAll(io.LimitReader(decoded(h.Get("Content-Transfer-Encoding"), body), maxPart))
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

func decoded(encoding string, body io.Reader) io.Reader {
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
func (m *openedMail) findLinks() {
	for word := range strings.FieldsSeq(m.Text) {
		u, err := url.Parse(strings.Trim(word, "<>().,;\"'"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || slices.Contains(m.Links, u.String()) {
			continue
		}
		m.Links = append(m.Links, u.String())
		for _, name := range []string{"token", "forgotPasswordToken"} {
			if token := u.Query().Get(name); token != "" && m.Token == "" {
				m.Token = token
			}
		}
	}
}

// HTMLPath is where the frame finds the HTML part.
func (m *openedMail) HTMLPath() string { return "/dev/mail/" + m.ID + "/html" }

// Exact is the time for people.
func (m mailSummary) Exact() string { return m.Time.UTC().Format("2006-01-02 15:04:05 UTC") }

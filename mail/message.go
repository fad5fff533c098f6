package mail

import (
	"bytes"
	"fmt"
	"maps"
	netmail "net/mail"
	"regexp"
	"slices"
	"time"
)

const (
	maxSubject = 900     // bytes; a field then stays under 998 even if nothing can be folded
	maxName    = 450     // bytes of a display name: first name and surname are 50 characters each (contract 1.6)
	maxBody    = 1 << 20 // bytes of text or HTML
)

// Message is one mail to one recipient (MAI-16).
type Message struct {
	ID      ID        // of the order; stays the same when it is sent again
	Date    time.Time // of the order, for the same reason
	From    netmail.Address
	To      netmail.Address
	ReplyTo netmail.Address // left out if its Address is empty
	Subject string
	Text    string // plain text; may be empty if HTML isn't
	HTML    string // may be empty if Text isn't
	Domain  string // the right side of the Message-ID
	// ReturnPath is the address that servers return undeliverable mail to;
	// From's if empty.
	ReturnPath string
	// Headers are further fields, written in the order of their names.
	Headers map[string]string
	// Server takes this message, if it is not the zero value.
	Server Server
}

// MessageID returns the Message-ID with its angle brackets.
func (m *Message) MessageID() string { return "<" + m.ID.String() + "@" + m.Domain + ">" }

// Validate refuses, with a permanent [Error], a message that must not be sent
// because one of its values could start a header, a recipient or a command of
// its own (MAI-1, MAI-2), or isn't complete.
func (m *Message) Validate() error {
	if err := m.validateHeader(); err != nil {
		return err
	}
	switch {
	case m.Text == "" && m.HTML == "":
		return unfit("message is empty")
	case len(m.Text) > maxBody || len(m.HTML) > maxBody:
		return unfit("message is too long")
	}
	return nil
}

func (m *Message) validateHeader() error {
	switch {
	case !ValidUTF8Address(m.To.Address):
		return unfit("recipient's address is malformed")
	case !ValidSender(m.From.Address):
		return unfit("sender's address is malformed")
	case m.ReplyTo.Address != "" && !ValidSender(m.ReplyTo.Address):
		return unfit("reply address is malformed")
	case !ValidName(m.To.Name) || !ValidName(m.From.Name) || !ValidName(m.ReplyTo.Name):
		return unfit("display name is malformed")
	case !safeText(m.Subject) || len(m.Subject) > maxSubject:
		return unfit("subject is malformed or too long")
	case !validDomain(m.Domain, 1):
		return unfit("Message-ID's domain is malformed")
	case m.ReturnPath != "" && !ValidSender(m.ReturnPath):
		return unfit("return path is malformed")
	case !safeHeaders(m.Headers):
		return unfit("an extra header is malformed")
	case m.Date.Year() < 1900 || m.Date.Year() > 9999:
		return unfit("date is out of range")
	}
	return nil
}

// headerName is the name of a field that can't change what the message is.
var headerName = regexp.MustCompile(`^(?i:X-[a-z0-9-]+|Feedback-ID|List-Help|List-Id|List-Owner|Organization|Importance|Precedence)$`)

func safeHeaders(headers map[string]string) bool {
	for name, value := range headers {
		if !headerName.MatchString(name) || !safeText(value) || value == "" || len(value) > maxSubject {
			return false
		}
	}
	return true
}

// ValidName reports whether s may be the display name of an address.
func ValidName(s string) bool { return safeText(s) && len(s) <= maxName }

func unfit(text string) error {
	return &Error{Class: Permanent, Stage: StageMessage, Text: text}
}

// Bytes returns the message in MIME with CRLF line ends, the same bytes each
// time (MAI-11): header fields in a fixed order, dates in UTC, a boundary made
// from the ID. It returns a permanent [Error] where [Message.Validate] does.
func (m *Message) Bytes() ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	head, body, err := m.content()
	if err != nil {
		return nil, fmt.Errorf("build message: %w", err)
	}
	var b bytes.Buffer
	b.Grow(1024 + len(body))
	writeField(&b, "Date", m.Date.UTC().Format(time.RFC1123Z))
	writeField(&b, "From", formatAddress(m.From))
	writeField(&b, "To", formatAddress(m.To))
	if m.ReplyTo.Address != "" {
		writeField(&b, "Reply-To", formatAddress(m.ReplyTo))
	}
	if m.Subject != "" {
		writeField(&b, "Subject", formatText(m.Subject))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		writeField(&b, name, formatText(m.Headers[name]))
	}
	writeField(&b, "Message-ID", m.MessageID())
	writeField(&b, "Auto-Submitted", "auto-generated") // RFC 3834 5, contract 1.9
	writeField(&b, "MIME-Version", "1.0")
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding"} {
		if v := head.Get(name); v != "" {
			writeField(&b, name, v)
		}
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes(), nil
}

package mail

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Class says what a failure means for the order.
type Class int

// A temporary failure is tried again later, a permanent one never. OurFault is
// a failure that would hit every mail alike: the whole queue pauses, no order's
// attempt is counted and none is given up (MAI-9, MAI-10).
const (
	Temporary Class = iota
	Permanent
	OurFault
)

// String returns the class as logs and test scripts spell it.
func (c Class) String() string {
	switch c {
	case Permanent:
		return "permanent"
	case OurFault:
		return "our-fault"
	}
	return "temporary"
}

// Stage says how far a delivery got.
type Stage string

// The stages of a delivery, in order. StageStartTLS stands for implicit TLS
// too, StageDot is the wait for the answer to the whole message.
const (
	StageCompose  Stage = "compose"
	StageMessage  Stage = "message"
	StageSend     Stage = "send" // by a sender that doesn't say more
	StageCapture  Stage = "capture"
	StageConnect  Stage = "connect"
	StageGreeting Stage = "greeting"
	StageHello    Stage = "ehlo"
	StageStartTLS Stage = "starttls"
	StageAuth     Stage = "auth"
	StageReset    Stage = "rset"
	StageMail     Stage = "mail"
	StageRcpt     Stage = "rcpt"
	StageData     Stage = "data"
	StageDot      Stage = "dot"
	StageQuit     Stage = "quit"
)

// inTransaction reports whether the server had let us in by then and was
// talking about a mail.
func (s Stage) inTransaction() bool {
	return s == StageMail || s == StageRcpt || s == StageData || s == StageDot
}

// Error is a delivery that failed.
type Error struct {
	Class Class
	Stage Stage
	Code  int    // the server's reply code; 0: there was none
	Text  string // one line, bounded, without addresses, links or secrets
	cause error
}

// Error returns stage, code and text; it is fit for logs and for the record.
func (e *Error) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("%s: %s", e.Stage, e.Text)
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %d %s", e.Stage, e.Code, e.Text))
}

// Unwrap returns what caused it, if that was an error of the network or a file.
func (e *Error) Unwrap() error { return e.cause }

// classify gives the class of a failure without a reply that could be read.
// Whatever fails before MAIL is ours, since it isn't about this mail.
func classify(stage Stage) Class {
	switch stage {
	case StageConnect, StageGreeting, StageHello, StageStartTLS, StageAuth, StageCapture:
		return OurFault
	}
	return Temporary
}

// describe says what went wrong with a connection, in a line.
func describe(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed by the server"
	}
	return sanitise(err.Error())
}

const (
	maxText   = 200 // bytes
	maxOpaque = 24  // a longer run of token characters may be a token (contract 1.8: 32)
)

// sanitise makes text from elsewhere fit for logs: printable ASCII on one line,
// bounded, without anything that may be an address, a link or a secret. Servers
// like to repeat the recipient, and filters the link they dislike.
func sanitise(s string) string {
	if len(s) > 4*maxText {
		s = s[:4*maxText]
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, s)
	words := strings.Fields(s)
	for i, word := range words {
		words[i] = redact(word)
	}
	s = strings.Join(words, " ")
	return s[:min(len(s), maxText)]
}

func redact(word string) string {
	switch {
	case strings.Contains(word, "@"):
		return "[address]"
	case strings.Contains(word, "://"):
		return "[link]"
	}
	run := 0
	for _, r := range word {
		run++
		if !alphanumeric(r) && !strings.ContainsRune("-_+/=", r) {
			run = 0
		}
		if run >= maxOpaque {
			return "[...]"
		}
	}
	return word
}

package mail

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

const (
	replyBuffer   = 4096 // bytes a line may have; RFC 5321 4.5.3.1.5 allows 512
	maxReplyLines = 128
)

var errGarbage = errors.New("the server's reply can't be understood")

// reply is a server's answer; lines are without code and separator.
type reply struct {
	code  int
	lines []string
}

func (r reply) text() string { return strings.Join(r.lines, " ") }

// enhanced returns the status of RFC 3463 at the start of the text, if any.
func (r reply) enhanced() string {
	word, _, _ := strings.Cut(r.text(), " ")
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return -1
	}, word)
	if digits != word || strings.Count(word, ".") != 2 || len(word) > 9 {
		return ""
	}
	return word
}

// readReply reads a reply of one or more lines (RFC 5321 4.2.1). It bounds what
// it reads, and takes lines of differing codes for garbage.
func readReply(r *bufio.Reader) (reply, error) {
	var rep reply
	for range maxReplyLines {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return rep, errGarbage
		}
		if err != nil {
			return rep, fmt.Errorf("read reply: %w", err)
		}
		code, more, text, err := parseReplyLine(strings.TrimRight(string(line), "\r\n"))
		if err != nil || len(rep.lines) > 0 && code != rep.code {
			return rep, errGarbage
		}
		rep.code = code
		rep.lines = append(rep.lines, text)
		if !more {
			return rep, nil
		}
	}
	return rep, errGarbage
}

func parseReplyLine(s string) (code int, more bool, text string, err error) {
	if len(s) < 3 {
		return 0, false, "", errGarbage
	}
	for _, c := range []byte(s[:3]) {
		if c < '0' || c > '9' {
			return 0, false, "", errGarbage
		}
		code = code*10 + int(c-'0')
	}
	if code < 200 || code > 599 {
		return 0, false, "", errGarbage
	}
	if len(s) == 3 {
		return code, false, "", nil
	}
	if s[3] != ' ' && s[3] != '-' {
		return 0, false, "", errGarbage
	}
	return code, s[3] == '-', s[4:], nil
}

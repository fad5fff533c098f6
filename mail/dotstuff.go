package mail

import "bytes"

// dotStuff returns the message as DATA sends it: every line end CRLF, whether
// it was CRLF, CR or LF (bare ones let a message smuggle in a second, MAI-3),
// dots at line starts doubled (RFC 5321 4.5.2), the final dot appended.
func dotStuff(message []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(message) + len(message)/32 + 8)
	for len(message) > 0 {
		line := message
		if i := bytes.IndexAny(message, "\r\n"); i >= 0 {
			line, message = message[:i], afterLineEnd(message[i:])
		} else {
			message = nil
		}
		if len(line) > 0 && line[0] == '.' {
			b.WriteByte('.')
		}
		b.Write(line)
		b.WriteString("\r\n")
	}
	b.WriteString(".\r\n")
	return b.Bytes()
}

func afterLineEnd(b []byte) []byte {
	if bytes.HasPrefix(b, []byte("\r\n")) {
		return b[2:]
	}
	return b[1:]
}

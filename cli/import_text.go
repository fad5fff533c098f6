package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// plainText returns a file as UTF-8 with line feeds, whatever a spreadsheet or
// an export made of it: UTF-16, or with a byte order mark, or with carriage
// returns alone.
func plainText(r io.Reader) *bufio.Reader {
	decoded := transform.NewReader(r, unicode.BOMOverride(transform.Nop))
	return bufio.NewReader(&lineFeeds{r: bufio.NewReader(decoded)})
}

// lineFeeds turns carriage returns that end a line by themselves into line feeds.
type lineFeeds struct{ r *bufio.Reader }

// Read implements io.Reader.
func (l *lineFeeds) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if n > 0 && l.r.Buffered() == 0 {
			return n, nil
		}
		b, err := l.r.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		if b == '\r' {
			next, err := l.r.Peek(1)
			if err != nil || next[0] != '\n' {
				b = '\n'
			}
		}
		p[n] = b
		n++
	}
	return n, nil
}

// separator returns what stands between the columns of a header line.
func separator(header []byte) rune {
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := bytes.Count(header, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// peekLine returns the first line of what is to be read, as far as it fits the buffer.
func peekLine(r *bufio.Reader) []byte {
	head, _ := r.Peek(r.Size()) // what can't be read shows when it is read
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return line
}

// spellings are names of columns as other programs have them, without case,
// spaces and signs.
var spellings = map[string]string{
	"user": "username", "login": "username", "memberusername": "username", "nickname": "username",
	"mail": "email", "emailaddress": "email", "mailaddress": "email", "memberemail": "email",
	"givenname": "firstname", "forename": "firstname", "first": "firstname", "memberfirstname": "firstname",
	"lastname": "surname", "familyname": "surname", "last": "surname", "membersurname": "surname",
	"isadmin": "admin", "administrator": "admin", "apiaccount": "api_account",
	"password": "", "hash": "password_hash", "passwordhash": "password_hash", "encryptedpassword": "password_hash",
	"group": "groups", "membership": "groups", "memberships": "groups",
	"lang": "language", "locale": "language", "memberstatus": "status",
}

// columnName returns the column that a cell of the header line names, "" for none.
func columnName(cell string, renamed map[string]string) string {
	cell = strings.TrimSpace(cell)
	if to, ok := renamed[cell]; ok {
		return to
	}
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -_.\u00a0", r) {
			return -1
		}
		return r
	}, strings.ToLower(cell))
	for _, name := range columnNames() {
		if strings.ReplaceAll(name, "_", "") == plain {
			return name
		}
	}
	return spellings[plain]
}

// renames checks what --map says.
func renames(list map[string]string) error {
	for from, to := range list {
		if !slices.Contains(columnNames(), to) {
			return fmt.Errorf("--map %s=%s: there is no column %q, only %s", from, to, to, strings.Join(columnNames(), ", "))
		}
	}
	return nil
}

// absent reports whether a cell holds no value: empty, or NULL as databases export it.
func absent(cell string) bool { return cell == "" || cell == "NULL" || cell == `\N` }

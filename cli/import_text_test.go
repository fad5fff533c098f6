package cli

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// A file is read in every form that spreadsheets save it in: UTF-16 and carriage
// returns alone among them.
func TestImportReadsWhatSpreadsheetsSave(t *testing.T) {
	const plain = "username,email\r\nann,ann@example.org\r\n"
	utf16le := "\xff\xfe"
	for _, unit := range utf16.Encode([]rune(plain)) {
		utf16le += string([]byte{byte(unit), byte(unit >> 8)})
	}
	for name, text := range map[string]string{
		"plain": plain, "mark": "\xef\xbb\xbf" + plain, "utf-16": utf16le,
		"old mac": strings.ReplaceAll(plain, "\n", ""), "unix": strings.ReplaceAll(plain, "\r", ""),
		"tabs": strings.ReplaceAll(plain, ",", "\t"), "semicolons": strings.ReplaceAll(plain, ",", ";"),
	} {
		rows, err := newRowReader(strings.NewReader(text), time.Time{}, nil, false)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, _, err := rows.next()
		if err != nil || m.Username != "ann" || m.Email != "ann@example.org" {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

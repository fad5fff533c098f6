package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// at returns a time as the database holds it: NULL for zero, DATETIME(6) on
// MySQL, microseconds on SQLite. What is finer is cut off, never rounded up.
func (s *Store) at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	if s.mysql {
		return t.UTC().Truncate(time.Microsecond)
	}
	return t.UnixMicro()
}

// key returns an identifier as it is compared, NULL for none. MySQL gets bytes
// so that no collation is in play.
func (s *Store) key(identifier string) any {
	if identifier == "" {
		return nil
	}
	return s.exact(fold.ASCII(identifier))
}

// exact returns a text for a column that compares byte for byte.
func (s *Store) exact(text string) any {
	if s.mysql {
		return []byte(text)
	}
	return text
}

// token returns a token's hash, NULL for none.
func token(t password.TokenHash) any {
	if t == (password.TokenHash{}) {
		return nil
	}
	return t[:]
}

// number returns an id, NULL for none.
func number(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

func encodeOptions(o members.Options) (string, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("encode options: %w", err)
	}
	return string(b), nil
}

// scanTime scans either form of a time; NULL is the zero time.
type scanTime struct{ to *time.Time }

// Scan implements sql.Scanner.
func (d scanTime) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d.to = time.Time{}
	case int64:
		*d.to = time.UnixMicro(v).UTC()
	case time.Time:
		*d.to = v.UTC()
	default:
		return fmt.Errorf("a time can't be a %T", src)
	}
	return nil
}

// scanID scans a mail's id; NULL is the zero id.
type scanID struct{ to *mail.ID }

// Scan implements sql.Scanner.
func (d scanID) Scan(src any) error {
	b, ok := src.([]byte)
	if src != nil && (!ok || len(b) != len(d.to)) {
		return fmt.Errorf("a mail id can't be a %T of %d bytes", src, len(b))
	}
	*d.to = mail.ID{}
	copy(d.to[:], b)
	return nil
}

// scanToken scans a token's hash; NULL is the zero hash.
type scanToken struct{ to *password.TokenHash }

// Scan implements sql.Scanner.
func (d scanToken) Scan(src any) error {
	b, ok := src.([]byte)
	if src != nil && (!ok || len(b) != len(d.to)) {
		return fmt.Errorf("a token's hash can't be a %T of %d bytes", src, len(b))
	}
	*d.to = password.TokenHash{}
	copy(d.to[:], b)
	return nil
}

// scanOptions scans what encodeOptions wrote.
type scanOptions struct{ to *members.Options }

// Scan implements sql.Scanner.
func (d scanOptions) Scan(src any) error {
	*d.to = members.Options{}
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), d.to)
	case []byte:
		return json.Unmarshal(v, d.to)
	}
	return fmt.Errorf("options can't be a %T", src)
}

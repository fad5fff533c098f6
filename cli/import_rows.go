package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// unreadable ends an import: after broken quotes nothing can be told apart.
type unreadable struct {
	line int
	err  error
}

// Error says what is broken.
func (e *unreadable) Error() string { return e.err.Error() }

// Unwrap returns what is broken.
func (e *unreadable) Unwrap() error { return e.err }

// columnNames are the columns that a file may have.
func columnNames() []string {
	return []string{
		"id", "username", "email", "firstname", "surname", "status", "admin", "api_account", "password_hash", "groups", "language",
	}
}

// rowReader reads members from CSV.
type rowReader struct {
	csv     *csv.Reader
	columns []string // "" for one that is ignored
	now     time.Time
	update  bool // a line may name its member by the id alone

	smtpUTF8 bool
}

// newRowReader reads the header line. renamed are columns by what the file calls
// them; others that are unknown are a fault unless ignoreUnknown.
func newRowReader(r io.Reader, now time.Time, renamed map[string]string, ignoreUnknown bool) (*rowReader, error) {
	text := plainText(r)
	rows := &rowReader{csv: csv.NewReader(text), now: now}
	rows.csv.Comma = separator(peekLine(text))
	rows.csv.ReuseRecord = true
	header, err := rows.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; its first line must name the columns")
	}
	if err != nil {
		return nil, fmt.Errorf("read the header line: %w", err)
	}
	for i, cell := range header {
		name := columnName(cell, renamed)
		empty := strings.TrimSpace(cell) == "" // spreadsheets leave such columns at the end
		if name == "" && !empty && !ignoreUnknown {
			return nil, fmt.Errorf("the header line names an unknown column %q; there are %s. --map says which one it is, --ignore-unknown leaves it out", cell, strings.Join(columnNames(), ", "))
		}
		if name != "" && slices.Contains(rows.columns, name) {
			return nil, fmt.Errorf("the header line names the column %s twice: column %d is %q", name, i+1, cell)
		}
		rows.columns = append(rows.columns, name)
	}
	return rows, nil
}

// next returns the next member and the names of its groups. Errors: io.EOF,
// *unreadable, or what is wrong with the line that the member says.
func (r *rowReader) next() (members.NewMember, []string, error) {
	record, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return members.NewMember{}, nil, io.EOF
	}
	var broken *csv.ParseError
	if errors.As(err, &broken) {
		if errors.Is(err, csv.ErrFieldCount) {
			m := members.NewMember{Line: broken.StartLine}
			return m, nil, fmt.Errorf("has %d fields, the header line %d", len(record), len(r.columns))
		}
		return members.NewMember{}, nil, &unreadable{broken.StartLine, broken.Err}
	}
	if err != nil {
		return members.NewMember{}, nil, &unreadable{0, fmt.Errorf("read the file: %w", err)}
	}
	line, _ := r.csv.FieldPos(0)
	return r.member(line, record)
}

func (r *rowReader) member(line int, record []string) (members.NewMember, []string, error) {
	m := members.NewMember{Line: line}
	m.Created = r.now
	var names []string
	var faults []error
	for i, name := range r.columns {
		cell := strings.TrimSpace(record[i])
		if absent(cell) {
			cell = ""
		}
		if cell != "" {
			m.Named = append(m.Named, name)
		}
		switch name {
		case "": // ignored
		case "groups":
			names = strings.FieldsFunc(cell, func(c rune) bool { return strings.ContainsRune(";, \t", c) })
		case "id":
			m.ID = cellID(cell, &faults)
		case "admin":
			m.Admin = truth(name, cell, &faults)
		case "api_account":
			m.APIAccount = truth(name, cell, &faults)
		default:
			setText(&m.Member, name, cell)
		}
	}
	if m.Status == "" {
		m.Status = members.DefaultStatus(m.Password != "")
	}
	if m.Status == members.Activated {
		m.Activated = r.now
	}
	return m, names, errors.Join(append(faults, r.validate(m))...)
}

// validate checks a line's member; one of an update that has an id needs no identifier.
func (r *rowReader) validate(m members.NewMember) error {
	if r.update && m.ID > 0 && m.Username == "" && m.Email == "" {
		m.Username = "named-by-id"
	}
	return members.Validate(m, r.smtpUTF8)
}

// cellID reads a member's id, 0 for none.
func cellID(cell string, faults *[]error) int64 {
	if cell == "" {
		return 0
	}
	id, ok := members.ParseID(cell)
	if !ok || id == 0 {
		*faults = append(*faults, errors.New("id is not a number from 1"))
	}
	return id
}

func setText(m *members.Member, column, cell string) {
	switch column {
	case "username":
		m.Username = cell
	case "email":
		m.Email = members.ASCIIAddress(cell)
	case "firstname":
		m.Firstname = cell
	case "surname":
		m.Surname = cell
	case "status":
		m.Status = members.Status(cell)
	case "password_hash":
		m.Password = password.Hash(cell)
	case "language":
		m.Language = cell
	}
}

func truth(column, cell string, faults *[]error) bool {
	switch strings.ToLower(cell) {
	case "true", "yes", "1":
		return true
	case "", "false", "no", "0":
		return false
	}
	*faults = append(*faults, fmt.Errorf("%s is neither true nor false", column))
	return false
}

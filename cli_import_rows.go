package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"reseed/members"
	"reseed/password"
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
		"username", "email", "firstname", "surname", "status", "admin", "api_account", "password_hash", "groups", "language",
	}
}

// rowReader reads members from CSV.
type rowReader struct {
	csv     *csv.Reader
	columns []string
	now     time.Time
}

// newRowReader reads the header line.
func newRowReader(r io.Reader, now time.Time) (*rowReader, error) {
	buffered := bufio.NewReader(r)
	if mark, err := buffered.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3) // can't fail: they were peeked at
	}
	rows := &rowReader{csv: csv.NewReader(buffered), now: now}
	rows.csv.ReuseRecord = true
	header, err := rows.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; its first line must name the columns")
	}
	if err != nil {
		return nil, fmt.Errorf("read the header line: %w", err)
	}
	for _, cell := range header {
		name := strings.ToLower(strings.TrimSpace(cell))
		if !slices.Contains(columnNames(), name) {
			return nil, fmt.Errorf("the header line names an unknown column %q; there are %s", cell, strings.Join(columnNames(), ", "))
		}
		if slices.Contains(rows.columns, name) {
			return nil, fmt.Errorf("the header line names the column %s twice", name)
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
		switch cell := record[i]; name {
		case "groups":
			names = strings.FieldsFunc(cell, func(c rune) bool { return strings.ContainsRune(";, \t", c) })
		case "admin":
			m.Admin = truth(name, cell, &faults)
		case "api_account":
			m.APIAccount = truth(name, cell, &faults)
		default:
			setText(&m.Member, name, cell)
		}
	}
	if m.Status == "" {
		m.Status = defaultStatus(m.Password != "")
	}
	if m.Status == members.Activated {
		m.Activated = r.now
	}
	return m, names, errors.Join(append(faults, members.Validate(m))...)
}

func setText(m *members.Member, column, cell string) {
	switch column {
	case "username":
		m.Username = cell
	case "email":
		m.Email = cell
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
